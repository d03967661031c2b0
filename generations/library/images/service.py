"""The verbs of the library: what was made comes in here, is shown or kept private, and goes to the trash."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from generations.library.models import Image, ImageQuerySet, seen_by
from generations.library.search import indexer
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

LONGEST_TITLE = 200


class TitleTooLong(ValueError):
    """Nobody would read it."""

    def __init__(self) -> None:
        super().__init__(_("A title has at most %(count)d letters.") % {"count": LONGEST_TITLE})


@transaction.atomic
def add(
    *,
    member: Membership,
    generation: uuid.UUID,
    batch: uuid.UUID | None,
    position: int,
    model: str,
    parameters: Mapping[str, Any],
    visibility: str,
    key: str,
    sha256: str,
    media_type: str,
    width: int,
    height: int,
    size: int,
    seed: int | None,
) -> Image:
    """Enter a stored image, once for a generation and position (IntegrityError). `size` is in bytes."""
    image = Image.objects.create(
        generation=generation,
        position=position,
        team_id=member.team_id,
        owner=member,
        batch=batch,
        model=model,
        prompt=str(parameters.get("prompt") or ""),
        negative_prompt=str(parameters.get("negative_prompt") or ""),
        parameters=dict(parameters),
        visibility=visibility,
        key=key,
        sha256=sha256,
        media_type=media_type,
        width=width,
        height=height,
        bytes=size,
        seed=seed,
    )
    indexer.enter(image)
    return image


def visible(member: Membership) -> ImageQuerySet:
    """What the member may see, with whose it is."""
    return Image.objects.visible_to(member).select_related("owner__user")


def visible_to_holder(member: int, image: uuid.UUID) -> Image:
    """The image that a ticket was made for, if its holder may still see it; else Http404."""
    holder = get_object_or_404(Membership.objects.select_related("team", "user"), pk=member)
    if not holder.is_current:
        raise Http404
    return get_object_or_404(Image.objects.visible_to(holder), pk=image)


def in_trash(member: Membership) -> ImageQuerySet:
    """What the member may bring back: their own, what they put there, and for curators all that they saw."""
    mine = Q(owner=member) | Q(trashed_by=member)
    allowed = Q() if may(member, "curate") else mine
    trashed = Image.objects.filter(seen_by(member), allowed, team=member.team_id, trashed_at__isnull=False)
    return trashed.select_related("owner__user", "trashed_by__user")


def changeable(member: Membership) -> ImageQuerySet:
    """What the member may give a title or put into the trash: their own, and for curators all they see."""
    mine = Q() if may(member, "curate") else Q(owner=member)
    return Image.objects.visible_to(member).filter(mine)


@transaction.atomic
def trash(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Put those that the member may change into the trash; which they are. It can be undone (`restore`)."""
    moved = changeable(member).filter(pk__in=images).locked()
    Image.objects.filter(pk__in=moved).update(trashed_at=Now(), trashed_by=member)
    indexer.leave(moved)
    return moved


@transaction.atomic
def restore(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Bring those back that the member may bring back; which they are."""
    moved = in_trash(member).filter(pk__in=images).locked()
    Image.objects.filter(pk__in=moved).update(trashed_at=None, trashed_by=None)
    indexer.refresh(moved)
    return moved


@transaction.atomic
def set_visibility(
    *, member: Membership, images: Collection[uuid.UUID], visibility: Visibility
) -> list[uuid.UUID]:
    """Show the member's own images to the team, or keep them private; which were changed."""
    own = Image.objects.visible_to(member).filter(owner=member, pk__in=images)
    changed = own.exclude(visibility=visibility).locked()
    Image.objects.filter(pk__in=changed).update(visibility=visibility)
    indexer.refresh(changed)
    return changed


@transaction.atomic
def set_title(*, member: Membership, image: uuid.UUID, title: str) -> bool:
    """Give an image a title, or none; False if it is not the member's to change. Raises TitleTooLong."""
    title = " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())
    if len(title) > LONGEST_TITLE:
        raise TitleTooLong
    changed = changeable(member).filter(pk=image).update(title=title) == 1
    if changed:
        indexer.refresh([image])
    return changed
