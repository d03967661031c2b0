"""The models of the catalogue, as their declarations describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from ninja import Router

from generations.api.v1 import serializers
from generations.api.v1.auth import READ_OR_GENERATE, ApiRequest, member_with_scope
from generations.api.v1.openapi import responses
from generations.api.v1.schemas.catalogue import ModelOut
from generations.jobs import model_access, pricing, styles
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Field, When
from generations.providers.catalogue.inputs import IMAGE, Input
from generations.providers.catalogue.model import Model
from generations.upstreams.models import Upstream

router = Router(tags=["Account"])  # generated clients have their methods under this name

OLD_NAMES = {"kind": "type", "max_length": "longest"}  # which programs from before 2026-12 read


@router.get("/models", response=responses(200, list[ModelOut]), summary="List models", exclude_unset=True)
def list_models(request: ApiRequest) -> list[dict[str, Any]]:
    """List all models with their fields, their inputs and their current price for the team."""
    member, token = member_with_scope(request, *READ_OR_GENERATE), request.auth.token
    prices, closed = pricing.price_list(member.team), model_access.closed_models(member)
    upstreams, made = list(Upstream.objects.filter(enabled=True)), styles.visible(member)
    return [
        {
            "name": name,
            "title": model.title,
            "system": catalogue_registry.system_of(name),
            "operation": model.operation.value,
            "output": model.output.value,
            "clause": _(model.clause),
            "price": serializers.in_credits(prices[name]),
            "available": name not in closed
            and (not token.models or name in token.models)
            and any(upstream.serves(name) for upstream in upstreams),
            "sizes": {shape: list(size) for shape, size in model.sizes.items()},
            "languages": list(model.languages),
            "fields": [
                _field(field, styles.offered(made, field, model)) for field in model.fields if field.kind
            ]
            + _start_image(model),
            "inputs": [_input(each) for each in model.inputs],
        }
        for name, model in catalogue_registry.MODELS.items()
    ]


def _field(field: Field, made: Mapping[str, str]) -> dict[str, Any]:
    """Serialize a field of a model with its limits; `made` are the team's styles that it offers."""
    document = {
        "name": field.name,
        "title": field.title,
        "help": field.help,
        "kind": field.kind.value,
        "required": field.required,
        "default": field.default,
        "when": field.when.value,
        **field.limits,
    }
    if made:
        document |= {"choices": [*document["choices"], *made], "titles": dict(made)}
    return document | {old: document[name] for name, old in OLD_NAMES.items() if name in document}


def _input(each: Input) -> dict[str, Any]:
    """Serialize an input of a model with its limits."""
    limits = ("minimum", "maximum", "max_bytes", "max_pixels", "min_side", "max_ratio")
    return {
        "role": each.role,
        "title": each.title,
        "help": each.help,
        "media_types": list(each.media_types),
        **{name: getattr(each, name) for name in limits},
    }


def _start_image(model: Model) -> list[dict[str, Any]]:
    """The input in the role `image`, as it was listed before there were `inputs`."""
    declared = model.input(IMAGE)
    if declared is None:
        return []
    return [
        {
            "name": "start_image",
            "title": declared.title,
            "help": declared.help,
            "kind": "image",
            "required": declared.minimum > 0,
            "default": None,
            "when": When.WITH_IMAGE.value,
            "type": "image",
        }
    ]
