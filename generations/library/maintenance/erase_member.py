"""Erase what a member keeps for themselves in the library. What the team sees stays the team's."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models.functions import Now

from generations.library.maintenance.check import batched
from generations.library.models import (
    Archive,
    BulkAction,
    Collection,
    CollectionImage,
    Favourite,
    Image,
    SavedSearch,
    Share,
)
from generations.library.search import indexer
from generations.library.trash import purge as trash_purge
from generations.teams.models import Membership, Visibility


@transaction.atomic
def erase_member(member: Membership) -> None:
    """Delete private images for good, private collections and searches, favourites, zips and bulk actions.

    Links of the member are revoked, and lose their titles.
    """
    while images := _private_images(member):
        trash_purge.delete(images)
    _delete_marks(member)
    SavedSearch.objects.filter(owner=member, visibility=Visibility.PRIVATE).delete()
    Archive.objects.filter(member=member).delete()
    actions = BulkAction.objects.filter(member=member)
    actions.update(undoes=None)
    actions.delete()
    links = Share.objects.filter(maker=member)
    links.filter(revoked_at=None).update(revoked_at=Now())
    links.update(title="", password="")


def _delete_marks(member: Membership) -> None:
    """Delete the member's private collections and favourites, also from the index of the images in them."""
    collections = Collection.objects.filter(owner=member, visibility=Visibility.PRIVATE)
    favourites = Favourite.objects.filter(member=member)
    collected = CollectionImage.objects.filter(collection__in=collections)
    marked = {*collected.values_list("image", flat=True), *favourites.values_list("image", flat=True)}
    collections.delete()
    favourites.delete()
    for images in batched(sorted(marked)):
        indexer.refresh(images)


def _private_images(member: Membership) -> list[uuid.UUID]:
    """The next batch of the member's private images, in the trash or not, locked."""
    rows = Image.objects.filter(owner=member, visibility=Visibility.PRIVATE).order_by("pk")
    return Image.objects.filter(
        pk__in=list(rows.values_list("pk", flat=True)[: trash_purge.BATCH_SIZE])
    ).lock()
