"""Leaving the library for good: rows at once, objects once it is certain that nothing refers to them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction

from . import catalog, storage, thumbnails
from .models import DiscardedObject, Image

if TYPE_CHECKING:
    from generations.teams.models import Membership


@transaction.atomic
def purge(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Delete for good what the member could bring back from the trash; which. Lines of the ledger stay."""
    gone = catalog.in_trash(member).filter(pk__in=images).locked()
    _delete(gone)
    return gone


def _delete(images: list[uuid.UUID]) -> None:
    """Delete rows, and write down which objects were theirs."""
    keys = list(Image.objects.filter(pk__in=images).values_list("key", flat=True))
    keys += [storage.thumbnail_key(image=image, size=size) for image in images for size in thumbnails.WIDTHS]
    Image.objects.filter(pk__in=images).delete()
    DiscardedObject.objects.bulk_create([DiscardedObject(key=key) for key in keys], ignore_conflicts=True)
