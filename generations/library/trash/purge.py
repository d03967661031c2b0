"""Delete images for good: the rows at once, their objects once no row refers to them.

Everything here may run twice or stop halfway: a `DiscardedObject` stays until its object is removed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.models import DiscardedObject, Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.teams.models import Membership

BATCH_SIZE = 500  # rows of one transaction
MAX_BATCHES = 40  # of one run
TIME_LIMIT = 60.0  # seconds that one run removes objects, so that other tasks get the worker
SHARED_PREFIX = "uploads/"  # keys made from the hash alone: the same picture may be uploaded at any time
UNUSED_AFTER = timedelta(days=30)  # until a start image is deleted that no request was made with
MIN_AGE = timedelta(hours=1)  # of a shared object that is removed; far longer than an upload takes

log = logging.getLogger(__name__)

PurgeListener = Callable[[Collection[uuid.UUID]], object]
_listeners: list[PurgeListener] = []


def add_listener(listener: PurgeListener) -> None:
    """Call `listener` with the generations of images that are deleted for good, in the same transaction.

    The library must not import what keeps the requests of these images.
    """
    if listener not in _listeners:
        _listeners.append(listener)


@transaction.atomic
def purge(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Delete for good those of the images that the member could restore from the trash; return their ids.

    Ledger entries stay.
    """
    purged = images_service.in_trash(member).filter(pk__in=images).lock()
    delete(purged)
    return purged


def delete_expired() -> int:
    """Delete images that were in the trash for longer than TRASH_DAYS; return how many."""
    total = 0
    for _batch in range(MAX_BATCHES):
        total += (deleted := _delete_expired_batch())
        if deleted < BATCH_SIZE:
            break
    return total


def remove_discarded() -> int:
    """Remove discarded objects that no row refers to; return how many. Does nothing while storage is away."""
    removed, last, until = 0, 0, monotonic() + TIME_LIMIT
    while monotonic() < until and storage_client.is_up():
        batch = list(DiscardedObject.objects.filter(pk__gt=last).order_by("pk")[:BATCH_SIZE])
        if not batch:
            break
        last = batch[-1].pk
        try:
            removed += _remove(batch)
        except storage_client.StorageUnavailable as error:
            log.warning("Discarded objects could not be removed; they are removed later: %s", error)
            break
    return removed


def delete(images: Collection[uuid.UUID]) -> None:
    """Delete images for good, wherever they are: rows, objects, and by the listeners their requests.

    The caller is in a transaction and has locked the rows.
    """
    rows = list(Image.objects.filter(pk__in=images).values_list("key", "generation"))
    keys = [key for key, _generation in rows]
    keys += [
        storage_keys.thumbnail_key(image=image, size=size) for image in images for size in thumbnails.WIDTHS
    ]
    Image.objects.filter(pk__in=images).delete()
    discard(keys)
    if generations := {generation for _key, generation in rows if generation}:
        for listener in _listeners:
            listener(generations)


@transaction.atomic
def delete_unused_uploads() -> int:
    """Delete start images that no batch refers to and that are older than UNUSED_AFTER; return how many."""
    unused = Upload.objects.filter(batches=None, created_at__lt=timezone.now() - UNUSED_AFTER)
    return delete_uploads(list(unused.order_by("created_at").values_list("pk", flat=True)[:BATCH_SIZE]))


def delete_uploads(uploads: Collection[uuid.UUID]) -> int:
    """Delete those uploads that no batch refers to; return how many. The caller is in a transaction."""
    rows = Upload.objects.filter(pk__in=uploads, batches=None, inputs=None)
    keys = dict(Upload.objects.filter(pk__in=rows).select_for_update().values_list("pk", "key"))
    Upload.objects.filter(pk__in=keys).delete()
    discard(keys.values())
    return len(keys)


def discard(keys: Iterable[str]) -> None:
    """Record objects as discarded: `remove_discarded` removes those that no row refers to by then."""
    # Updating an existing row makes a transaction that is about to delete it wait, and check again after us.
    DiscardedObject.objects.bulk_create(
        [DiscardedObject(key=key) for key in sorted(set(keys))],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["discarded_at"],
    )


def referenced(keys: Collection[str]) -> set[str]:
    """Those of the keys that an image or an upload refers to."""
    images, uploads = (
        model.objects.filter(key__in=keys).values_list("key", flat=True) for model in (Image, Upload)
    )
    return {*images, *uploads}


@transaction.atomic
def _delete_expired_batch() -> int:
    """Delete one batch of expired images, oldest first; return how many."""
    expired = Image.objects.filter(trashed_at__lt=timezone.now() - timedelta(days=settings.TRASH_DAYS))
    oldest = list(expired.order_by("trashed_at").values_list("pk", flat=True)[:BATCH_SIZE])
    images = expired.filter(pk__in=oldest).lock()
    delete(images)
    return len(images)


def _remove(batch: list[DiscardedObject]) -> int:
    """Remove a batch of discarded objects and their rows; return how many objects are gone."""
    referenced_keys = referenced([row.key for row in batch])
    contended = {row.pk for row in batch if row.key in referenced_keys or row.key.startswith(SHARED_PREFIX)}
    unshared = {row.key: row.pk for row in batch if row.pk not in contended}
    gone = storage_client.remove_many(unshared)
    DiscardedObject.objects.filter(pk__in=[unshared[key] for key in gone]).delete()
    return len(gone) + sum(map(_remove_unless_referenced, sorted(contended)))


@transaction.atomic
def _remove_unless_referenced(pk: int) -> bool:
    """Remove an object that another row may refer to; True if it is gone. Raises StorageUnavailable.

    An upload of the same picture deletes the DiscardedObject after adding its own row, waits for this lock,
    and then checks that the object still exists (`input_images.store`).
    """
    row = DiscardedObject.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    removes = not referenced([row.key])
    if removes:
        try:
            if storage_client.head(row.key).modified_at > timezone.now() - MIN_AGE:
                return False
            storage_client.remove(row.key)
        except storage_client.ObjectMissing:
            removes = False
    row.delete()
    return removes
