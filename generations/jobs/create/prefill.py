"""A new form that starts from something: an earlier picture, a start image, an example."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404

from generations.jobs.create.context import EXAMPLES, usual_choices
from generations.jobs.create.forms import PARAMETERS
from generations.library.models import Image, Upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generations.teams.models import Membership

# What each way of using a picture takes over; "*" leaves nothing of an unsent draft.
USES = {"all": "*", "remix": "*", "prompt": "prompt negative_prompt", "seed": "seed"}


def initial(member: Membership, query: Mapping[str, str]) -> dict[str, Any]:
    """The first values of a form for that address; `prefilled` names those that win over a draft.

    Http404 for a picture or start image that the person may not use.
    """
    usual = usual_choices(member)
    use = query.get("use", "all")
    if "from" in query:
        return usual | _used(_request(member, _uuid(query["from"])), use)
    if "image" in query:
        return usual | _used(_of_image(member, _uuid(query["image"])), use)
    if "start" in query:
        return usual | _started(member, _uuid(query["start"]))
    for example in EXAMPLES:
        if example["name"] == query.get("example"):
            return usual | {**example, "count": 1, "style_preset": "", "prefilled": "*"}
    return usual


def _used(values: dict[str, Any], use: str) -> dict[str, Any]:
    use = use if use in USES else "all"
    if use == "remix":
        values.pop("seed", None)
    if USES[use] != "*":
        values = {field: values.get(field, "") for field in USES[use].split()}
    else:
        values |= {"count": 1, "style_preset": values.get("style_preset", "")}
    return values | {"prefilled": USES[use]}


def _request(member: Membership, name: uuid.UUID) -> dict[str, Any]:
    """What was asked for in a generation of mine, or in one whose picture I may see."""
    image = Image.objects.visible_to(member).filter(generation=name).order_by("position").first()
    mine = member.generations.select_related("batch").filter(pk=name).first()
    if image is None and mine is None:
        raise Http404
    seed = {"seed": image.seed} if image and image.seed else {}
    if mine:
        return {**mine.parameters, "model": mine.model, "start": mine.batch.start_image_id, **seed}
    return _told_by(image) if image else {}


def _of_image(member: Membership, name: uuid.UUID) -> dict[str, Any]:
    """What was asked for in a picture that I may see, also if its generation is gone or never was."""
    image = get_object_or_404(Image.objects.visible_to(member), pk=name)
    if image.generation and member.generations.filter(pk=image.generation).exists():
        return _request(member, image.generation)
    return _told_by(image)


def _told_by(image: Image) -> dict[str, Any]:
    """What stands on the picture itself; one that was brought here may have anything written on it."""
    kept = {"prompt": image.prompt, "negative_prompt": image.negative_prompt, **image.parameters}
    known = ((name, kept.get(name)) for name in PARAMETERS)
    values: dict[str, Any] = {
        name: str(value) for name, value in known if isinstance(value, str | int | float)
    }
    if image.model:
        values["model"] = image.model
    if image.seed:
        values["seed"] = image.seed
    return values


def _started(member: Membership, name: uuid.UUID) -> dict[str, Any]:
    if not Upload.objects.filter(owner=member, pk=name).exists():
        raise Http404
    usual = usual_choices(member)
    return {
        "start": name,
        "model": usual["model"] if usual["model"] != "core" else "ultra",
        "prefilled": "start model",
    }


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None
