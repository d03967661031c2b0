"""Initial values of the Create form, from the query: an earlier image, a start image, or an example."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404

from generations.jobs.create.context import EXAMPLES, saved_choices
from generations.jobs.create.forms import PARAMETERS
from generations.library.models import Image, Upload
from generations.teams.models import Membership

# Fields that each `use` of an earlier image fills; "*" replaces all of an unsent draft.
USES = {"all": "*", "remix": "*", "prompt": "prompt negative_prompt", "seed": "seed"}


def initial(member: Membership, query: Mapping[str, str]) -> dict[str, Any]:
    """The initial values of a form for that query; `prefilled` names the fields that replace an unsent draft.

    Http404 for an image or start image that the member may not use.
    """
    saved = saved_choices(member)
    use = query.get("use", "all")
    if "from" in query:
        return saved | _with_use(_of_generation(member, _uuid(query["from"])), use)
    if "image" in query:
        return saved | _with_use(_of_image(member, _uuid(query["image"])), use)
    if "start" in query:
        return saved | _with_start_image(member, _uuid(query["start"]))
    for example in EXAMPLES:
        if example["name"] == query.get("example"):
            return saved | {**example, "count": 1, "style_preset": "", "prefilled": "*"}
    return saved


def _with_use(values: dict[str, Any], use: str) -> dict[str, Any]:
    use = use if use in USES else "all"
    if use == "remix":
        values.pop("seed", None)
    if USES[use] != "*":
        values = {field: values.get(field, "") for field in USES[use].split()}
    else:
        values |= {"count": 1, "style_preset": values.get("style_preset", "")}
    return values | {"prefilled": USES[use]}


def _of_generation(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """The request of a generation of the member, or of one whose image they may see."""
    image = Image.objects.visible_to(member).filter(generation=pk).order_by("position").first()
    mine = member.generations.select_related("batch").filter(pk=pk).first()
    if image is None and mine is None:
        raise Http404
    seed = {"seed": image.seed} if image and image.seed else {}
    if mine and mine.parameters:
        return {**mine.parameters, "model": mine.model, "start": mine.batch.start_image_id, **seed}
    return _stored_with(image) if image else {}


def _of_image(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    """The request of an image that the member may see, also if it has no generation."""
    image = get_object_or_404(Image.objects.visible_to(member), pk=pk)
    if image.generation and member.generations.filter(pk=image.generation).exists():
        return _of_generation(member, image.generation)
    return _stored_with(image)


def _stored_with(image: Image) -> dict[str, Any]:
    """The parameters stored with the image; an uploaded one may have values of any type."""
    stored = {"prompt": image.prompt, "negative_prompt": image.negative_prompt, **image.parameters}
    known = ((name, stored.get(name)) for name in PARAMETERS)
    values: dict[str, Any] = {
        name: str(value) for name, value in known if isinstance(value, str | int | float)
    }
    if image.model:
        values["model"] = image.model
    if image.seed:
        values["seed"] = image.seed
    return values


def _with_start_image(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    if not Upload.objects.filter(owner=member, pk=pk).exists():
        raise Http404
    saved = saved_choices(member)
    return {
        "start": pk,
        "model": saved["model"] if saved["model"] != "core" else "ultra",
        "prefilled": "start model",
    }


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None
