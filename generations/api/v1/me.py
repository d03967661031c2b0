"""For whom a token acts, what there is to spend, and what can be asked for at which price."""

from __future__ import annotations

from typing import Annotated, Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import EITHER, Asked, member_for
from generations.api.v1.responses import answers
from generations.api.v1.schemas.team import CreditsOut, LinePage, MeOut, ModelOut
from generations.credits import caps, ledger, statement
from generations.credits.models import Transfer
from generations.jobs import model_access, pricing
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Field, Image, Number, Text
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Scope, Token
from generations.upstreams.models import Upstream

router = Router(tags=["Account"])
LARGEST = 2**63 - 1


@router.get("/me", response=answers(200, MeOut), summary="For whom this token acts")
def me(request: Asked) -> dict[str, Any]:
    """Any token may ask."""
    token, member = request.auth.token, request.auth.member
    return {
        "member": str(member),
        "role": member.role,
        "kind": member.kind,
        "team": member.team.name,
        "team_address": member.team.slug,
        "token": _token(token),
    }


@router.get("/credits", response=answers(200, CreditsOut), summary="What there is to spend")
def balance(request: Asked) -> dict[str, Any]:
    """The member's wallet and caps."""
    member = member_for(request, *EITHER)
    wallet = ledger.open_wallet(member)
    limits = caps.Limits(member, member.cap_per_day, member.cap_per_month)
    return {
        "balance": serializers.in_credits(wallet.balance),
        "held": serializers.in_credits(wallet.held),
        "available": serializers.in_credits(wallet.available),
        "caps": [serializers.cap(room) for room in caps.rooms(limits, wallet)],
    }


@router.get("/credits/lines", response=answers(200, LinePage, 404, 422), summary="The member's ledger")
def lines(
    request: Asked,
    before: Annotated[int | None, Query(ge=1, le=LARGEST, description="A page's last number.")] = None,
) -> dict[str, Any]:
    """The newest lines first, 50 at once."""
    member = member_for(request, Scope.READ)
    last = get_object_or_404(Transfer, member=member, pk=before) if before else None
    entries, older = statement.written(member, ledger.open_wallet(member), before=last)
    return {"items": [_line(entry) for entry in entries], "next": pagination.following(request, older)}


@router.get("/models", response=answers(200, list[ModelOut]), summary="Models and prices")
def models(request: Asked) -> list[dict[str, Any]]:
    """What each model takes, and what one picture costs this team now."""
    member, token = member_for(request, *EITHER), request.auth.token
    prices, closed = pricing.price_list(member.team), model_access.closed_models(member)
    upstreams = list(Upstream.objects.filter(enabled=True))
    return [
        {
            "name": name,
            "title": model.title,
            "clause": _(model.clause),
            "price": serializers.in_credits(prices[name]),
            "available": name not in closed
            and (not token.models or name in token.models)
            and any(upstream.serves(name) for upstream in upstreams),
            "sizes": {shape: list(size) for shape, size in model.sizes.items()},
            "languages": list(model.languages),
            "fields": [_field(field) for field in model.fields],
        }
        for name, model in catalogue_registry.MODELS.items()
    ]


def _token(token: Token) -> dict[str, Any]:
    used = model_access.spent_by([token]).get(token.pk, 0)
    return {
        "name": token.name,
        "hint": token.hint,
        "scopes": [scope.value for scope in Scope if teams_api_tokens.allows(token, scope)],
        "expires_at": token.expires_at,
        "cap": None if token.cap is None else serializers.in_credits(token.cap),
        "used": serializers.in_credits(used),
        "models": token.models,
    }


def _line(entry: statement.Entry) -> dict[str, Any]:
    return {
        "number": entry.line_number,
        "kind": entry.state,
        "amount": serializers.in_credits(entry.amount),
        "model": entry.model,
        "note": entry.note,
        "reference": entry.reference,
        "generation": entry.generation,
        "created_at": entry.when,
    }


def _field(field: Field) -> dict[str, Any]:
    """A field of a model as a program reads it."""
    name = "start_image" if isinstance(field, Image) else field.name
    facts: dict[str, Any] = {"name": name, "required": field.required, "default": field.default}
    facts["when"] = field.when.value
    if isinstance(field, Text):
        facts |= {"type": "text", "longest": field.max_length}
    elif isinstance(field, Choice):
        facts |= {"type": "choice", "choices": list(field.values)}
    elif isinstance(field, Number):
        kind = "whole number" if field.whole else "number"
        facts |= {"type": kind, "minimum": field.minimum, "maximum": field.maximum}
    else:
        facts["type"] = "image"
    return facts
