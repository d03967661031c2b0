"""Images in the trash that a member may restore, most recently trashed first."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.images import service as images_service
from generations.library.models import BulkAction, Image
from generations.teams.models import Membership

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class TrashPage:
    """One page of images; `next_cursor` is "" on the last one."""

    images: list[Image]
    next_cursor: str


def page(member: Membership, *, after: str = "", size: int) -> TrashPage:
    """The page after a cursor. Raises ValueError or OverflowError for a cursor that no page returned."""
    rows = images_service.in_trash(member).filter(_after(after) if after else Q())
    found = list(rows.order_by("-trashed_at", "-id")[: size + 1])
    return TrashPage(found[:size], _cursor(found[size - 1]) if len(found) > size else "")


def count(member: Membership, most: int = bulk_service.MAX_IMAGES) -> int:
    """How many images the member may restore, counted up to `most` + 1."""
    return images_service.in_trash(member).order_by()[: most + 1].count()


def ids(member: Membership) -> list[uuid.UUID]:
    """The ids of the newest images, at most as many as one bulk action takes."""
    rows = images_service.in_trash(member).order_by("-trashed_at", "-id")
    return list(rows.values_list("pk", flat=True)[: bulk_service.MAX_IMAGES])


def days_left(image: Image) -> int:
    """For how many more days an image can be restored; 0 if it may be deleted at any moment."""
    if image.trashed_at is None:
        return settings.TRASH_DAYS
    left = image.trashed_at + timedelta(days=settings.TRASH_DAYS) - timezone.now()
    return max(0, math.ceil(left / timedelta(days=1)))


def running(member: Membership) -> list[BulkAction]:
    """The member's first ten bulk actions on the trash that have not ended."""
    kinds = [bulk_actions.Restore.name, bulk_actions.Purge.name]
    unfinished = BulkAction.objects.filter(member=member, kind__in=kinds, ended_at=None)
    return list(unfinished.order_by("created_at")[:10])


def _cursor(image: Image) -> str:
    """The position of an image in the list, valid also after the image is restored or deleted."""
    if image.trashed_at is None:
        raise ValueError
    return f"{(image.trashed_at - EPOCH) // MICROSECOND}.{image.pk}"


def _after(cursor: str) -> Q:
    """The rows after a cursor. The first condition is redundant: with it the index is used."""
    microseconds, _dot, image = cursor.partition(".")
    if not (microseconds.isascii() and microseconds.isdecimal() and len(microseconds) < 18):
        raise ValueError
    at, pk = EPOCH + int(microseconds) * MICROSECOND, uuid.UUID(image)
    return Q(trashed_at__lte=at) & (Q(trashed_at__lt=at) | Q(pk__lt=pk))
