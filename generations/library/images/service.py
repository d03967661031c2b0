"""Add images to the library, change their title and visibility, trash and restore them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from generations.core.one_message import Write
from generations.core.prepared_writes import PreparedInsert
from generations.library.models import Image, ImageKind, ImageQuerySet, visible_to
from generations.library.search import indexer
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

MAX_TITLE_LENGTH = 200

_image = PreparedInsert(Image)


class TitleTooLong(ValueError):
    """The title has more than 200 characters."""

    def __init__(self) -> None:
        super().__init__(_("A title has at most %(count)d letters.") % {"count": MAX_TITLE_LENGTH})


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file in object storage, and what its bytes show. `size` is in bytes.

    `text` is what a model wrote, or the words in a drawing.
    """

    key: str
    sha256: str
    media_type: str
    width: int
    height: int
    size: int
    kind: str = ImageKind.IMAGE
    text: str = ""
    is_animated: bool = False


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What an image came from: the generation, what was asked for, and the images that it was made from.

    `parent` may have been deleted meanwhile; `is_composite` says that it was made from another image.
    """

    generation: uuid.UUID
    model: str
    parameters: Mapping[str, Any]
    batch: uuid.UUID | None = None
    position: int = 0
    seed: int | None = None
    parent: uuid.UUID | None = None
    is_composite: bool = False
    actions: Sequence[Mapping[str, Any]] = ()


def add(
    *, member: Membership, visibility: str, file: StoredFile, provenance: Provenance, title: str = ""
) -> Image:
    """Add a stored image; IntegrityError if its generation and position have one."""
    image = new(member=member, visibility=visibility, file=file, provenance=provenance, title=title)
    save(image)
    return image


def new(
    *, member: Membership, visibility: str, file: StoredFile, provenance: Provenance, title: str = ""
) -> Image:
    """Return a stored image that is not in the library yet; `save` or `writes` bring it there."""
    parameters, parent = provenance.parameters, provenance.parent
    return Image(
        generation=provenance.generation,
        position=provenance.position,
        team_id=member.team_id,
        owner=member,
        title=title,
        batch=provenance.batch,
        model=provenance.model,
        prompt=str(parameters.get("prompt") or ""),
        negative_prompt=str(parameters.get("negative_prompt") or ""),
        parameters=dict(parameters),
        visibility=visibility,
        key=file.key,
        sha256=file.sha256,
        media_type=file.media_type,
        width=file.width,
        height=file.height,
        bytes=file.size,
        seed=provenance.seed,
        kind=file.kind,
        parent=Image.objects.filter(pk=parent).first() if parent else None,
        actions=list(provenance.actions),
        text=file.text,
        is_animated=file.is_animated,
        is_composite=provenance.is_composite or parent is not None,
    )


@transaction.atomic
def save(image: Image) -> None:
    """Add an image that `new` has made; IntegrityError if its generation and position have one."""
    _image.run(image)
    indexer.add(image)


def writes(image: Image) -> list[Write]:
    """Return what `save` writes, for `write_together`."""
    return [_image.write(image), indexer.write(image)]


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
    hidden_at = Now() if visibility == Visibility.PRIVATE else None  # thumbnails' URLs are looked up then
    Image.objects.filter(pk__in=changed).update(visibility=visibility, hidden_at=hidden_at)
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
