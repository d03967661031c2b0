"""Initial values of the Create form: from the query (an earlier image, a picture to work on, an example), or
from a form that is not sent yet.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.datastructures import MultiValueDict

from generations.core.request_params import uuid_or_404
from generations.jobs.create import controls, form_inputs
from generations.jobs.create.context import EXAMPLES, saved_choices
from generations.jobs.models import BatchInput, Generation
from generations.library.models import Image, ImageKind, Upload
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Flag, Number
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership

# Fields that each `use` of an earlier image fills; "*" replaces all of an unsent draft.
USES = {"all": "*", "remix": "*", "prompt": "prompt negative_prompt", "seed": "seed"}
CHOICES = ("model", "operation", "count", "visibility")


def initial(member: Membership, query: Mapping[str, str]) -> dict[str, Any]:
    """The initial values of a form for that query; `prefilled` names the fields that replace an unsent draft.

    Http404 for an image or start image that the member may not use.
    """
    saved = saved_choices(member)
    use = query.get("use", "all")
    if query.get("operation") in list(Operation):
        return saved | _for_operation(member, query)
    if "from" in query:
        return saved | _with_use(_of_generation(member, uuid_or_404(query["from"])), use)
    if "image" in query:
        pk = uuid_or_404(query["image"])
        return saved | (_with_text(member, pk) if use == "text" else _with_use(_of_image(member, pk), use))
    if "start" in query:
        return saved | _with_start_image(member, uuid_or_404(query["start"]))
    for example in EXAMPLES:
        if example["name"] == query.get("example"):
            return saved | {**example, "count": 1, "style_preset": "", "prefilled": "*"}
    return saved


def from_form(
    member: Membership, data: QueryDict, files: MultiValueDict[str, UploadedFile]
) -> dict[str, Any]:
    """The values of a form whose model or pictures were changed; its files are stored."""
    values = {name: data[name] for name in {*controls.names(), *CHOICES} if name in data}
    shown = catalogue_registry.MODELS.get(data.get("shown_model", ""))
    for field in controls.fields_of(shown) if shown else ():
        if isinstance(field, Flag):
            values.setdefault(field.name, "")  # a box that is not checked is not sent
        elif (
            isinstance(field, Number) and field.required and values.get(field.name) == controls.initial(field)
        ):
            del values[field.name]  # where the model shown before suggested it: the next one may have another
    ids = form_inputs.ids_from(data)
    saved, errors = form_inputs.save_files(member, shown, files)
    for role, pks in saved.items():
        ids[role] = [*ids.get(role, []), *pks]
    return values | {"inputs": ids, "input_errors": errors}


def _for_operation(member: Membership, query: Mapping[str, str]) -> dict[str, Any]:
    """A new request for an operation, on an image of the library or an upload if one is named."""
    values: dict[str, Any] = {"operation": query["operation"], "prefilled": "operation model"}
    if "image" in query:
        image = get_object_or_404(Image.objects.visible_to(member), pk=uuid_or_404(query["image"]))
        values["inputs"] = {IMAGE: [image.pk]}
    elif "start" in query:
        values["inputs"] = {IMAGE: [_own_upload(member, uuid_or_404(query["start"]))]}
    if "inputs" in values:
        values["prefilled"] += f" input_{IMAGE}"
    return values


def _with_use(values: dict[str, Any], use: str) -> dict[str, Any]:
    use = use if use in USES else "all"
    if use == "remix":
        values.pop("seed", None)
    if USES[use] != "*":
        values = {field: values.get(field, "") for field in USES[use].split()}
    else:
        # The operation is that of the model.
        values |= {"count": 1, "style_preset": values.get("style_preset", ""), "operation": ""}
    return values | {"prefilled": USES[use]}


def _of_generation(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """The request of a generation of the member, or of one whose image they may see."""
    image = Image.objects.visible_to(member).filter(generation=pk).order_by("position").first()
    mine = member.generations.select_related("batch", "member__team").filter(pk=pk).first()
    if image is None and mine is None:
        raise Http404
    seed = {"seed": image.seed} if image and image.seed else {}
    if mine and mine.parameters:
        return {**mine.parameters, "model": mine.model, "inputs": _inputs_of(mine), **seed}
    return _stored_with(image) if image else {}


def _inputs_of(row: Generation) -> dict[str, list[uuid.UUID]]:
    """The pictures of a request of the member, by role: as they were chosen, if those are still there."""
    found: dict[str, list[uuid.UUID]] = {}
    inputs = list(BatchInput.objects.filter(batch=row.batch_id).select_related("upload"))
    visible = Image.objects.visible_to(row.member).in_bulk([each.image for each in inputs if each.image])
    has_mask = any(each.role == MASK for each in inputs)
    for each in inputs:
        image = visible.get(each.image) if each.image else None
        # One that was made smaller stays as it was sent if it has a mask: that was made smaller too.
        is_same = image and (not has_mask or (image.width, image.height) == each.upload.size)
        found.setdefault(each.role, []).append(image.pk if image and is_same else each.upload_id)
    if not found and row.batch.start_image_id:  # submitted by an older version
        found[IMAGE] = [row.batch.start_image_id]
    return found


def _of_image(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """The request of an image that the member may see, also if it has no generation."""
    image = get_object_or_404(Image.objects.visible_to(member), pk=pk)
    if image.generation and member.generations.filter(pk=image.generation).exists():
        return _of_generation(member, image.generation)
    return _stored_with(image)


def _stored_with(image: Image) -> dict[str, Any]:
    """The parameters stored with the image; an uploaded one may have values of any type."""
    stored = {"prompt": image.prompt, "negative_prompt": image.negative_prompt, **image.parameters}
    known = ((name, stored.get(name)) for name in controls.names())
    values: dict[str, Any] = {name: value for name, value in known if isinstance(value, str | int | float)}
    if image.model:
        values["model"] = image.model
    if image.seed:
        values["seed"] = image.seed
    return values


def _with_text(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """A text that a model wrote, as the prompt of a new image."""
    image = get_object_or_404(Image.objects.visible_to(member), pk=pk, kind=ImageKind.TEXT)
    return {
        "operation": Operation.GENERATE.value,
        "prompt": image.text,
        "prefilled": "prompt operation model",
    }


def _with_start_image(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    return {
        "operation": Operation.GENERATE.value,
        "inputs": {IMAGE: [_own_upload(member, pk)]},
        "prefilled": f"input_{IMAGE} model operation",
    }


def _own_upload(member: Membership, pk: uuid.UUID) -> uuid.UUID:
    if not Upload.objects.filter(owner=member, pk=pk).exists():
        raise Http404
    return pk
