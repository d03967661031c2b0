"""How one picture is kept in order, as a member sees it: favourite, tags, collections, its batch."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generations.library.models import Collected, Collection, Favourite, Image, Tag
from generations.library.search.tokenizer import folded
from generations.teams.permissions import may

if TYPE_CHECKING:
    from generations.teams.models import Membership

MOST_OFFERED = 8  # collections of a menu
MOST_SIBLINGS = 24


@dataclass(frozen=True)
class Order:
    """What a picture carries and lies in, and whether the member may change its title and throw it away."""

    tags: list[Tag]
    collections: list[Collection]
    is_liked: bool
    is_mine: bool
    is_changeable: bool


@dataclass(frozen=True)
class Offer:
    """A collection to put the picture into, or to take it out of again."""

    collection: Collection
    holds_it: bool


def order(member: Membership, image: Image) -> Order:
    """Three queries."""
    lies_in = Collection.objects.visible_to(member).filter(collected__image=image)
    mine = image.owner_id == member.pk
    return Order(
        tags=list(Tag.objects.filter(tagged__image=image).order_by("key")),
        collections=list(lies_in.order_by("name", "pk")),
        is_liked=Favourite.objects.filter(member=member, image=image).exists(),
        is_mine=mine,
        is_changeable=may(member, "organise") and (mine or may(member, "curate")),
    )


def offered(member: Membership, image: Image, find: str = "") -> list[Offer]:
    """Collections used last, or those with these letters in their name. Two queries."""
    known = Collection.objects.visible_to(member).order_by("-changed_at", "pk")
    if wanted := folded(find).strip():
        named = known.values_list("pk", "name")  # both databases find alike what Python compares
        found = [pk for pk, name in named.iterator() if wanted in folded(name)][:MOST_OFFERED]
        known = known.filter(pk__in=found)
    shown = list(known[:MOST_OFFERED])
    holding = _holding(image, [collection.pk for collection in shown])
    return [Offer(collection, collection.pk in holding) for collection in shown]


def siblings(member: Membership, image: Image) -> list[Image]:
    """All of its batch that the member may see, in the order in which they were asked for."""
    if image.batch is None:
        return []
    made = Image.objects.visible_to(member).filter(batch=image.batch)
    return list(made.order_by("generation", "position", "pk")[:MOST_SIBLINGS])


def _holding(image: Image, collections: list[uuid.UUID]) -> set[uuid.UUID]:
    lies = Collected.objects.filter(image=image, collection__in=collections)
    return set(lies.values_list("collection", flat=True))
