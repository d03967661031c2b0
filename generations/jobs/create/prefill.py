"""Initial values of the Create form: from the query (an earlier image, a picture to work on, an example), or
from a form that is not sent yet.

`?from=` names a generation and `?image=` an image. `use` says what of it: all, remix (a new seed), prompt,
seed, text, style (of a style that was made), or vary (the same request with the picture as its start image).
`model` names another model. `?saved=` names a saved prompt.
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
from generations.jobs.models import BatchInput, Generation, SavedPrompt
from generations.library.models import Image, ImageKind, Upload
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Flag, Number
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership

# Fields that each `use` of an earlier image fills; "*" replaces all of an unsent draft.
USES = {"all": "*", "remix": "*", "vary": "*", "prompt": "prompt negative_prompt", "seed": "seed"}
VARIED_STRENGTH = 0.35  # of the start image: the result stays close to it
CHOICES = ("model", "operation", "count", "visibility", "model_order")


def initial(member: Membership, query: Mapping[str, str]) -> dict[str, Any]:
    """The initial values of a form for that query; `prefilled` names the fields that replace an unsent draft.

    Http404 for an image or start image that the member may not use.
    """
    saved = saved_choices(member)
    use = query.get("use", "all")
    if query.get("operation") in list(Operation):
        return saved | _for_operation(member, query)
    if "image" in query and use in ("text", "style"):
        take = _with_text if use == "text" else _with_style
        return saved | take(member, uuid_or_404(query["image"]))
    if "from" in query or "image" in query:
        return saved | _with_use(earlier(member, query, use), use, query)
    if "saved" in query:
        return saved | _with_saved_prompt(member, uuid_or_404(query["saved"]))
    if "start" in query:
        return saved | _with_start_image(member, uuid_or_404(query["start"]))
    return saved | _example(query.get("example", ""))


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
    operation, _space, model = data.get("switch_to", "").partition(" ")
    switched = {"operation": operation, "model": model} if model else {}
    return values | switched | {"inputs": ids, "input_errors": errors}


def _example(name: str) -> dict[str, Any]:
    """The example of that name; nothing without one."""
    example = next((each for each in EXAMPLES if each["name"] == name), None)
    return {**example, "count": 1, "style_preset": "", "prefilled": "*"} if example else {}


def _for_operation(member: Membership, query: Mapping[str, str]) -> dict[str, Any]:
    """A new request for an operation, on an image of the library or an upload if one is named."""
    values: dict[str, Any] = {"operation": query["operation"], "prefilled": "operation model"}
    if query.get("model") in catalogue_registry.MODELS:
        values["model"] = query["model"]
    if "image" in query:
        image = get_object_or_404(Image.objects.visible_to(member), pk=uuid_or_404(query["image"]))
        values["inputs"] = {IMAGE: [image.pk]}
    elif "start" in query:
        values["inputs"] = {IMAGE: [_own_upload(member, uuid_or_404(query["start"]))]}
    if "inputs" in values:
        values["prefilled"] += f" input_{IMAGE}"
    return values


def earlier(member: Membership, query: Mapping[str, str], use: str = "all") -> dict[str, Any]:
    """The request that `from` or `image` names; to vary its picture, with that as the start image.

    Http404 if the member may not see it.
    """
    if "from" in query:
        pk = uuid_or_404(query["from"])
        values = _of_generation(member, pk)
        return _varied(values, _image_of(member, pk)) if use == "vary" else values
    pk = uuid_or_404(query["image"])
    values = _of_image(member, pk)
    return _varied(values, pk) if use == "vary" else values


def _varied(values: dict[str, Any], image: uuid.UUID | None) -> dict[str, Any]:
    """The request with the image as its start image, by a model that takes one; as it is without an image."""
    if image is None:
        return values
    model = catalogue_registry.MODELS.get(values.get("model", ""))
    takes_image = model and model.input(IMAGE) and Operation.GENERATE in model.operations
    if not takes_image:
        values["model"] = ""
    return values | {"inputs": {IMAGE: [image]}, "strength": VARIED_STRENGTH}


def _image_of(member: Membership, generation: uuid.UUID) -> uuid.UUID | None:
    """The image of a generation, if the member may see it."""
    found = Image.objects.visible_to(member).filter(generation=generation, kind=ImageKind.IMAGE)
    return found.order_by("position").values_list("pk", flat=True).first()


def _with_use(values: dict[str, Any], use: str, query: Mapping[str, str]) -> dict[str, Any]:
    use = use if use in USES else "all"
    if use in ("remix", "vary"):
        values.pop("seed", None)
    if USES[use] != "*":
        values = {field: values.get(field, "") for field in USES[use].split()}
    else:
        # The operation is that of the model.
        operation = Operation.GENERATE.value if use == "vary" else ""
        values |= {"count": 1, "style_preset": values.get("style_preset", ""), "operation": operation}
        if query.get("model") in catalogue_registry.MODELS:
            values["model"] = query["model"]
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


def _with_saved_prompt(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """All of a saved prompt, in place of an unsent draft."""
    row = get_object_or_404(SavedPrompt.objects.visible_to(member), pk=pk)
    fresh = {"operation": "", "model": "", "count": 1, "style_preset": "", "prefilled": "*"}
    values: dict[str, Any] = fresh | row.values
    return values


def _with_text(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """A text that a model wrote, as the prompt of a new image."""
    image = get_object_or_404(Image.objects.visible_to(member), pk=pk, kind=ImageKind.TEXT)
    return {
        "operation": Operation.GENERATE.value,
        "prompt": image.text,
        "prefilled": "prompt operation model",
    }


def _with_style(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """A new image in a style of the team, by the first model that draws in it."""
    image = get_object_or_404(Image.objects.visible_to(member), pk=pk, kind=ImageKind.STYLE)
    for model, field in catalogue_registry.drawing_in(image.model):
        return {
            "operation": model.operation.value,
            "model": model.name,
            field.name: image.text,
            "prefilled": f"{field.name} operation model",
        }
    raise Http404


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
