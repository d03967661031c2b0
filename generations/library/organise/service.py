"""The verbs by which people keep images in order: tags, collections, favourites, saved searches.

Those on many images tell which they changed: what a member may not see, or what was so before, is left alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection as Several
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generations.library.models import (
    LONGEST_TAG,
    Collected,
    Collection,
    Favourite,
    Image,
    SavedSearch,
    Tag,
    Tagged,
)
from generations.library.search import indexer
from generations.library.search.query import tag_key
from generations.teams.models import Visibility
from generations.teams.permissions import may

if TYPE_CHECKING:
    from generations.library.search.query import Search
    from generations.teams.models import Membership

MOST_TAGS = 50  # that one image carries
WEIGHED = 200  # tags whose uses are counted, to offer a few of them
LONGEST_NAME = 120


class BadName(ValueError):
    """A name that nobody could use; says what would do."""


# Tags ---------------------------------------------------------------------------


@transaction.atomic
def tag(*, member: Membership, images: Several[uuid.UUID], name: str) -> list[uuid.UUID]:
    """Let images carry a tag of the team's, which is made if it is new. Raises BadName."""
    key = tag_key(checked_tag(name))
    made, _new = Tag.objects.get_or_create(
        team_id=member.team_id, key=key, defaults={"name": checked_tag(name)}
    )
    free = Image.objects.visible_to(member).filter(pk__in=images).exclude(tagged__tag=made).locked()
    full = Tagged.objects.filter(image__in=free).values("image").annotate(tags=Count("pk"))
    changed = sorted(set(free) - set(full.filter(tags__gte=MOST_TAGS).values_list("image", flat=True)))
    Tagged.objects.bulk_create([Tagged(tag=made, image_id=image) for image in changed])
    indexer.refresh(changed)
    return changed


@transaction.atomic
def untag(*, member: Membership, images: Several[uuid.UUID], name: str) -> list[uuid.UUID]:
    """Take a tag off images; one that nothing carries is offered to nobody."""
    known = Tag.objects.filter(team=member.team_id, key=tag_key(name)).first()
    if known is None:
        return []
    changed = Image.objects.visible_to(member).filter(pk__in=images, tagged__tag=known).locked()
    Tagged.objects.filter(tag=known, image__in=changed).delete()
    indexer.refresh(changed)
    return changed


def carries(*, image: Image, name: str) -> bool:
    """Whether an image has that tag."""
    return Tagged.objects.filter(image=image, tag__key=tag_key(name)).exists()


def checked_tag(name: str) -> str:
    """The tag's name as it is kept; BadName."""
    name = _printable(name)
    if not tag_key(name) or "," in name:
        raise BadName(_("A tag is a word or a few, without commas."))
    if len(name) > LONGEST_TAG:
        raise BadName(_("A tag has at most %(count)d letters.") % {"count": LONGEST_TAG})
    return name


def tags_beginning(member: Membership, text: str, most: int = 10) -> list[Tag]:
    """The team's tags that begin like the text, the most used first; `uses` says how often."""
    known = Tag.objects.filter(team=member.team_id)
    used = known.filter(pk__in=_near(member, tag_key(text))).annotate(uses=Count("tagged"))
    return list(used.filter(uses__gt=0).order_by("-uses", "key")[:most])


def _near(member: Membership, key: str) -> list[int]:
    """Tags that begin so, or that were given lately: of ten thousand, not all uses are counted."""
    if key:
        known = Tag.objects.filter(team=member.team_id, key__startswith=key).order_by("key")
        return list(known.values_list("pk", flat=True)[:WEIGHED])
    lately = Tagged.objects.filter(tag__team=member.team_id).order_by("-pk")
    return list(lately.values_list("tag", flat=True)[:WEIGHED])


# Collections ----------------------------------------------------------------------


def make_collection(*, member: Membership, name: str, visibility: Visibility) -> Collection:
    """A new collection, empty. Raises BadName."""
    return Collection.objects.create(
        team_id=member.team_id, owner=member, name=_checked_name(name), visibility=visibility
    )


