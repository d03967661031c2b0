"""Serialize rows to JSON documents with links."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch

from generations.credits import caps
from generations.credits.amounts import HUNDREDTHS
from generations.jobs.models import Batch, Generation, Status
from generations.library.models import Collection, Favourite, Image, ImageTag
from generations.teams.models import Membership

ROOT = "/api/v1"
IMAGE_FIELDS = (
    "title",
    "prompt",
    "negative_prompt",
    "model",
    "parameters",
    "seed",
    "width",
    "height",
    "bytes",
    "media_type",
    "sha256",
    "visibility",
    "origin",
    "generation",
    "batch",
    "created_at",
    "trashed_at",
)


def in_credits(amount: int) -> float:
    """Convert hundredths to credits."""
    return amount / HUNDREDTHS


def cap(room: caps.CapUsage) -> dict[str, Any]:
    """Serialize a cap and how much of it is used."""
    amounts = {name: in_credits(getattr(room, name)) for name in ("cap", "used", "left")}
    return {"period": room.name, "renews_at": room.renews_at} | amounts


def batch(
    row: Batch, rows: Iterable[Generation], images: dict[uuid.UUID | None, uuid.UUID]
) -> dict[str, Any]:
    """Serialize a batch; a generation that was retried is replaced by its retry."""
    generations = list(rows)
    retried = {each.retry_of_id for each in generations}
    latest = [each for each in generations if each.pk not in retried]
    return {
        "id": row.pk,
        "model": row.model,
        "parameters": row.parameters,
        "count": row.count,
        "visibility": row.visibility,
        "start_image": row.start_image_id,
        "created_at": row.created_at,
        "finished": all(each.is_finished for each in latest),
        "generations": [generation(each, images.get(each.pk)) for each in latest],
        "links": {"self": f"{ROOT}/batches/{row.pk}", "cancel": f"{ROOT}/batches/{row.pk}/cancel"},
    }


def generation(row: Generation, image: uuid.UUID | None) -> dict[str, Any]:
    """Serialize a generation, with links to its image once there is one."""
    path = f"{ROOT}/generations/{row.pk}"
    links = {"self": path, "batch": f"{ROOT}/batches/{row.batch_id}"}
    if row.status == Status.QUEUED:
        links["cancel"] = f"{path}/cancel"
    if row.is_finished and row.status != Status.SUCCEEDED:
        links["retry"] = f"{path}/retry"
    if image:
        links |= {"image": f"{ROOT}/images/{image}", "original": f"{ROOT}/images/{image}/original"}
    return {
        "id": row.pk,
        "batch": row.batch_id,
        "position": row.position,
        "status": row.status,
        "model": row.model,
        "parameters": row.parameters,
        "price": in_credits(row.price),
        "code": row.code,
        "reason": row.reason,
        "retry_of": row.retry_of_id,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
        "image": image,
        "links": links,
    }


def images_by_generation(member: Membership, rows: Iterable[Generation]) -> dict[uuid.UUID | None, uuid.UUID]:
    """Map generations to the first of their images that the member may see."""
    succeeded = [row.pk for row in rows if row.status == Status.SUCCEEDED]
    if not succeeded:
        return {}
    found = Image.objects.visible_to(member).filter(generation__in=succeeded).order_by("-position")
    return dict(found.values_list("generation", "pk"))


def images(member: Membership, rows: Iterable[Image]) -> list[dict[str, Any]]:
    """Serialize images with their tags, in two queries for any number of them."""
    listed = list(rows)
    tags: dict[uuid.UUID, list[str]] = {row.pk: [] for row in listed}
    tagged = ImageTag.objects.filter(image__in=listed).order_by("tag__key")
    for pk, name in tagged.values_list("image", "tag__name"):
        tags[pk].append(name)
    liked = set(Favourite.objects.filter(member=member, image__in=listed).values_list("image", flat=True))
    return [_image(row, tags[row.pk], liked=row.pk in liked) for row in listed]


def image(member: Membership, row: Image) -> dict[str, Any]:
    """Serialize an image."""
    return images(member, [row])[0]


def collection(row: Collection) -> dict[str, Any]:
    """Serialize a collection, with a link to its images."""
    path = f"{ROOT}/collections/{row.pk}"
    return {
        "id": row.pk,
        "name": row.name,
        "visibility": row.visibility,
        "owner": str(row.owner),
        "changed_at": row.changed_at,
        "links": {"self": path, "images": f"{ROOT}/images?collection={row.pk}"},
    }


def with_generations() -> Prefetch[Any]:
    """Prefetch the generations of batches in order."""
    return Prefetch("generations", queryset=Generation.objects.order_by("position", "pk"))


def _image(row: Image, tags: list[str], *, liked: bool) -> dict[str, Any]:
    path = f"{ROOT}/images/{row.pk}"
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in IMAGE_FIELDS},
        "owner": str(row.owner),
        "tags": tags,
        "liked": liked,
        "links": {
            "self": path,
            "original": f"{path}/original",
            "download": f"{path}/download",
            "thumbnail": f"{path}/thumbnail",
        },
    }
