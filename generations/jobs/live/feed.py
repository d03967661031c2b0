"""A member's batches on Create, newest first, with a tile for each image."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from generations.jobs import follow_ups
from generations.jobs.engine import queue_position
from generations.jobs.follow_ups import FollowUps
from generations.jobs.models import Attempt, Batch, Generation, Outcome, Status
from generations.library.models import Image
from generations.teams.models import Membership

PAGE_SIZE = 12


@dataclass(frozen=True)
class FeedEntry:
    """A batch with its tiles; `day` is set on the first batch of a day other than today."""

    batch: Batch
    tiles: list[dict[str, Any]]
    day: datetime.date | None = None


def page(member: Membership, before: uuid.UUID | None = None) -> tuple[list[FeedEntry], uuid.UUID | None]:
    """A page of batches older than `before`, and the last one's id if there are more. Six queries."""
    rows = Generation.objects.order_by("position", "pk")
    of_member = batches().filter(member=member).order_by("-pk")
    of_member = of_member.prefetch_related(Prefetch("generations", queryset=rows))
    if before:
        of_member = of_member.filter(pk__lt=before)
    found = list(of_member[: PAGE_SIZE + 1])
    older = found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None
    return _by_day(member, entries_of(member, found[:PAGE_SIZE])), older


def batches() -> QuerySet[Batch]:
    """Batches with the pictures that they were made from."""
    return Batch.objects.select_related("start_image").prefetch_related("inputs__upload")


def count_waiting(member: Membership) -> int:
    """The number of the member's waiting generations."""
    return Generation.objects.filter(member=member, status=Status.QUEUED).count()


def entries_of(member: Membership, batches: Iterable[Batch]) -> list[FeedEntry]:
    """These batches with the contexts of their tiles, in a fixed number of queries."""
    rows = {batch.pk: _latest(batch.generations.all()) for batch in batches}
    every = [row for of_batch in rows.values() for row in of_batch]
    images = _images(member, every)
    offered = follow_ups.of_images(member, [image for of_row in images.values() for image in of_row])
    positions, tasks = queue_position.positions_of(every), open_tasks(every)
    return [
        FeedEntry(
            batch,
            [
                {
                    "generation": row,
                    **results(images.get(row.pk, []), offered),
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


def open_tasks(rows: Iterable[Generation]) -> dict[uuid.UUID, Attempt]:
    """The attempts of those generations that a provider has accepted as tasks, by generation."""
    submitted = [row.pk for row in rows if row.status == Status.SUBMITTED]
    if not submitted:
        return {}
    found = Attempt.objects.filter(generation__in=submitted, outcome=Outcome.ACCEPTED).order_by("number")
    return {attempt.generation_id: attempt for attempt in found}


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
    found = Image.objects.visible_to(member).filter(generation__in=[row.pk for row in rows])
    return by_generation(found)


def _by_day(member: Membership, found: list[FeedEntry]) -> list[FeedEntry]:
    """Set `day` where a day other than today begins, in the team's time zone."""
    zone = ZoneInfo(member.team.time_zone)
    current = timezone.now().astimezone(zone).date()
    marked = []
    for entry in found:
        day = entry.batch.created_at.astimezone(zone).date()
        marked.append(FeedEntry(entry.batch, entry.tiles, day if day != current else None))
        current = day
    return marked
