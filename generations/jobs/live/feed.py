"""A member's batches on Create, newest first, with a tile for each image."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from generations.core.prepared_queries import Param, PreparedFew, PreparedQuery
from generations.jobs import follow_ups
from generations.jobs.engine import half_done, queue_position
from generations.jobs.follow_ups import FollowUps
from generations.jobs.models import Attempt, Batch, BatchInput, Generation, Outcome, Status
from generations.library.models import Favourite, Image
from generations.teams.models import Membership, Role, User

PAGE_SIZE = 12  # batches
PICTURES = 40  # a page ends with the batch that brings it to so many
FIRST_PICTURES = 20  # the same for Create itself, whose first screen shows no more
AHEAD = 4  # batches from the one on up, at which a page begins
INPUTS = "inputs__upload"
SMALL, LARGE = "small", "large"  # sizes of the pictures, as a person chooses

_newest = PreparedQuery(
    lambda: (
        Batch.objects.select_related("start_image")
        .filter(member=Param("member"))
        .order_by("-pk")[: PAGE_SIZE + 1]
    )
)
_inputs = PreparedFew(
    lambda wanted: (
        BatchInput.objects.select_related("upload").filter(wanted("batch")).order_by("role", "position")
    )
)
_rows = PreparedFew(lambda wanted: Generation.objects.filter(wanted("batch")).order_by("position", "pk"))
_favourites = PreparedFew(
    lambda wanted: Favourite.objects.filter(wanted("image")).values_list("member", "image")
)


def _images_for_role(role: Role) -> PreparedFew[Image]:
    anybody = Membership(pk=Param("member"), team_id=Param("team"), role=role)
    return PreparedFew(lambda wanted: Image.objects.visible_to(anybody).filter(wanted("generation")))


_images_for = {role: _images_for_role(role) for role in Role}
_waiting = PreparedQuery(
    lambda: (
        Generation.objects.filter(member=Param("member"), status=Status.QUEUED)
        .order_by()
        .values("member")
        .annotate(count=Count("pk"))
        .values_list("count")
    )
)


@dataclass(frozen=True)
class FeedEntry:
    """A batch with its tiles; `day` is set on the first batch of a day other than today."""

    batch: Batch
    tiles: list[dict[str, Any]]
    day: datetime.date | None = None


@dataclass(frozen=True)
class FeedPage:
    """Batches, newest first; ids to go on from on either side, where there are more."""

    shown: list[FeedEntry]
    newer: uuid.UUID | None
    older: uuid.UUID | None


def page(
    member: Membership,
    *,
    before: uuid.UUID | None = None,
    after: uuid.UUID | None = None,
    at: uuid.UUID | None = None,
    pictures: int = PICTURES,
) -> FeedPage:
    """The newest batches, those that come `before` or `after` one, or one (`at`) and those around it.

    Either part of it ends with the batch that brings it to so many pictures. In a fixed number of queries.
    """
    every = Batch.objects.filter(member=member).select_related("start_image")
    shown: list[Batch] = []
    newer = older = None
    if after or at:
        ahead = every.filter(pk__gt=after) if after else every.filter(pk__gte=at)
        shown, newer = _part(ahead.order_by("pk"), PAGE_SIZE if after else AHEAD, pictures)
        shown.reverse()
    if not after:
        last = at or before
        rest = every.filter(pk__lt=last).order_by("-pk") if last else _newest.all(member=member.pk)
        behind, older = _part(rest, PAGE_SIZE, pictures)
        shown += behind
    _complete(shown)
    return FeedPage(_by_day(member, entries_of(member, shown)), newer, older)


def _complete(batches: Sequence[Batch]) -> None:
    """Read the generations of these batches and the pictures that they were made from, in two queries."""
    known = {batch.pk: batch for batch in batches}
    for batch in batches:
        batch.all_generations, batch.all_inputs = [], []
    for row in _rows.all(list(known)):
        row.batch = known[row.batch_id]
        row.batch.all_generations.append(row)
    for each in _inputs.all(list(known)):
        each.batch = known[each.batch_id]
        each.batch.all_inputs.append(each)


def _part(
    rows: QuerySet[Batch] | list[Batch], most: int, pictures: int
) -> tuple[list[Batch], uuid.UUID | None]:
    """The first of these batches, up to `most` or enough pictures, and where to go on if there are more."""
    found = list(rows[: most + 1])
    size = count = 0
    while size < min(most, len(found)) and count < pictures:
        count += found[size].count
        size += 1
    return found[:size], found[size - 1].pk if len(found) > size else None


def batch_of(member: Membership, shown: uuid.UUID) -> uuid.UUID | None:
    """The batch of the member that has this image or generation; None if there is none."""
    made = Image.objects.filter(pk=shown).values("generation")
    rows = member.generations.filter(Q(pk=shown) | Q(pk__in=made))
    return rows.values_list("batch", flat=True).first()


def size_of(user: User) -> str:
    """How large the person wants to see the pictures."""
    chosen = user.preferences.get("stream")
    return LARGE if isinstance(chosen, dict) and chosen.get("size") == LARGE else SMALL


def batches() -> QuerySet[Batch]:
    """Batches with the pictures that they were made from."""
    return Batch.objects.select_related("start_image").prefetch_related(INPUTS)


def count_waiting(member: Membership) -> int:
    """The number of the member's waiting generations."""
    return sum(count for (count,) in _waiting.rows(member=member.pk))


