"""Clients of image APIs, in plain Python: no Django, no database."""

from generations.providers.registry import KINDS, open_provider

__all__ = ["KINDS", "open_provider"]
