"""The library's sidebar: saved searches and the collections changed last; and the page of all collections."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Count, Q, QuerySet

from generations.core.prepared_queries import Param, PreparedQuery
from generations.library.gallery import counts as gallery_counts
from generations.library.models import Collection, Image, SavedSearch, visible_as, visible_to
from generations.library.search import tokenizer
from generations.teams.models import Membership, Visibility

MAX_SHOWN = 12  # collections of a group
PAGE_SIZE = 60
MAX_NAMES = 5_000  # collections whose names are compared


@dataclass(frozen=True)
class CollectionGroup:
    """The team's or the member's own collections: those changed last, and how many there are."""

    shown: list[Collection]
    total: int


@dataclass(frozen=True)
class Sidebar:
    """The contents of the sidebar."""

    saved: list[SavedSearch]
    team: CollectionGroup
    own: CollectionGroup

    @property
    def collections(self) -> list[Collection]:
        """All collections in the sidebar."""
        return [*self.team.shown, *self.own.shown]


_totals = PreparedQuery(
    lambda: (
        Collection.objects.visible_as(Param("member"), Param("team"))
        .values("visibility")
        .annotate(total=Count("pk"))
        .values_list("visibility", "total")
    )
)
_saved = PreparedQuery(
    lambda: SavedSearch.objects.visible_as(Param("member"), Param("team")).order_by("name", "pk")[
        : 4 * MAX_SHOWN
    ]
)


def load(member: Membership) -> Sidebar:
    """Return the sidebar's contents, in four queries."""
    rows = _totals.rows(member=member.pk, team=member.team_id)
    totals: dict[str, int] = {visibility: total for visibility, total in rows}  # noqa: C416  rows are sequences
    groups = []
    for visibility in (Visibility.TEAM, Visibility.PRIVATE):
        shown = _changed_last(member.role, visibility).all(member=member.pk, team=member.team_id)
        groups.append(CollectionGroup(with_newest_image(shown), totals.get(visibility, 0)))
    return Sidebar(saved_searches(member), *groups)


def with_sizes(member: Membership, side: Sidebar) -> Sidebar:
    """Give collections and saved searches `size_text`: how many images the member sees there."""
    collections = Collection.objects.filter(pk__in=[each.pk for each in side.collections])
    counted = gallery_counts.collection_counts(member, collections, 2 * MAX_SHOWN)
    sizes: dict[object, str] = {each.pk: size for each, size in counted}
    sizes |= {each.pk: size for each, size in gallery_counts.saved_search_counts(member, side.saved)}
    shown: list[Any] = [*side.collections, *side.saved]
    for each in shown:
        each.size_text = sizes.get(each.pk, "")
    return side


def saved_searches(member: Membership) -> list[SavedSearch]:
    """Return the member's and the team's saved searches, by name."""
    return _saved.all(member=member.pk, team=member.team_id)


@lru_cache
def _changed_last(role: str, visibility: Visibility) -> PreparedQuery[Collection]:
    """The visible collections of a group that were changed last, for members of that role."""

    def build() -> QuerySet[Collection]:
        member, team = Param("member"), Param("team")
        shown = Collection.objects.visible_as(member, team).filter(visibility=visibility)
        covered = gallery_counts.with_covers(visible_as(role, member, team), shown)
        return covered.order_by("-changed_at", "-pk")[:MAX_SHOWN]

    return PreparedQuery(build)


def with_newest_image(collections: Iterable[Collection]) -> list[Collection]:
    """Return collections with `newest`: the newest image, with only the id that a thumbnail's URL needs."""
    shown = list(collections)
    for each in shown:
        cover = getattr(each, "cover", None)
        each.newest = Image(pk=cover) if cover else None  # type: ignore[attr-defined]
    return shown


def collection_page(
    member: Membership, *, name: str = "", after: Collection | None = None
) -> tuple[list[tuple[Collection, str]], Collection | None]:
    """Return collections with their counts, changed last first, and the last one if there are more."""
    found = Collection.objects.visible_to(member).select_related("owner__user")
    if name:
        found = found.filter(pk__in=_matching(found, name))
    if after:
        same = Q(changed_at=after.changed_at, pk__lt=after.pk)
        found = found.filter(Q(changed_at__lt=after.changed_at) | same)
    ordered = gallery_counts.with_covers(visible_to(member), found).order_by("-changed_at", "-pk")
    rows = gallery_counts.collection_counts(member, ordered, PAGE_SIZE + 1)
    with_newest_image(collection for collection, _size in rows)
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1][0] if len(rows) > PAGE_SIZE else None


def _matching(collections: QuerySet[Collection], text: str) -> list[uuid.UUID]:
    """Those with these words in their name; compared here because databases fold case differently."""
    wanted = tokenizer.fold(text).split()
    names = collections.order_by("-changed_at").values_list("pk", "name")[:MAX_NAMES]
    return [pk for pk, name in names if all(word in tokenizer.fold(name) for word in wanted)]
