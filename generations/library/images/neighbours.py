"""The previous and next images of an image, in the results of the search it was opened from."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, QueryDict

from generations.library.models import Image
from generations.library.search import engine as search_engine
from generations.library.search.engine import Cursor
from generations.library.search.query import Search
from generations.teams.models import Membership

STRIP_SIZE = 4  # images of the film strip on each side


@dataclass(frozen=True)
class Neighbours:
    """The images around one, in the search's order; `position` is its number and how many there are."""

    search: Search
    left: list[Image]
    right: list[Image]
    position: tuple[int, int] | None = None

    @property
    def previous(self) -> Image | None:
        """The image on the left."""
        return self.left[-1] if self.left else None

    @property
    def next(self) -> Image | None:
        """The image on the right."""
        return self.right[0] if self.right else None

    @property
    def query_suffix(self) -> str:
        """What to append to a URL to keep the search: "", or a question mark and the query string."""
        return url_suffix(self.search)


def url_suffix(search: Search) -> str:
    """Return a search's query string with its question mark; "" for a search for everything."""
    return f"?{query}" if (query := search.query_string()) else ""


def search_or_everything(query: QueryDict) -> Search:
    """Parse a search; a malformed one is a search for everything."""
    try:
        return Search.from_query(query)
    except Http404:
        return Search()


def around(member: Membership, image: Image, query: QueryDict) -> Neighbours:
    """Return the neighbours of an image in a search; without it, if it names a collection not to be seen."""
    try:
        return _in_search(member, image, search_or_everything(query))
    except Http404:
        return _in_search(member, image, Search())


def next_or_previous(member: Membership, image: Image, search: Search) -> Image | None:
    """Return the next image of a search, or the previous one if there is none."""
    neighbours = _strip(member, image, search, size=1)
    return neighbours.next or neighbours.previous


def _in_search(member: Membership, image: Image, search: Search) -> Neighbours:
    strip = _strip(member, image, search, size=STRIP_SIZE)
    position = search_engine.position(member, search, _cursor(image))
    return Neighbours(search, strip.left, strip.right, position)


def _strip(member: Membership, image: Image, search: Search, *, size: int) -> Neighbours:
    cursor = _cursor(image)
    left = search_engine.page(member, search, after=cursor, size=size, backwards=True)
    right = search_engine.page(member, search, after=cursor, size=size)
    return Neighbours(search, left[::-1], right)


def _cursor(image: Image) -> Cursor:
    return Cursor(image.created_at, image.pk)
