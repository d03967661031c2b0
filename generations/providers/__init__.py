"""Speaking to image APIs: plain Python that knows no Django, no queue and no member."""

from generations.providers.registry import KINDS, open_provider

__all__ = ["KINDS", "open_provider"]
