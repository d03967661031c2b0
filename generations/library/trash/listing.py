"""What lies in the trash, the newest first, as far as a member may bring it back."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.images import service as images_service
from generations.library.models import BulkAction

if TYPE_CHECKING:
    from generations.library.models import Image
    from generations.teams.models import Membership

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page:
    """Some images, and where the next page begins."""

    images: list[Image]
    further: str


def page(member: Membership, *, after: str = "", size: int) -> Page:
    """The next images in the trash. ValueError if `after` is not what an earlier page gave."""
    rows = images_service.in_trash(member).filter(_beyond(after) if after else Q())
    found = list(rows.order_by("-trashed_at", "-id")[: size + 1])
    return Page(found[:size], _landmark(found[size - 1]) if len(found) > size else "")


def count(member: Membership, most: int = bulk_service.MAX_IMAGES) -> int:
    """How many there are; one more than `most` stands for all larger numbers."""
    return images_service.in_trash(member).order_by()[: most + 1].count()


def ids(member: Membership) -> list[uuid.UUID]:
    """The newest of them, as many as may be acted on at once."""
    rows = images_service.in_trash(member).order_by("-trashed_at", "-id")
    return list(rows.values_list("pk", flat=True)[: bulk_service.MAX_IMAGES])


def days_left(image: Image) -> int:
    """For how many days more an image can be brought back; 0 if it is deleted at any moment."""
    if image.trashed_at is None:
        return settings.TRASH_DAYS
    left = image.trashed_at + timedelta(days=settings.TRASH_DAYS) - timezone.now()
    return max(0, math.ceil(left / timedelta(days=1)))


def under_way(member: Membership) -> list[BulkAction]:
    """What the member told the trash to do, and what is not done yet."""
    kinds = [bulk_actions.Restore.name, bulk_actions.Purge.name]
    mine = BulkAction.objects.filter(member=member, kind__in=kinds, ended_at=None)
    return list(mine.order_by("created_at")[:10])


def _landmark(image: Image) -> str:
    """Where a page ended, whatever becomes of its last image."""
    if image.trashed_at is None:
        raise ValueError
    return f"{(image.trashed_at - EPOCH) // MICROSECOND}.{image.pk}"


def _beyond(landmark: str) -> Q:
    """Past the landmark; the first part says it roughly, so that an index is walked."""
    moment, _dot, image = landmark.partition(".")
    if not (moment.isascii() and moment.isdecimal() and len(moment) < 18):
        raise ValueError
    at, pk = EPOCH + int(moment) * MICROSECOND, uuid.UUID(image)
    return Q(trashed_at__lte=at) & (Q(trashed_at__lt=at) | Q(pk__lt=pk))
