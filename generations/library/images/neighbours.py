"""A picture among those of the search that it was found by: what stands on its left and on its right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import Http404

from generations.library.search import engine as search_engine
from generations.library.search.engine import Landmark
from generations.library.search.query import Search

if TYPE_CHECKING:
    from django.http import QueryDict

    from generations.library.models import Image
    from generations.teams.models import Membership

STRIP = 4  # pictures of the film strip on each side


@dataclass(frozen=True)
class Neighbours:
    """The pictures around one, in the search's order; `place` is its number and how many there are."""

    search: Search
    left: list[Image]
    right: list[Image]
    place: tuple[int, int] | None = None

    @property
    def previous(self) -> Image | None:
        """The one on its left."""
        return self.left[-1] if self.left else None

    @property
    def next(self) -> Image | None:
        """The one on its right."""
        return self.right[0] if self.right else None

    @property
    def address(self) -> str:
        """What keeps the search in an address: nothing, or a question mark and what stands behind it."""
        return f"?{words}" if (words := self.search.address()) else ""


def beside(member: Membership, image: Image, query: QueryDict) -> Neighbours:
    """What stands around an image in the search of an address; a broken one is a search for everything."""
    try:
        return _within(member, image, Search.read(query))
    except Http404:
        return _within(member, image, Search())


def after(member: Membership, image: Image, search: Search) -> Image | None:
    """The next picture of a search, or the one before if there is none."""
    around = _strip(member, image, search, size=1)
    return around.next or around.previous


def _within(member: Membership, image: Image, search: Search) -> Neighbours:
    around = _strip(member, image, search, size=STRIP)
    return Neighbours(search, around.left, around.right, search_engine.place(member, search, _mark(image)))


def _strip(member: Membership, image: Image, search: Search, *, size: int) -> Neighbours:
    mark = _mark(image)
    left = search_engine.page(member, search, after=mark, size=size, back=True)
    return Neighbours(search, left[::-1], search_engine.page(member, search, after=mark, size=size))


def _mark(image: Image) -> Landmark:
    return Landmark(image.created_at, image.pk)
