"""Rows as JSON documents, with addresses of what can be done with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from generations.credits.amounts import HUNDREDTHS
from generations.jobs.models import Batch, Generation, Status
from generations.library.models import Favourite, Image, ImageTag

if TYPE_CHECKING:
    import uuid

    from generations.credits import caps
    from generations.library.models import Collection
    from generations.teams.models import Membership

ROOT = "/api/v1"


def in_credits(amount: int) -> float:
    """Hundredths as a number of credits."""
    return amount / HUNDREDTHS


def cap(room: caps.Room) -> dict[str, Any]:
    """A cap as it stands."""
    amounts = {name: in_credits(getattr(room, name)) for name in ("cap", "used", "left")}
    return {"period": room.name, "renews_at": room.renews_at} | amounts


def batch(
    row: Batch, rows: Iterable[Generation], images: dict[uuid.UUID | None, uuid.UUID]
) -> dict[str, Any]:
    """A batch with its generations; those that were asked for again are left out."""
    generations = list(rows)
    repeated = {each.retry_of_id for each in generations}
    latest = [each for each in generations if each.pk not in repeated]
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
    """One generation, and the addresses of its picture once it is there."""
    here = f"{ROOT}/generations/{row.pk}"
    links = {"self": here, "batch": f"{ROOT}/batches/{row.batch_id}"}
    if row.status == Status.QUEUED:
        links["cancel"] = f"{here}/cancel"
    if row.is_finished and row.status != Status.SUCCEEDED:
        links["retry"] = f"{here}/retry"
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


def pictures_of(member: Membership, rows: Iterable[Generation]) -> dict[uuid.UUID | None, uuid.UUID]:
    """The first picture of each that has one and that the member may see, by generation."""
    ended = [row.pk for row in rows if row.status == Status.SUCCEEDED]
    if not ended:
        return {}
    found = Image.objects.visible_to(member).filter(generation__in=ended).order_by("-position")
    return dict(found.values_list("generation", "pk"))


def images(member: Membership, rows: Iterable[Image]) -> list[dict[str, Any]]:
    """Pictures with their tags, in two queries whatever their number."""
    listed = list(rows)
    tags: dict[uuid.UUID, list[str]] = {row.pk: [] for row in listed}
    carried = ImageTag.objects.filter(image__in=listed).order_by("tag__key")
    for pk, name in carried.values_list("image", "tag__name"):
        tags[pk].append(name)
    liked = set(Favourite.objects.filter(member=member, image__in=listed).values_list("image", flat=True))
    return [_image(row, tags[row.pk], liked=row.pk in liked) for row in listed]


def image(member: Membership, row: Image) -> dict[str, Any]:
    """One picture."""
    return images(member, [row])[0]


def collection(row: Collection) -> dict[str, Any]:
    """A collection, and where its pictures are listed."""
    here = f"{ROOT}/collections/{row.pk}"
    return {
        "id": row.pk,
        "name": row.name,
        "visibility": row.visibility,
        "owner": str(row.owner),
        "changed_at": row.changed_at,
        "links": {"self": here, "images": f"{ROOT}/images?collection={row.pk}"},
    }


def with_generations() -> Prefetch[Any]:
    """What a batch is fetched with."""
    return Prefetch("generations", queryset=Generation.objects.order_by("position", "pk"))


def _image(row: Image, tags: list[str], *, liked: bool) -> dict[str, Any]:
    here = f"{ROOT}/images/{row.pk}"
    same = ("title", "prompt", "negative_prompt", "model", "parameters", "seed", "width", "height", "bytes")
    more = ("media_type", "sha256", "visibility", "origin", "generation", "batch", "created_at", "trashed_at")
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in (*same, *more)},
        "owner": str(row.owner),
        "tags": tags,
        "liked": liked,
        "links": {
            "self": here,
            "original": f"{here}/original",
            "download": f"{here}/download",
            "thumbnail": f"{here}/thumbnail",
        },
    }
