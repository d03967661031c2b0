"""Serialize rows to JSON documents with links."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Prefetch

from generations.credits import caps
from generations.credits.amounts import HUNDREDTHS
from generations.jobs.create import controls
from generations.jobs.models import Attempt, Batch, BatchInput, Generation, SavedPrompt, Status
from generations.library.models import Collection, Favourite, Image, ImageKind, ImageTag
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Field, InvalidValue
from generations.teams.models import Membership

ROOT = "/api/v1"
IMAGE_FIELDS = (
    "kind",
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


@dataclass(frozen=True)
class Related:
    """What belongs to generations that are shown: results, running tasks, and the inputs of their batches."""

    images: Mapping[uuid.UUID, Sequence[Image]]  # by generation, in order, those that the member may see
    tasks: Mapping[uuid.UUID, Attempt]  # by generation, of those that are submitted
    inputs: Mapping[uuid.UUID, Mapping[str, Sequence[uuid.UUID]]]  # ids of uploads by batch and role


def related(member: Membership, rows: Iterable[Generation]) -> Related:
    """Look up what belongs to generations, in a fixed number of queries."""
    listed = list(rows)
    succeeded = [row.pk for row in listed if row.status == Status.SUCCEEDED]
    submitted = [row.pk for row in listed if row.status == Status.SUBMITTED]
    images: dict[uuid.UUID, list[Image]] = defaultdict(list)
    if succeeded:
        found = Image.objects.visible_to(member).filter(generation__in=succeeded)
        for image in found.order_by("position"):
            images[cast("uuid.UUID", image.generation)].append(image)
    attempts = Attempt.objects.filter(generation__in=submitted).order_by("number") if submitted else ()
    inputs = BatchInput.objects.filter(batch__in={row.batch_id for row in listed})
    return Related(images, {attempt.generation_id: attempt for attempt in attempts}, _by_batch(inputs))


def of_new(row: Batch) -> Related:
    """What belongs to the generations of a batch that was created just now, without a query."""
    return Related({}, {}, _by_batch(row.given))


def _by_batch(inputs: Iterable[BatchInput]) -> Mapping[uuid.UUID, Mapping[str, Sequence[uuid.UUID]]]:
    found: dict[uuid.UUID, dict[str, list[uuid.UUID]]] = defaultdict(lambda: defaultdict(list))
    for each in inputs:
        found[each.batch_id][each.role].append(each.upload_id)
    return found


def batch(row: Batch, rows: Iterable[Generation], found: Related) -> dict[str, Any]:
    """Serialize a batch; a generation that was retried is replaced by its retry."""
    generations = list(rows)
    retried = {each.retry_of_id for each in generations}
    latest = [each for each in generations if each.pk not in retried]
    return {
        "id": row.pk,
        "model": row.model,
        "parameters": row.parameters,
        "inputs": found.inputs.get(row.pk, {}),
        "count": row.count,
        "visibility": row.visibility,
        "start_image": row.start_image_id,
        "parent": row.parent,
        "action": row.action.get("name", ""),
        "created_at": row.created_at,
        "finished": all(each.is_finished for each in latest),
        "generations": [generation(each, found) for each in latest],
        "links": {"self": f"{ROOT}/batches/{row.pk}", "cancel": f"{ROOT}/batches/{row.pk}/cancel"},
    }


def generation(row: Generation, found: Related) -> dict[str, Any]:
    """Serialize a generation, with links to its image once there is one."""
    path = f"{ROOT}/generations/{row.pk}"
    links = {"self": path, "batch": f"{ROOT}/batches/{row.batch_id}"}
    if row.status == Status.QUEUED:
        links["cancel"] = f"{path}/cancel"
    if row.is_finished and row.status != Status.SUCCEEDED:
        links["retry"] = f"{path}/retry"
    results, task = found.images.get(row.pk, ()), found.tasks.get(row.pk)
    image = results[0].pk if results else None
    if image:
        links |= {"image": f"{ROOT}/images/{image}", "original": f"{ROOT}/images/{image}/original"}
    return {
        "id": row.pk,
        "batch": row.batch_id,
        "position": row.position,
        "status": row.status,
        "model": row.model,
        "parameters": row.parameters,
        "inputs": found.inputs.get(row.batch_id, {}),
        "price": in_credits(row.price),
        "progress": task.progress if task else None,
        "message": task.message if task else "",
        "code": row.code,
        "reason": row.reason,
        "retry_of": row.retry_of_id,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
        "image": image,
        "outputs": [_output(each) for each in results],
        "links": links,
    }


def _output(row: Image) -> dict[str, Any]:
    """Serialize a result; a text is in the answer itself, and so is the id of a style."""
    text = row.text if row.kind in (ImageKind.TEXT, ImageKind.STYLE) else None
    return {"kind": row.kind, "media_type": row.media_type, "image": row.pk, "text": text}


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


def saved_prompt(row: SavedPrompt) -> dict[str, Any]:
    """Serialize a saved prompt, with its values as its model takes them; others as they were typed."""
    path = f"{ROOT}/saved-prompts/{row.pk}"
    model = catalogue_registry.MODELS.get(row.values.get("model", ""))
    fields = {each.name: each for each in controls.fields_of(model)} if model else {}
    others = ("model", "operation", "inputs")
    return {
        "id": row.pk,
        "name": row.name,
        "visibility": row.visibility,
        "owner": str(row.owner),
        "model": row.values.get("model", ""),
        "parameters": {
            name: typed
            for name, value in row.values.items()
            if name not in others and (typed := _typed(fields.get(name), value)) is not None
        },
        "inputs": {role: [uuid.UUID(pk) for pk in pks] for role, pks in row.values.get("inputs", {}).items()},
        "created_at": row.created_at,
        "links": {"self": path, "generate": f"{path}/generations"},
    }


def _typed(field: Field | None, value: Any) -> Any:
    """A value of a form, which may be text, as the field takes it; None for what means nothing."""
    try:
        return value if field is None else field.clean(value)
    except InvalidValue:
        return value


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
        "parent": row.parent_id,
        "actions": [{"name": action["name"], "title": action["title"]} for action in row.actions],
        "links": {
            "self": path,
            "original": f"{path}/original",
            "download": f"{path}/download",
            "thumbnail": f"{path}/thumbnail",
        },
    }
