"""Queries for the page of one image: its tags, collections and batch, as a member sees them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from generations.library.models import Collection, CollectionImage, Favourite, Image, Tag
from generations.library.search.tokenizer import fold
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

MAX_COLLECTIONS = 8  # in the menu of collections
MAX_SIBLINGS = 24


@dataclass(frozen=True)
class ImageDetails:
    """How an image is organised, and what the member may do with it."""

    tags: list[Tag]
    collections: list[Collection]
    is_favourite: bool
    is_own: bool
    is_editable: bool
    is_inherited: bool  # private, of somebody who left: owners see it, and no link shows it


@dataclass(frozen=True)
class CollectionChoice:
    """A collection in the menu, to add the image to or to remove it from."""

    collection: Collection
    contains_image: bool


def details(member: Membership, image: Image) -> ImageDetails:
    """Return how an image is organised, in three queries."""
    collections = Collection.objects.visible_to(member).filter(collection_images__image=image)
    own = image.owner_id == member.pk
    return ImageDetails(
        tags=list(Tag.objects.filter(image_tags__image=image).order_by("key")),
        collections=list(collections.order_by("name", "pk")),
        is_favourite=Favourite.objects.filter(member=member, image=image).exists(),
        is_own=own,
        is_editable=may(member, "organise") and (own or may(member, "curate")),
        is_inherited=image.visibility == Visibility.PRIVATE and not own,
    )


def collection_choices(member: Membership, image: Image, find: str = "") -> list[CollectionChoice]:
    """Return the collections changed last, or those with `find` in their name, in two queries."""
    collections = Collection.objects.visible_to(member).order_by("-changed_at", "pk")
    if wanted := fold(find).strip():
        named = collections.values_list("pk", "name")  # compared here: databases fold case differently
        found = [pk for pk, name in named.iterator() if wanted in fold(name)][:MAX_COLLECTIONS]
        collections = collections.filter(pk__in=found)
    shown = list(collections[:MAX_COLLECTIONS])
    containing = _containing(image, [collection.pk for collection in shown])
    return [CollectionChoice(collection, collection.pk in containing) for collection in shown]


def siblings(member: Membership, image: Image) -> list[Image]:
    """Return the images of the same batch that the member may see, in the order of the request."""
    if image.batch is None:
        return []
    batch = Image.objects.visible_to(member).filter(batch=image.batch)
    return list(batch.order_by("generation", "position", "pk")[:MAX_SIBLINGS])


def _containing(image: Image, collections: list[uuid.UUID]) -> set[uuid.UUID]:
    rows = CollectionImage.objects.filter(image=image, collection__in=collections)
    return set(rows.values_list("collection", flat=True))