@transaction.atomic
def collect(*, member: Membership, images: Several[uuid.UUID], collection: uuid.UUID) -> list[uuid.UUID]:
    """Put images into a collection of the member's or the team's. Raises Collection.DoesNotExist."""
    into = Collection.objects.visible_to(member).get(pk=collection)
    seen = Image.objects.visible_to(member).filter(pk__in=images)
    changed = seen.exclude(collected__collection=into).locked()
    Collected.objects.bulk_create([Collected(collection=into, image_id=image) for image in changed])
    _touched(into, changed)
    return changed


@transaction.atomic
def take_out(*, member: Membership, images: Several[uuid.UUID], collection: uuid.UUID) -> list[uuid.UUID]:
    """Take images out of a collection of the member's or the team's. Raises Collection.DoesNotExist."""
    out_of = Collection.objects.visible_to(member).get(pk=collection)
    seen = Image.objects.visible_to(member).filter(pk__in=images)
    changed = seen.filter(collected__collection=out_of).locked()
    Collected.objects.filter(collection=out_of, image__in=changed).delete()
    _touched(out_of, changed)
    return changed


def change_collection(
    *, member: Membership, collection: Collection, name: str, visibility: Visibility
) -> None:
    """Rename a collection, or show it to the team or not. Raises BadName, NotYours."""
    _must_be_theirs(member, collection)
    collection.name, collection.visibility = _checked_name(name), visibility
    collection.save(update_fields=["name", "visibility"])


def delete_collection(*, member: Membership, collection: Collection) -> None:
    """Forget a collection; its images stay. Raises NotYours.

    Entries keep its token: no other collection will ever have that id.
    """
    _must_be_theirs(member, collection)
    collection.delete()


class NotYours(Exception):
    """It belongs to somebody else, and the member's role does not let them change it."""

    def __init__(self) -> None:
        super().__init__(_("This belongs to somebody else in the team."))


def _must_be_theirs(member: Membership, thing: Collection | SavedSearch) -> None:
    shared = thing.visibility == Visibility.TEAM and may(member, "curate")
    if thing.team_id != member.team_id or not (thing.owner_id == member.pk or shared):
        raise NotYours


def _touched(collection: Collection, images: list[uuid.UUID]) -> None:
    if images:
        Collection.objects.filter(pk=collection.pk).update(changed_at=Now())
    indexer.refresh(images)


# Favourites -------------------------------------------------------------------------


@transaction.atomic
def like(*, member: Membership, images: Several[uuid.UUID]) -> list[uuid.UUID]:
    """Keep images among the member's favourites."""
    seen = Image.objects.visible_to(member).filter(pk__in=images)
    changed = seen.exclude(favourites__member=member).locked()
    Favourite.objects.bulk_create([Favourite(member=member, image_id=image) for image in changed])
    indexer.refresh(changed)
    return changed


@transaction.atomic
def unlike(*, member: Membership, images: Several[uuid.UUID]) -> list[uuid.UUID]:
    """Keep images no longer among the member's favourites."""
    changed = Image.objects.visible_to(member).filter(pk__in=images, favourites__member=member).locked()
    Favourite.objects.filter(member=member, image__in=changed).delete()
    indexer.refresh(changed)
    return changed


# Saved searches -----------------------------------------------------------------------


def save_search(*, member: Membership, name: str, search: Search, visibility: Visibility) -> SavedSearch:
    """Keep a search under a name. Raises BadName."""
    return SavedSearch.objects.create(
        team_id=member.team_id,
        owner=member,
        name=_checked_name(name),
        address=search.address()[:2000],
        visibility=visibility,
    )


def forget_search(*, member: Membership, saved: SavedSearch) -> None:
    """Forget a saved search. Raises NotYours."""
    _must_be_theirs(member, saved)
    saved.delete()


def _checked_name(name: str) -> str:
    name = _printable(name)
    if not name:
        raise BadName(_("Give it a name."))
    if len(name) > LONGEST_NAME:
        raise BadName(_("A name has at most %(count)d letters.") % {"count": LONGEST_NAME})
    return name


def _printable(text: str) -> str:
    """The text in one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
