"""Change how images are organised: tags, collections, favourites, saved searches.

Functions on many images return the ids of those that they changed. Images that the member may not see, or
that were so already, are left unchanged.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection as Several
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Count, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generations.core.count_rows import CountRows
from generations.library.models import (
    MAX_TAG_LENGTH,
    Collection,
    CollectionImage,
    Favourite,
    Image,
    ImageTag,
    SavedSearch,
    Tag,
)
from generations.library.search import indexer
from generations.library.search.query import Search
from generations.library.search.tokenizer import tag_key
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

MAX_TAGS = 50  # of one image
MAX_RANKED = 200  # tags whose uses are counted to complete a name
MAX_NAME_LENGTH = 120


class Owned(Protocol):
    """A row of a team that one member owns, and that the team may see."""

    team_id: int
    owner_id: int
    visibility: str


class InvalidName(ValueError):
    """A name that cannot be used; the message tells the member what can be."""


class NotOwner(Exception):
    """The row belongs to another member, and the member's role may not change it."""

    def __init__(self) -> None:
        super().__init__(_("This belongs to somebody else in the team."))


# Tags ---------------------------------------------------------------------------


@transaction.atomic
def tag(*, member: Membership, images: Several[uuid.UUID], name: str) -> list[uuid.UUID]:
    """Add a tag to images, and create it if the team has none of that name. Raises InvalidName."""
    name = validated_tag(name)
    row, _created = Tag.objects.get_or_create(
        team_id=member.team_id, key=tag_key(name), defaults={"name": name}
    )
    untagged = Image.objects.visible_to(member).filter(pk__in=images).exclude(image_tags__tag=row).lock()
    counted = ImageTag.objects.filter(image__in=untagged).values("image").annotate(tags=Count("pk"))
    full = counted.filter(tags__gte=MAX_TAGS).values_list("image", flat=True)
    changed = sorted(set(untagged) - set(full))
    ImageTag.objects.bulk_create([ImageTag(tag=row, image_id=image) for image in changed])
    indexer.refresh(changed)
    return changed


@transaction.atomic
def untag(*, member: Membership, images: Several[uuid.UUID], name: str) -> list[uuid.UUID]:
    """Remove a tag from images. A tag without images remains, and is not offered any more."""
    row = Tag.objects.filter(team=member.team_id, key=tag_key(name)).first()
    if row is None:
        return []
    changed = Image.objects.visible_to(member).filter(pk__in=images, image_tags__tag=row).lock()
    ImageTag.objects.filter(tag=row, image__in=changed).delete()
    indexer.refresh(changed)
    return changed


def has_tag(*, image: Image, name: str) -> bool:
    """Return whether an image has that tag."""
    return ImageTag.objects.filter(image=image, tag__key=tag_key(name)).exists()


def validated_tag(name: str) -> str:
    """Return a tag's name as it is stored. Raises InvalidName."""
    name = _printable(name)
    if not tag_key(name) or "," in name:
        raise InvalidName(_("A tag is a word or a few, without commas."))
    if len(name) > MAX_TAG_LENGTH:
        raise InvalidName(_("A tag has at most %(count)d letters.") % {"count": MAX_TAG_LENGTH})
    return name


def complete_tag(member: Membership, text: str, most: int = 10, *, counted: int | None = None) -> list[Tag]:
    """Return the team's tags that start with the text, the most used first, each with the count `uses`.

    Of a tag at most `counted` uses are counted, and one more stands for all larger numbers. Of tags with so
    many, those come first that were used most lately.
    """
    candidates = Counter(_candidates(member, tag_key(text)))
    rows = ImageTag.objects.filter(tag=OuterRef("pk")).values("pk")
    uses = CountRows(rows if counted is None else rows[: counted + 1])
    tags: Any = Tag.objects.filter(team=member.team_id, pk__in=list(candidates)).annotate(uses=uses)
    used = [tag for tag in tags if tag.uses]
    return sorted(used, key=lambda tag: (-tag.uses, -candidates[tag.pk], tag.key))[:most]


def _candidates(member: Membership, key: str) -> list[int]:
    """Tags that start with the key, or were used last; bounded, so that few uses are counted."""
    if key:
        known = Tag.objects.filter(team=member.team_id, key__startswith=key).order_by("key")
        return list(known.values_list("pk", flat=True)[:MAX_RANKED])
    latest = ImageTag.objects.filter(tag__team=member.team_id).order_by("-pk")
    return list(latest.values_list("tag", flat=True)[:MAX_RANKED])


