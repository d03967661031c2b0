"""Addresses whose views are imported when one of them is asked for or named, not with those of all others."""

from __future__ import annotations

from django.urls import URLResolver


class LateResolver(URLResolver):
    """As `include` makes, which imports its views when any address at all is reversed; this does not.

    It has a namespace of its own: of others the resolver above takes in all names.
    """

    def _populate(self) -> None:
        """Do nothing: the resolver above calls this, and needs the namespace alone.

        Whoever reverses an address in it goes through a resolver that Django makes of its patterns.
        """
