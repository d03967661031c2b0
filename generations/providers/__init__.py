"""Speaking to image APIs: plain Python that knows no Django, no queue and no member."""

from .opening import KINDS, open_provider

__all__ = ["KINDS", "open_provider"]
