"""What somebody looks for in the library, as it stands in an address."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, QueryDict

from generations.library.search import parser as search_parser
from generations.library.search import tokenizer
from generations.providers.catalogue import registry as catalogue_registry

MOST_VALUES = 50  # of one filter
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)  # that every time zone and database knows


@dataclass(frozen=True)
class Search:
    """Words and filters. Of several people, models, styles or shapes one is enough; of tags all are needed.

    `since` and `until` are days where the team is, both included.
    """

    q: str = ""
    who: tuple[int, ...] = ()
    model: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()  # without differences that nobody types (words.folded)
    seed: int | None = None
    since: date | None = None
    until: date | None = None
    collection: uuid.UUID | None = None
    batch: uuid.UUID | None = None
    liked: bool = False
    oldest: bool = False

    @classmethod
    def read(cls, query: QueryDict) -> Search:
        """From an address. What makes no sense is as if it were not there; Http404 for a broken id."""
        return cls(
            q=" ".join(query.get("q", "").replace("\0", " ").split())[: search_parser.LONGEST],
            who=tuple(_numbers(query.getlist("who"))),
            model=_known(query.getlist("model"), catalogue_registry.MODELS),
            style=_known(query.getlist("style"), catalogue_registry.STYLES),
            shape=_known(query.getlist("shape"), catalogue_registry.SHAPES),
            tag=tuple(dict.fromkeys(tag_key(name) for name in query.getlist("tag")[:MOST_VALUES] if name)),
            seed=next(_numbers([query.get("seed", "")]), None),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
            collection=_id(query.get("collection", "")),
            batch=_id(query.get("batch", "")),
            liked=query.get("liked") == "1",
            oldest=query.get("order") == "oldest",
        )

    def address(self) -> str:
        """What stands behind the question mark; nothing for everything."""
        return urlencode(list(self.pairs()))

    def but(self, **changes: Any) -> Search:
        """The same search with something else in it."""
        return replace(self, **changes)

    @property
    def is_everything(self) -> bool:
        """True if nothing is left out."""
        return replace(self, oldest=False) == Search()

    def pairs(self) -> Iterator[tuple[str, str]]:
        """What the address says, as names and values."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "oldest":
                yield from [("order", "oldest")] * value
            elif each.name == "liked":
                yield from [("liked", "1")] * value
            elif isinstance(value, tuple):
                yield from ((each.name, str(one)) for one in value)
            elif value not in (None, ""):
                yield each.name, str(value)


def tag_key(name: str) -> str:
    """A tag's name without differences that nobody types."""
    return " ".join(tokenizer.folded(name.replace("\0", " ")).split())[:120]


def _numbers(values: Iterable[str]) -> Iterator[int]:
    """Those that are whole numbers of a size that a database keeps."""
    few = (value for value, _place in zip(values, range(MOST_VALUES), strict=False))
    return (int(value) for value in few if value.isascii() and value.isdecimal() and len(value) < 19)


def _known(values: Iterable[str], declared: Iterable[str]) -> tuple[str, ...]:
    known = set(declared)
    return tuple(dict.fromkeys(value for value in values if value in known))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise Http404 from None
