"""Add images to the library, change their title and visibility, trash and restore them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from generations.library.models import Image, ImageKind, ImageQuerySet, visible_to
from generations.library.search import indexer
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

MAX_TITLE_LENGTH = 200


class TitleTooLong(ValueError):
    """The title has more than 200 characters."""

    def __init__(self) -> None:
        super().__init__(_("A title has at most %(count)d letters.") % {"count": MAX_TITLE_LENGTH})


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
    kind: str = ImageKind.IMAGE,
    parent: uuid.UUID | None = None,
    actions: Sequence[Mapping[str, Any]] = (),
    text: str = "",
    is_animated: bool = False,
    is_composite: bool = False,
) -> Image:
    """Add a stored image; IntegrityError if its generation and position have one. `size` is in bytes.

    `parent` is the image that it was made from, which may have been deleted meanwhile. `text` is what a model
    wrote, or the words in a drawing; `is_composite` says that the image was made from another one.
    """
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
        kind=kind,
        parent=Image.objects.filter(pk=parent).first() if parent else None,
        actions=list(actions),
        text=text,
        is_animated=is_animated,
        is_composite=is_composite or parent is not None,
    )
    indexer.add(image)
    return image


def visible(member: Membership) -> ImageQuerySet:
    """Return the images that the member may see, with their owners."""
    return Image.objects.visible_to(member).select_related("owner__user")


def get_visible(member: int, image: uuid.UUID) -> Image:
    """Return an image by the ids in a signed URL; Http404 unless the member may still see it."""
    row = get_object_or_404(Membership.objects.select_related("team", "user"), pk=member)
    if not row.is_current:
        raise Http404
    return get_object_or_404(Image.objects.visible_to(row), pk=image)


def in_trash(member: Membership) -> ImageQuerySet:
    """Return what the member may restore: their own, what they trashed, and for curators all they may see."""
    mine = Q(owner=member) | Q(trashed_by=member)
    allowed = Q() if may(member, "curate") else mine
    trashed = Image.objects.filter(visible_to(member), allowed, team=member.team_id, trashed_at__isnull=False)
    return trashed.select_related("owner__user", "trashed_by__user")


def editable(member: Membership) -> ImageQuerySet:
    """Return what the member may rename or trash: their own, and for curators all they may see."""
    mine = Q() if may(member, "curate") else Q(owner=member)
    return Image.objects.visible_to(member).filter(mine)


@transaction.atomic
def trash(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Move those that the member may edit to the trash; return their ids."""
    moved = editable(member).filter(pk__in=images).lock()
    Image.objects.filter(pk__in=moved).update(trashed_at=Now(), trashed_by=member)
    indexer.remove(moved)
    return moved


@transaction.atomic
def restore(*, member: Membership, images: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Restore those that the member may restore from the trash; return their ids."""
    moved = in_trash(member).filter(pk__in=images).lock()
    Image.objects.filter(pk__in=moved).update(trashed_at=None, trashed_by=None)
    indexer.refresh(moved)
    return moved


@transaction.atomic
def set_visibility(
    *, member: Membership, images: Collection[uuid.UUID], visibility: Visibility
) -> list[uuid.UUID]:
    """Change the visibility of the member's own images; return the ids of the changed ones."""
    own = Image.objects.visible_to(member).filter(owner=member, pk__in=images)
    changed = own.exclude(visibility=visibility).lock()
    Image.objects.filter(pk__in=changed).update(visibility=visibility)
    indexer.refresh(changed)
    return changed


@transaction.atomic
def set_title(*, member: Membership, image: uuid.UUID, title: str) -> bool:
    """Set an image's title; False if the member may not edit the image. Raises TitleTooLong."""
    title = " ".join("".join(letter if letter.isprintable() else " " for letter in title).split())
    if len(title) > MAX_TITLE_LENGTH:
        raise TitleTooLong
    changed = editable(member).filter(pk=image).update(title=title) == 1
    if changed:
        indexer.refresh([image])
    return changed
