"""The context of the page of one image: neighbours, tags, parameters, cost, and history."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from generations.credits.models import Hold, Transfer, TransferKind
from generations.jobs import follow_ups, styles
from generations.jobs import inputs as job_inputs
from generations.jobs.create import controls
from generations.jobs.create import history as create_history
from generations.jobs.engine import queue_position
from generations.jobs.inputs import ShownInput
from generations.jobs.live import feed
from generations.jobs.models import BatchInput, Generation
from generations.library.images import chain as images_chain
from generations.library.images import detail as images_detail
from generations.library.images import neighbours
from generations.library.models import Image, ImageKind
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Field, Flag, Number, Text, When
from generations.teams.models import Membership
from generations.teams.permissions import may

MAX_BATCHES = 100  # that are looked at for pictures made with an image
MIN_COMPARED, MAX_COMPARED = 2, 4  # pictures beside each other
COMPARED = (ImageKind.IMAGE, ImageKind.SVG)
NEARLY_ONE_RATIO = 0.03  # difference of the logarithms; sizes are rounded to 64 pixels by some providers
NONE_MADE: Mapping[str, str] = MappingProxyType({})
# Parameters that have a place of their own on the page.
SHAPE = "aspect_ratio"  # beside the size
SHOWN_APART = ("prompt", "negative_prompt", "text_prompts", "seed", "output_format")


def detail_context(
    member: Membership, row: Generation | None, image: Image | None, query: QueryDict
) -> dict[str, Any]:
    """The context of the page; the generation or the image may be missing, not both.

    `query` holds the search in which the image was found.
    """
    mine = (row.member_id if row else image and image.owner_id) == member.pk
    attempts = list(row.attempts.all()) if row else []
    parameters = dict(row.parameters if row else {}) or (parameters_of(image) if image else {})
    model = row.model if row else image.model if image else ""
    made = styles.titles(member, catalogue_registry.MODELS.get(model), parameters)
    facts = facts_of(model, parameters, made)
    return {
        "member": member,
        "generation": row,
        "image": image,
        "mine": mine,
        "who": row.member if row else image and image.owner,
        "queue_position": queue_position.position_of(row) if row else None,
        "parameters": parameters,
        "shape": next((fact for fact in facts if fact.name == SHAPE), None),
        "facts": [fact for fact in facts if fact.name != SHAPE],
        "seed": (image.seed if image else None) or parameters.get("seed"),
        "as_json": json.dumps(parameters, ensure_ascii=False, indent=2),
        "made_with": _made_with(member, row, mine=mine),
        "task": feed.open_tasks([row]).get(row.pk) if row else None,
        "hold": _hold(row) if row and (mine or may(member, "see_spending")) else None,
        "refund": _refund(row) if row and (mine or may(member, "see_spending")) else None,
        "timeline": create_history.timeline(row, attempts) if row else [],
        "seconds": (row.ended_at - row.created_at).total_seconds() if row and row.ended_at else None,
        **(_library_context(member, image, query) if image else {}),
    }


@dataclass(frozen=True)
class Source:
    """A picture that a request was made with, and its image of the library if the member may see that."""

    sent: ShownInput
    image: Image | None


@dataclass(frozen=True)
class Fact:
    """One parameter as the page shows it."""

    name: str
    title: str
    value: str
    is_wide: bool = False


def facts_of(
    model_name: str, parameters: Mapping[str, Any], made: Mapping[str, str] = NONE_MADE
) -> list[Fact]:
    """The parameters in the order of the model's fields; of an unknown model under their own names.

    `made` are the names of the team's styles by their ids.
    """
    model = catalogue_registry.MODELS.get(model_name)
    shown = {name: value for name, value in parameters.items() if name not in SHOWN_APART}
    if model is None:
        return [Fact(name, name, str(value), is_wide=True) for name, value in shown.items()]
    facts = []
    for field in controls.fields_of(model):
        value = shown.get(field.name)
        if value is None and field.name == SHAPE and field.when is When.ALWAYS:
            value = field.default  # what the provider took
        if value is not None:
            text = made.get(str(value)) or _value_text(field, value)
            facts.append(Fact(field.name, _(field.title), text, isinstance(field, Text)))
    return facts


def _value_text(field: Field, value: Any) -> str:
    match field:
        case Choice():
            return _(field.choices.get(str(value), str(value)))
        case Number() if isinstance(value, int | float):
            return controls.number_text(value)
        case Flag():
            return _("yes")
        case _:
            return str(value)


def parameters_of(image: Image) -> dict[str, Any]:
    """The parameters stored with the image, for one without a generation."""
    texts = {"prompt": image.prompt, "negative_prompt": image.negative_prompt}
    return {**{name: text for name, text in texts.items() if text}, **image.parameters}


def _library_context(member: Membership, image: Image, query: QueryDict) -> dict[str, Any]:
    """Neighbours of the image in its search, and how it is organised."""
    around = neighbours.around(member, image, query)
    chain = images_chain.of_image(member, image, _batches_made_with(image))
    siblings = images_detail.siblings(member, image)
    before = chain.parent if chain and _can_be_compared(image, chain.parent) else None
    return {
        "chain": chain,
        "before": before,
        "is_compared": before is not None and "compare" in query,
        "follow_ups": follow_ups.of_images(member, [image]).get(image.pk),
        "beside": around,
        "search_address": around.search.query_string(),
        "strip": [*around.left, image, *around.right] if around.left or around.right else [],
        "siblings": siblings,
        "compared_siblings": compare_query(image, siblings),
        "compared_steps": compare_query(image, [step.image for step in chain.steps]),
        "details": images_detail.details(member, image),
        "collection_choices": images_detail.collection_choices(member, image)
        if may(member, "organise")
        else [],
    }


def _batches_made_with(image: Image) -> list[uuid.UUID]:
    """The newest batches that the image was an input of."""
    inputs = BatchInput.objects.filter(image=image.pk).order_by("-batch")
    return list(inputs.values_list("batch", flat=True)[:MAX_BATCHES])


def _made_with(member: Membership, row: Generation | None, *, mine: bool) -> list[Source]:
    """The pictures that the request was made with: one's own, and those of the library that one may see."""
    inputs = job_inputs.shown(row.batch) if row else []
    named = [each.image for each in inputs if each.image]
    visible = Image.objects.visible_to(member).in_bulk(named) if named else {}
    sources = [Source(each, visible.get(each.image) if each.image else None) for each in inputs]
    return [each for each in sources if mine or each.image]


def compare_query(image: Image, others: Sequence[Image]) -> str:
    """The query string of the page that compares an image with those beside it; "" if there are none."""
    pictures = [each for each in others if each.kind in COMPARED]
    place = next((number for number, each in enumerate(pictures) if each.pk == image.pk), None)
    if place is None or len(pictures) < MIN_COMPARED:
        return ""
    start = max(0, min(place - 1, len(pictures) - MAX_COMPARED))
    return urlencode([("image", str(each.pk)) for each in pictures[start : start + MAX_COMPARED]])


def _can_be_compared(image: Image, parent: Image | None) -> bool:
    """Whether an image can be laid over its parent: both are pictures of nearly one ratio."""
    if parent is None or {image.kind, parent.kind} != {ImageKind.IMAGE}:
        return False
    return abs(math.log(image.width * parent.height / (image.height * parent.width))) < NEARLY_ONE_RATIO


def _hold(row: Generation) -> Hold | None:
    return Hold.objects.select_related("transfer").filter(reference=row.pk).first()


def _refund(row: Generation) -> Transfer | None:
    return Transfer.objects.filter(reference=row.pk, kind=TransferKind.REFUND).first()
