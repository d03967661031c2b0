"""A new form that starts from something: an earlier picture, a start image, an example."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.http import Http404

from generations.jobs.desk import EXAMPLES, usual_choices
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
    if "from" in query:
        use = query.get("use", "all")
        return usual | _used(member, _uuid(query["from"]), use if use in USES else "all")
    if "start" in query:
        return usual | _started(member, _uuid(query["start"]))
    for example in EXAMPLES:
        if example["name"] == query.get("example"):
            return usual | {**example, "count": 1, "style_preset": "", "prefilled": "*"}
    return usual


def _used(member: Membership, name: uuid.UUID, use: str) -> dict[str, Any]:
    values = _request(member, name)
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
    if mine:
        values = dict(mine.parameters) | {"model": mine.model, "start": mine.batch.start_image_id}
    elif image:
        values = dict(image.parameters) | {"model": image.model}
    else:
        raise Http404
    if image and image.seed:
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