# Collections ----------------------------------------------------------------------


def create_collection(*, member: Membership, name: str, visibility: Visibility) -> Collection:
    """Create an empty collection. Raises InvalidName."""
    return Collection.objects.create(
        team_id=member.team_id, owner=member, name=validated_name(name), visibility=visibility
    )


@transaction.atomic
def add_to_collection(
    *, member: Membership, images: Several[uuid.UUID], collection: uuid.UUID
) -> list[uuid.UUID]:
    """Add images to a collection that the member can see. Raises Collection.DoesNotExist."""
    row = Collection.objects.visible_to(member).get(pk=collection)
    visible = Image.objects.visible_to(member).filter(pk__in=images)
    changed = visible.exclude(collection_images__collection=row).lock()
    CollectionImage.objects.bulk_create(
        [CollectionImage(collection=row, image_id=image) for image in changed]
    )
    _images_changed(row, changed)
    return changed


@transaction.atomic
def remove_from_collection(
    *, member: Membership, images: Several[uuid.UUID], collection: uuid.UUID
) -> list[uuid.UUID]:
    """Remove images from a collection that the member can see. Raises Collection.DoesNotExist."""
    row = Collection.objects.visible_to(member).get(pk=collection)
    visible = Image.objects.visible_to(member).filter(pk__in=images)
    changed = visible.filter(collection_images__collection=row).lock()
    CollectionImage.objects.filter(collection=row, image__in=changed).delete()
    _images_changed(row, changed)
    return changed


def update_collection(
    *, member: Membership, collection: Collection, name: str, visibility: Visibility
) -> None:
    """Change a collection's name and visibility. Raises InvalidName, NotOwner."""
    check_owner(member, collection)
    collection.name, collection.visibility = validated_name(name), visibility
    collection.save(update_fields=["name", "visibility"])


def delete_collection(*, member: Membership, collection: Collection) -> None:
    """Delete a collection; its images stay. Raises NotOwner.

    Search entries keep its term: no other collection will ever have that id.
    """
    check_owner(member, collection)
    collection.delete()


def check_owner(member: Membership, row: Owned) -> None:
    """Raise NotOwner unless the row is the member's, or the team's and the member may curate."""
    shared = row.visibility == Visibility.TEAM and may(member, "curate")
    if row.team_id != member.team_id or not (row.owner_id == member.pk or shared):
        raise NotOwner


def _images_changed(collection: Collection, images: list[uuid.UUID]) -> None:
    if images:
        Collection.objects.filter(pk=collection.pk).update(changed_at=Now())
    indexer.refresh(images)


# Favourites -------------------------------------------------------------------------


@transaction.atomic
def like(*, member: Membership, images: Several[uuid.UUID]) -> list[uuid.UUID]:
    """Add images to the member's favourites."""
    visible = Image.objects.visible_to(member).filter(pk__in=images)
    changed = visible.exclude(favourites__member=member).lock()
    Favourite.objects.bulk_create([Favourite(member=member, image_id=image) for image in changed])
    indexer.refresh(changed)
    return changed


@transaction.atomic
def unlike(*, member: Membership, images: Several[uuid.UUID]) -> list[uuid.UUID]:
    """Remove images from the member's favourites."""
    changed = Image.objects.visible_to(member).filter(pk__in=images, favourites__member=member).lock()
    Favourite.objects.filter(member=member, image__in=changed).delete()
    indexer.refresh(changed)
    return changed


# Saved searches -----------------------------------------------------------------------


def save_search(*, member: Membership, name: str, search: Search, visibility: Visibility) -> SavedSearch:
    """Save a search under a name. Raises InvalidName."""
    return SavedSearch.objects.create(
        team_id=member.team_id,
        owner=member,
        name=validated_name(name),
        address=search.query_string()[:2000],
        visibility=visibility,
    )


def delete_search(*, member: Membership, saved: SavedSearch) -> None:
    """Delete a saved search. Raises NotOwner."""
    check_owner(member, saved)
    saved.delete()


def validated_name(name: str) -> str:
    """Return a name as it is stored. Raises InvalidName."""
    name = _printable(name)
    if not name:
        raise InvalidName(_("Give it a name."))
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidName(_("A name has at most %(count)d letters.") % {"count": MAX_NAME_LENGTH})
    return name


def _printable(text: str) -> str:
    """Return the text in one line, without control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
