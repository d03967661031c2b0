"""Clients of image APIs, in plain Python: no Django, no database."""

from generations.providers.registry import ACCOUNT_KINDS, KINDS, open_provider

__all__ = ["ACCOUNT_KINDS", "KINDS", "open_provider"]
