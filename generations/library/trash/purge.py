"""Leaving the library for good: rows at once, objects once it is certain that nothing refers to them.

Everything here may run twice, or stop halfway: a line of `DiscardedObject` stays until its object is gone.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.models import DiscardedObject, Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import listing as storage_listing

if TYPE_CHECKING:
    from generations.teams.models import Membership

AT_ONCE = 500  # rows of one transaction
MOST_BATCHES = 40  # of one run
TURN = 60.0  # seconds that removing objects takes before others have the worker
SHARED = "uploads/"  # objects named by their bytes alone: somebody may bring the same picture at any moment
SETTLED = timedelta(hours=1)  # far longer than bringing a picture takes

log = logging.getLogger(__name__)


@transaction.atomic
def purge(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Delete for good what the member could bring back from the trash; which. Lines of the ledger stay."""
    gone = images_service.in_trash(member).filter(pk__in=images).lock()
    _delete(gone)
    return gone


def delete_expired() -> int:
    """Delete for good what lay in the trash for longer than TRASH_DAYS; how many images."""
    deleted = 0
    for _batch in range(MOST_BATCHES):
        deleted += (gone := _delete_longest())
        if gone < AT_ONCE:
            break
    return deleted


def remove_objects() -> int:
    """Remove the objects of rows that are gone, unless others refer to them; how many. Needs storage."""
    removed, last, until = 0, 0, monotonic() + TURN
    while monotonic() < until and storage_client.is_up():
        waiting = list(DiscardedObject.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE])
        if not waiting:
            break
        last = waiting[-1].pk
        try:
            removed += _remove(waiting)
        except storage_client.StorageUnavailable as problem:
            log.warning("The rest of the discarded objects is removed later: %s", problem)
            break
    return removed


def discard(keys: Iterable[str]) -> None:
    """Write down objects that no row needs, so that `remove_objects` removes those that still none needs."""
    # An older line is written anew: whoever is about to take it back waits for us, and then looks again.
    DiscardedObject.objects.bulk_create(
        [DiscardedObject(key=key) for key in sorted(set(keys))],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["discarded_at"],
    )


def referred_to(keys: Collection[str]) -> set[str]:
    """Those of these objects that belong to a row."""
    images, uploads = (
        kind.objects.filter(key__in=keys).values_list("key", flat=True) for kind in (Image, Upload)
    )
    return {*images, *uploads}


@transaction.atomic
def _delete_longest() -> int:
    """Delete those that lie in the trash longest, if that is too long; how many."""
    expired = Image.objects.filter(trashed_at__lt=timezone.now() - timedelta(days=settings.TRASH_DAYS))
    longest = list(expired.order_by("trashed_at").values_list("pk", flat=True)[:AT_ONCE])
    gone = expired.filter(pk__in=longest).lock()
    _delete(gone)
    return len(gone)


def _delete(images: list[uuid.UUID]) -> None:
    """Delete rows, and write down which objects were theirs."""
    keys = list(Image.objects.filter(pk__in=images).values_list("key", flat=True))
    keys += [
        storage_client.thumbnail_key(image=image, size=size) for image in images for size in thumbnails.WIDTHS
    ]
    Image.objects.filter(pk__in=images).delete()
    discard(keys)


def _remove(waiting: list[DiscardedObject]) -> int:
    """Remove the objects of some lines, and the lines; how many objects."""
    needed = referred_to([line.key for line in waiting])
    delicate = {line.pk for line in waiting if line.key in needed or line.key.startswith(SHARED)}
    alone = {line.key: line.pk for line in waiting if line.pk not in delicate}
    gone = storage_listing.remove_several(alone)
    DiscardedObject.objects.filter(pk__in=[alone[key] for key in gone]).delete()
    return len(gone) + sum(map(_remove_unless_needed, sorted(delicate)))


@transaction.atomic
def _remove_unless_needed(pk: int) -> bool:
    """Remove an object that others may need or just bring; True if it is gone. Raises StorageUnavailable.

    Whoever brings the same picture deletes the line after entering a row, waits for this lock there, and
    then looks whether the object is still in its place (`uploads.keep`).
    """
    line = DiscardedObject.objects.select_for_update().filter(pk=pk).first()
    if line is None:
        return False
    removes = not referred_to([line.key])
    if removes:
        try:
            if storage_client.head(line.key).modified_at > timezone.now() - SETTLED:
                return False
            storage_listing.remove(line.key)
        except storage_client.Missing:
            removes = False
    line.delete()
    return removes
