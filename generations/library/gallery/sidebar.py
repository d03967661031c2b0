"""What stands beside the pictures: saved searches, and the collections used last."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet

from generations.library.gallery import counts as gallery_counts
from generations.library.models import Collection, Image, SavedSearch
from generations.library.search import tokenizer
from generations.teams.models import Visibility

if TYPE_CHECKING:
    from generations.teams.models import Membership

SHOWN = 12  # of a kind
PAGE = 60
MOST_NAMES = 5_000  # collections whose names are looked through


@dataclass(frozen=True)
class Shelf:
    """Collections of a kind: those used last, and how many there are."""

    shown: list[Collection]
    total: int


@dataclass(frozen=True)
class Beside:
    """The left side of the library."""

    saved: list[SavedSearch]
    team: Shelf
    own: Shelf

    @property
    def collections(self) -> list[Collection]:
        """All that are shown."""
        return [*self.team.shown, *self.own.shown]


def beside(member: Membership) -> Beside:
    """What stands on the left, whatever there is: four questions."""
    visible = Collection.objects.visible_to(member)
    is_team = Q(visibility=Visibility.TEAM)
    totals = visible.aggregate(team=Count("pk", filter=is_team), own=Count("pk", filter=~is_team))
    shelves = {
        kind: Shelf(_used_last(member, visible.filter(chosen)), totals[kind])
        for kind, chosen in (("team", is_team), ("own", ~is_team))
    }
    return Beside(saved=saved_searches(member), **shelves)


def saved_searches(member: Membership) -> list[SavedSearch]:
    """The member's and the team's, by name."""
    return list(SavedSearch.objects.visible_to(member).order_by("name", "pk")[: 4 * SHOWN])


def _used_last(member: Membership, collections: QuerySet[Collection]) -> list[Collection]:
    newest = gallery_counts.with_covers(member, collections).order_by("-changed_at", "-pk")
    return illustrated(newest[:SHOWN])


def illustrated(collections: Iterable[Collection]) -> list[Collection]:
    """Collections, each with its newest image as far as a thumbnail needs one."""
    shown = list(collections)
    for one in shown:
        cover = getattr(one, "cover", None)
        one.newest = Image(pk=cover) if cover else None  # type: ignore[attr-defined]
    return shown


def page(
    member: Membership, *, named: str = "", after: Collection | None = None
) -> tuple[list[tuple[Collection, str]], Collection | None]:
    """Collections that are named so, those used last first, with their sizes; and where to go on."""
    found = Collection.objects.visible_to(member).select_related("owner__user")
    if named:
        found = found.filter(pk__in=_named(found, named))
    if after:
        same = Q(changed_at=after.changed_at, pk__lt=after.pk)
        found = found.filter(Q(changed_at__lt=after.changed_at) | same)
    ordered = gallery_counts.with_covers(member, found).order_by("-changed_at", "-pk")
    rows = gallery_counts.with_sizes(member, ordered, PAGE + 1)
    illustrated(collection for collection, _size in rows)
    return rows[:PAGE], rows[PAGE - 1][0] if len(rows) > PAGE else None


def _named(collections: QuerySet[Collection], text: str) -> list[uuid.UUID]:
    """Those whose names contain these words; the same on both databases, which know case differently."""
    wanted = tokenizer.folded(text).split()
    names = collections.order_by("-changed_at").values_list("pk", "name")[:MOST_NAMES]
    return [pk for pk, name in names if all(word in tokenizer.folded(name) for word in wanted)]
