"""Numbers beside names, each bounded: what is larger is "10,000+", and what takes too long has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.http import Http404, QueryDict
from django.utils.formats import number_format

from generations.library.images import service as images_service
from generations.library.models import Collected, Collection, Image, SavedSearch, seen_by
from generations.library.search import engine as search_engine
from generations.library.search.query import Search

if TYPE_CHECKING:
    from generations.teams.models import Membership

MOST = 10_000  # of everything, and of what a search finds
MOST_BESIDE = 1_000  # of a collection, and of a saved search
PATIENCE = 0.3  # seconds for all saved searches together


class Rows(Subquery):
    """How many rows another question has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@dataclass(frozen=True)
class Counted:
    """The numbers of a page, each as it is written; "" for one that is not known."""

    everything: str
    favourites: str
    mine: str
    trash: str
    found: str
    found_number: int
    is_all: bool


def of_the_page(member: Membership, search: Search) -> Counted:
    """The numbers beside the library's own names, and how many the search finds. Http404 as `finding`."""
    everything = search_engine.count(member, Search(), MOST)
    found = everything if search.is_everything else search_engine.count(member, search, MOST)
    trashed = images_service.in_trash(member).order_by().values("pk")[: MOST + 1].count()
    return Counted(
        everything=written(everything, MOST),
        favourites=written(search_engine.count(member, Search(liked=True), MOST), MOST),
        mine=written(search_engine.count(member, Search(who=(member.pk,)), MOST), MOST),
        trash=written(trashed, MOST),
        found=written(found, MOST),
        found_number=min(found, MOST),
        is_all=search.is_everything,
    )


def of_saved(member: Membership, saved: Iterable[SavedSearch]) -> Iterator[tuple[SavedSearch, str]]:
    """Saved searches and how many each finds, for as long as that is quick."""
    until = monotonic() + PATIENCE
    for one in saved:
        if monotonic() > until:
            return
        try:
            found = search_engine.count(member, Search.read(QueryDict(one.address)), MOST_BESIDE)
        except Http404:  # it names a collection that is gone
            found = 0
        yield one, written(found, MOST_BESIDE)


def with_sizes(
    member: Membership, collections: QuerySet[Collection], most: int
) -> list[tuple[Collection, str]]:
    """The first collections and how many of their images the member may see, in one question."""
    sized = collections.annotate(size=Rows(_inside(member).values("pk")[: MOST_BESIDE + 1]))[:most]
    return [(one, written(one.size, MOST_BESIDE)) for one in sized]


def with_covers(member: Membership, collections: QuerySet[Collection]) -> QuerySet[Collection]:
    """Collections with the id of the newest image that the member may see in each, as `cover`."""
    newest = _inside(member).order_by("-image_id").values("image_id")[:1]
    return collections.annotate(cover=Subquery(newest, output_field=UUIDField()))


def _inside(member: Membership) -> QuerySet[Collected]:
    """What lies in a collection of the question around it, as far as the member may see it."""
    seen: QuerySet[Any] = Image.objects.filter(
        seen_by(member), Q(trashed_at__isnull=True), pk=OuterRef("image_id")
    )
    return Collected.objects.filter(Exists(seen), collection=OuterRef("pk"))


def written(number: int, most: int) -> str:
    """A number as people read it: 2,418 or 10,000+."""
    figures = number_format(min(number, most), force_grouping=True)
    return f"{figures}+" if number > most else figures
