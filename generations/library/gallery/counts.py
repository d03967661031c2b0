"""Counts on the library's page, each bounded: larger ones are "10,000+", slow ones are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.http import Http404, QueryDict
from django.utils.formats import number_format

from generations.core.count_rows import CountRows
from generations.library.images import service as images_service
from generations.library.models import Collection, CollectionImage, Image, SavedSearch, visible_to
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.models import Membership, Role

MAX_COUNT = 10_000  # of all images, and of a search
MAX_SIDEBAR_COUNT = 1_000  # of a collection, and of a saved search
TIME_BUDGET = 0.3  # seconds for all saved searches together


@dataclass(frozen=True)
class PageCounts:
    """The counts of the library's page, formatted."""

    everything: str
    favourites: str
    mine: str
    trash: str
    found: str
    found_number: int
    is_all: bool


def page_counts(member: Membership, search: Search) -> PageCounts:
    """Count the library's own entries and the results of the search. Http404 as `search.engine.page`."""
    everything = search_engine.count(member, Search(), MAX_COUNT)
    found = everything if search.is_everything else search_engine.count(member, search, MAX_COUNT)
    trashed = images_service.in_trash(member).order_by().values("pk")[: MAX_COUNT + 1].count()
    return PageCounts(
        everything=format_count(everything, MAX_COUNT),
        favourites=format_count(search_engine.count(member, Search(liked=True), MAX_COUNT), MAX_COUNT),
        mine=format_count(_count_own(member), MAX_COUNT),
        trash=format_count(trashed, MAX_COUNT),
        found=format_count(found, MAX_COUNT),
        found_number=min(found, MAX_COUNT),
        is_all=search.is_everything,
    )


def _count_own(member: Membership) -> int:
    """What `Search(who=(member.pk,))` finds, at most MAX_COUNT + 1, counted in an index by owner."""
    if member.role == Role.VIEWER:  # who does not see private images, not even own ones
        own = Image.objects.visible_to(member)
    else:
        own = Image.objects.filter(trashed_at__isnull=True)
    return own.filter(owner=member).order_by().values("pk")[: MAX_COUNT + 1].count()


def saved_search_counts(
    member: Membership, saved: Iterable[SavedSearch]
) -> Iterator[tuple[SavedSearch, str]]:
    """Yield saved searches with the formatted number of their results, within the time budget."""
    until = monotonic() + TIME_BUDGET
    for each in saved:
        if monotonic() > until:
            return
        try:
            found = search_engine.count(member, Search.from_query(QueryDict(each.address)), MAX_SIDEBAR_COUNT)
        except Http404:  # it names a deleted collection
            found = 0
        yield each, format_count(found, MAX_SIDEBAR_COUNT)


def collection_counts(
    member: Membership, collections: QuerySet[Collection], most: int
) -> list[tuple[Collection, str]]:
    """Return the first collections with the formatted number of images that the member may see; one query."""
    counted = CountRows(_visible_images(visible_to(member)).values("pk")[: MAX_SIDEBAR_COUNT + 1])
    return [
        (each, format_count(each.size, MAX_SIDEBAR_COUNT))
        for each in collections.annotate(size=counted)[:most]
    ]


def with_covers(visible: Q, collections: QuerySet[Collection]) -> QuerySet[Collection]:
    """Annotate collections with `cover`: the id of the newest image that is visible."""
    newest = _visible_images(visible).order_by("-image_id").values("image_id")[:1]
    return collections.annotate(cover=Subquery(newest, output_field=UUIDField()))


def _visible_images(visible: Q) -> QuerySet[CollectionImage]:
    """The images of an outer query's collection that are visible (`library.models.visible_to`)."""
    images: QuerySet[Any] = Image.objects.filter(visible, Q(trashed_at__isnull=True), pk=OuterRef("image_id"))
    return CollectionImage.objects.filter(Exists(images), collection=OuterRef("pk"))


def format_count(number: int, most: int) -> str:
    """Format a count, such as 2,418 or 10,000+."""
    figures = number_format(min(number, most), force_grouping=True)
    return f"{figures}+" if number > most else figures
