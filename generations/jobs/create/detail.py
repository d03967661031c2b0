"""The context of the page of one image: neighbours, tags, parameters, cost, and history."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from generations.credits.models import Hold, Transfer, TransferKind
from generations.jobs import follow_ups
from generations.jobs.create import controls
from generations.jobs.create import history as create_history
from generations.jobs.engine import queue_position
from generations.jobs.live import feed
from generations.jobs.models import Generation
from generations.library.images import chain as images_chain
from generations.library.images import detail as images_detail
from generations.library.images import neighbours
from generations.library.models import Image, ImageKind
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Field, Flag, Number, Text, When
from generations.teams.models import Membership
from generations.teams.permissions import may

NEARLY_ONE_RATIO = 0.03  # difference of the logarithms; sizes are rounded to 64 pixels by some providers
# Parameters that have a place of their own on the page.
SHOWN_APART = ("prompt", "negative_prompt", "text_prompts", "seed", "output_format")


def detail_context(
    member: Membership, row: Generation | None, image: Image | None, query: QueryDict
) -> dict[str, Any]:
    """The context of the page; the generation or the image may be missing, not both.

    `query` holds the search in which the image was found.
    """
    mine = (row.member_id if row else image and image.owner_id) == member.pk
    attempts = list(row.attempts.all()) if row else []
    parameters = dict(row.parameters if row else {}) or (_parameters_of(image) if image else {})
    return {
        "member": member,
        "generation": row,
        "image": image,
        "mine": mine,
        "who": row.member if row else image and image.owner,
        "queue_position": queue_position.position_of(row) if row else None,
        "parameters": parameters,
        "facts": _facts(row.model if row else image.model if image else "", parameters),
        "seed": (image.seed if image else None) or parameters.get("seed"),
        "as_json": json.dumps(parameters, ensure_ascii=False, indent=2),
        "task": feed.open_tasks([row]).get(row.pk) if row else None,
        "hold": _hold(row) if row and (mine or may(member, "see_spending")) else None,
        "refund": _refund(row) if row and (mine or may(member, "see_spending")) else None,
        "timeline": create_history.timeline(row, attempts) if row else [],
        "seconds": (row.ended_at - row.created_at).total_seconds() if row and row.ended_at else None,
        **(_library_context(member, image, query) if image else {}),
    }


@dataclass(frozen=True)
class Fact:
    """One parameter as the page shows it."""

    title: str
    value: str
    is_wide: bool = False


def _facts(model_name: str, parameters: Mapping[str, Any]) -> list[Fact]:
    """The parameters in the order of the model's fields; of an unknown model under their own names."""
    model = catalogue_registry.MODELS.get(model_name)
    shown = {name: value for name, value in parameters.items() if name not in SHOWN_APART}
    if model is None:
        return [Fact(name, str(value), is_wide=True) for name, value in shown.items()]
    facts = []
    for field in controls.fields_of(model):
        value = shown.get(field.name)
        if value is None and field.name == "aspect_ratio" and field.when is When.ALWAYS:
            value = field.default  # what the provider took
        if value is not None:
            facts.append(Fact(_(field.title), _value_text(field, value), isinstance(field, Text)))
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


def _parameters_of(image: Image) -> dict[str, Any]:
    """The parameters stored with the image, for one without a generation."""
    texts = {"prompt": image.prompt, "negative_prompt": image.negative_prompt}
    return {**{name: text for name, text in texts.items() if text}, **image.parameters}


def _library_context(member: Membership, image: Image, query: QueryDict) -> dict[str, Any]:
    """Neighbours of the image in its search, and how it is organised."""
    around = neighbours.around(member, image, query)
    chain = images_chain.of_image(member, image)
    before = chain.parent if chain and _can_be_compared(image, chain.parent) else None
    return {
        "chain": chain,
        "before": before,
        "is_compared": before is not None and "compare" in query,
        "follow_ups": follow_ups.of_images(member, [image]).get(image.pk),
        "beside": around,
        "search_address": around.search.query_string(),
        "strip": [*around.left, image, *around.right] if around.left or around.right else [],
        "siblings": images_detail.siblings(member, image),
        "details": images_detail.details(member, image),
        "collection_choices": images_detail.collection_choices(member, image)
        if may(member, "organise")
        else [],
    }


def _can_be_compared(image: Image, parent: Image | None) -> bool:
    """Whether an image can be laid over its parent: both are pictures of nearly one ratio."""
    if parent is None or {image.kind, parent.kind} != {ImageKind.IMAGE}:
        return False
    return abs(math.log(image.width * parent.height / (image.height * parent.width))) < NEARLY_ONE_RATIO


def _hold(row: Generation) -> Hold | None:
    return Hold.objects.select_related("transfer").filter(reference=row.pk).first()


def _refund(row: Generation) -> Transfer | None:
    return Transfer.objects.filter(reference=row.pk, kind=TransferKind.REFUND).first()
