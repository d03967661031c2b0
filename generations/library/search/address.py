"""Read a search from an address that somebody may have typed, shortened, or kept for too long."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from generations.library.search.query import Search
from generations.teams.models import Membership

MAX_UNREADABLE = 5  # that the page names
MAX_LENGTH = 60  # characters of each


@dataclass(frozen=True)
class Unreadable:
    """A value that means nothing here: of which parameter, its label, and the query string without it."""

    parameter: str
    label: str
    value: str
    without: str


def read(member: Membership, query: QueryDict) -> tuple[Search, list[Unreadable]]:
    """Return the search of a query string, without the values that mean nothing to this member, and those."""
    readable, found = query.copy(), []
    for declared in Search.declared():
        values = [value for value in query.getlist(declared.parameter) if value.strip()]
        wrong = set(declared.unreadable(member, values)) if values else set()
        if wrong:
            readable.setlist(declared.parameter, [value for value in values if value not in wrong])
            found += [(declared, value) for value in dict.fromkeys(values) if value in wrong]
    named = [
        Unreadable(
            declared.parameter,
            str(declared.label),
            value[:MAX_LENGTH],
            _without(query, declared.parameter, value),
        )
        for declared, value in found[:MAX_UNREADABLE]
    ]
    return Search.from_query(readable), named


def _without(query: QueryDict, parameter: str, value: str) -> str:
    """Return the query string without one value, and without a place in the results."""
    rest = query.copy()
    for place in ("before", "after", "at"):
        rest.pop(place, None)
    rest.setlist(parameter, [other for other in query.getlist(parameter) if other != value])
    return rest.urlencode()
