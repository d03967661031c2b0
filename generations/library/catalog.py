"""The verbs of the library: what was made comes in here, and is found again here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404

from generations.teams.models import Membership

from .models import Image, ImageQuerySet

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping


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
    return Image.objects.create(
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


def visible(member: Membership) -> ImageQuerySet:
    """What the member may see, with whose it is."""
    return Image.objects.visible_to(member).select_related("owner__user")


def newest(member: Membership, *, before: Image | None = None) -> ImageQuerySet:
    """What the member may see, newest first, or what is older than an image."""
    images = visible(member).order_by("-created_at", "-pk")
    if before is None:
        return images
    older = Q(created_at__lt=before.created_at) | Q(pk__lt=before.pk)
    return images.filter(older, created_at__lte=before.created_at)  # both, so that an index is walked


def landmark(member: Membership, image: uuid.UUID) -> Image:
    """An image of the team that a page ended with; it may be in the trash by now. Http404 if foreign."""
    return get_object_or_404(Image.objects.only("created_at"), pk=image, team=member.team_id)


def visible_to_holder(member: int, image: uuid.UUID) -> Image:
    """The image that a ticket was made for, if its holder may still see it; else Http404."""
    holder = get_object_or_404(Membership.objects.select_related("team", "user"), pk=member)
    if not holder.is_current:
        raise Http404
    return get_object_or_404(Image.objects.visible_to(holder), pk=image)
