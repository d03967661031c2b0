"""The stream of Create: my batches, newest first, with a tile for each image from the first moment."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.utils import timezone

from generations.jobs.engine import queue_position
from generations.jobs.models import Batch, Generation, Status
from generations.library.models import Image

if TYPE_CHECKING:
    from generations.teams.models import Membership

PAGE = 12


@dataclass(frozen=True)
class Shown:
    """A batch with its tiles; `day` only on the first of a day that is not today."""

    batch: Batch
    tiles: list[dict[str, Any]]
    day: datetime.date | None = None


def page(member: Membership, before: uuid.UUID | None = None) -> tuple[list[Shown], uuid.UUID | None]:
    """A page of my batches older than `before`, and the last one's id if there are more. Five queries."""
    rows = Generation.objects.order_by("position", "pk")
    batches = Batch.objects.filter(member=member).select_related("start_image").order_by("-pk")
    batches = batches.prefetch_related(Prefetch("generations", queryset=rows))
    if before:
        batches = batches.filter(pk__lt=before)
    found = list(batches[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    return _by_day(member, shown(member, found[:PAGE])), older


def waiting(member: Membership) -> int:
    """How many of mine wait, wherever in the stream they are."""
    return Generation.objects.filter(member=member, status=Status.QUEUED).count()


def shown(member: Membership, batches: Iterable[Batch]) -> list[Shown]:
    """These batches with all that their tiles need, whatever their number in the same few queries."""
    rows = {batch.pk: _latest(batch.generations.all()) for batch in batches}
    every = [row for of_batch in rows.values() for row in of_batch]
    images = _images(member, every)
    places = queue_position.positions_of(every)
    return [
        Shown(
            batch,
            [
                {
                    "generation": row,
                    "image": images.get(row.pk),
                    "place": places.get(row.pk),
                    "member": member,
                }
                for row in rows[batch.pk]
            ],
        )
        for batch in batches
    ]


def _latest(rows: Iterable[Generation]) -> list[Generation]:
    """The rows of a batch without those that were asked for again."""
    every = list(rows)
    repeated = {row.retry_of_id for row in every}
    return [row for row in every if row.pk not in repeated]


def _images(member: Membership, rows: Iterable[Generation]) -> dict[uuid.UUID | None, Image]:
    found = Image.objects.visible_to(member).filter(generation__in=[row.pk for row in rows])
    return {image.generation: image for image in found.order_by("-position")}


def _by_day(member: Membership, found: list[Shown]) -> list[Shown]:
    """Mark where a day other than today begins, as the team's clock says."""
    zone = ZoneInfo(member.team.time_zone)
    current = timezone.now().astimezone(zone).date()
    marked = []
    for entry in found:
        day = entry.batch.created_at.astimezone(zone).date()
        marked.append(Shown(entry.batch, entry.tiles, day if day != current else None))
        current = day
    return marked
