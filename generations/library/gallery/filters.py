"""The filter chips above the images: what each offers, what is chosen, and how to clear it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from generations.library.models import Collection
from generations.library.search.filters import Choice, Page
from generations.library.search.query import Search
from generations.teams.models import Membership


@dataclass(frozen=True)
class Chip:
    """A filter on the page. `kind` decides how a template shows it."""

    kind: str
    name: str  # the query parameter
    title: str
    choices: list[Choice]
    chosen: str  # in words; "" if the filter is not in use
    without: str  # query string of the search without the filter
    other_parameters: list[tuple[str, str]]  # of that search, for hidden fields of a form


def chips(member: Membership, search: Search, collections: list[Collection], today: date) -> dict[str, Chip]:
    """Return the chips by query parameter. `today` is in the team's time zone."""
    page = Page(member, search, today, collections)
    made = {}
    for declared, value in search.filters():
        if declared.chip:
            choices = declared.choices(page, value)
            without = search.without(*declared.fields)
            made[declared.parameter] = Chip(
                kind=declared.chip,
                name=declared.parameter,
                title=str(declared.label),
                choices=choices,
                chosen=declared.summary(page, value, choices),
                without=without.query_string(),
                other_parameters=without.parameters(),
            )
    return made