def entries_of(member: Membership, batches: Iterable[Batch]) -> list[FeedEntry]:
    """These batches with the contexts of their tiles, in a fixed number of queries."""
    rows = {batch.pk: _latest(batch.all_generations) for batch in batches}
    every = [row for of_batch in rows.values() for row in of_batch]
    images = _images(member, every)
    liked = favourites([image for of_row in images.values() for image in of_row])
    offered = follow_ups.of_images(member, [image for of_row in images.values() for image in of_row])
    positions, tasks = queue_position.positions_of(every), open_tasks(every)
    return [
        FeedEntry(
            batch,
            [
                {
                    "generation": row,
                    **results(images.get(row.pk, []), offered),
                    "is_favourite": is_favourite(member, images.get(row.pk, []), liked),
                    "queue_position": positions.get(row.pk),
                    "task": tasks.get(row.pk),
                    "member": member,
                }
                for row in rows[batch.pk]
            ],
        )
        for batch in batches
    ]


def results(images: Sequence[Image], offered: Mapping[uuid.UUID, FollowUps]) -> dict[str, Any]:
    """What a tile shows of a generation's results, which are in order: the first, and how many more."""
    first = images[0] if images else None
    return {
        "image": first,
        "more": max(0, len(images) - 1),
        "follow_ups": offered.get(first.pk) if first else None,
    }


def favourites(images: Iterable[Image]) -> set[tuple[int, uuid.UUID]]:
    """Who has which of these images among their favourites; no query for no image."""
    return {(member, image) for member, image in _favourites.rows([image.pk for image in images])}


def is_favourite(member: Membership, images: Sequence[Image], liked: set[tuple[int, uuid.UUID]]) -> bool:
    """Whether the image that a tile shows of a generation's is a favourite of the member."""
    return bool(images) and (member.pk, images[0].pk) in liked


def open_tasks(rows: Iterable[Generation]) -> dict[uuid.UUID, Attempt]:
    """The attempts of those generations that a provider has accepted as tasks, by generation."""
    submitted = [row.pk for row in rows if row.status == Status.SUBMITTED]
    if not submitted:
        return {}
    found = Attempt.objects.filter(generation__in=submitted, outcome=Outcome.ACCEPTED).order_by("number")
    tasks = {attempt.generation_id: attempt for attempt in found}
    for generation, version in half_done.versions(tasks).items():
        tasks[generation].half_done = version
    return tasks


def _latest(rows: Iterable[Generation]) -> list[Generation]:
    """The generations of a batch without those that were retried."""
    every = list(rows)
    retried = {row.retry_of_id for row in every}
    return [row for row in every if row.pk not in retried]


def by_generation(images: Iterable[Image]) -> dict[uuid.UUID | None, list[Image]]:
    """Images by their generation, in the order of its results."""
    found: dict[uuid.UUID | None, list[Image]] = defaultdict(list)
    for image in sorted(images, key=lambda image: image.position):
        found[image.generation].append(image)
    return found


def _images(member: Membership, rows: Iterable[Generation]) -> dict[uuid.UUID | None, list[Image]]:
    found = _images_for[Role(member.role)].all(
        [row.pk for row in rows], member=member.pk, team=member.team_id
    )
    return by_generation(found)


def _by_day(member: Membership, found: list[FeedEntry]) -> list[FeedEntry]:
    """Set `day` where a day other than today begins, in the member's time zone."""
    zone = member.tzinfo
    current = timezone.now().astimezone(zone).date()
    marked = []
    for entry in found:
        day = entry.batch.created_at.astimezone(zone).date()
        marked.append(FeedEntry(entry.batch, entry.tiles, day if day != current else None))
        current = day
    return marked
