"""What members may spend and are given each month, what models cost the team, and who may use them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from ninja import Router

from generations.api.v1 import serializers
from generations.api.v1.auth import Asked, by, colleague, keeper
from generations.api.v1.responses import answers
from generations.api.v1.schemas.office import (
    AllowanceIn,
    AllowanceOut,
    CapsIn,
    CapsOut,
    RulesIn,
    TeamModelOut,
)
from generations.credits import caps as limits
from generations.credits import ledger
from generations.credits.amounts import HUNDREDTHS
from generations.office.credits import allowances
from generations.office.credits import service as credits_service
from generations.office.models import Allowance, AllowanceKind
from generations.office.prices import service as prices_service
from generations.office.prices import table as prices_table
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership, Role

router = Router(tags=["Money of the team"])
CAPS, ALLOWANCE = "/team/members/{int:pk}/caps", "/team/members/{int:pk}/allowance"


@router.get(CAPS, response=answers(200, CapsOut, 404), summary="What a member may spend")
def caps_of(request: Asked, pk: int) -> dict[str, Any]:
    """By day and by month, and how far that is used."""
    return _caps(colleague(keeper(request, "grant"), pk))


@router.put(CAPS, response=answers(200, CapsOut, 400, 403, 404, 422), summary="Cap what a member may spend")
def set_caps(request: Asked, pk: int, payload: CapsIn) -> dict[str, Any]:
    """Both at once; null takes a cap away. Whoever spends next is held to it."""
    acting = keeper(request, "grant")
    credits_service.set_caps(
        member=colleague(acting, pk),
        per_day=_hundredths(payload.per_day),
        per_month=_hundredths(payload.per_month),
        by=by(request),
    )
    return _caps(colleague(acting, pk))


@router.get(ALLOWANCE, response=answers(200, AllowanceOut, 404), summary="What a member is given each month")
def allowance_of(request: Asked, pk: int) -> dict[str, Any]:
    """From the pool, by itself; nulls for nothing."""
    return _allowance(colleague(keeper(request, "grant"), pk))


@router.put(
    ALLOWANCE,
    response=answers(200, AllowanceOut, 400, 404, 422),
    summary="Give a member something each month",
)
def set_allowance(request: Asked, pk: int, payload: AllowanceIn) -> dict[str, Any]:
    """This month's is given at once if it starts now and the pool has it, and never twice."""
    acting = keeper(request, "grant")
    allowances.set_allowance(
        member=colleague(acting, pk),
        kind=AllowanceKind(payload.kind),
        amount=round(payload.credits * HUNDREDTHS),
        from_this_month=payload.starts == "now",
        by=by(request),
    )
    return _allowance(colleague(acting, pk))


@router.delete(ALLOWANCE, response=answers(204, None, 404), summary="Give a member nothing more by itself")
def end_allowance(request: Asked, pk: int) -> HttpResponse:
    """What was given stays; that there was no allowance is no mistake."""
    allowances.end_allowance(member=colleague(keeper(request, "grant"), pk), by=by(request))
    return HttpResponse(status=204)


@router.get("/team/models", response=answers(200, list[TeamModelOut]), summary="Prices, and who may use what")
def models(request: Asked) -> list[dict[str, Any]]:
    """What each model costs the team now and will cost. Prices are set by operators, on their page."""
    return [_model(row) for row in prices_table.price_table(keeper(request, "see_spending").team)]


@router.put(
    "/team/models/{model}",
    response=answers(200, TeamModelOut, 400, 404, 422),
    summary="Say which roles may use a model",
)
def set_rule(request: Asked, model: str, payload: RulesIn) -> dict[str, Any]:
    """Those alone; no role at all closes it to the team."""
    team = keeper(request).team
    if model not in catalogue_registry.MODELS:
        raise Http404
    prices_service.set_rule(
        team=team, model=model, roles=[Role(role) for role in payload.roles], by=by(request)
    )
    return next(_model(row) for row in prices_table.price_table(team) if row.model.name == model)


def _hundredths(told: float | None) -> int | None:
    return None if told is None else round(told * HUNDREDTHS)


def _credits(amount: int | None) -> float | None:
    return None if amount is None else serializers.in_credits(amount)


def _caps(row: Membership) -> dict[str, Any]:
    wanted = limits.Limits(row, row.cap_per_day, row.cap_per_month)
    rooms = limits.rooms(wanted, ledger.open_wallet(row))
    return {
        "per_day": _credits(row.cap_per_day),
        "per_month": _credits(row.cap_per_month),
        "standing": [serializers.cap(room) for room in rooms],
    }


def _allowance(row: Membership) -> dict[str, Any]:
    allowance: Allowance | None = getattr(row, "allowance", None)
    return {
        "kind": allowance.kind if allowance else None,
        "credits": _credits(allowance.amount if allowance else None),
        "first_month": allowance.first_month if allowance else None,
        "is_given": allowances.is_granted(row),
    }


def _model(row: prices_table.PriceRow) -> dict[str, Any]:
    return {
        "name": row.model.name,
        "title": row.model.title,
        "price": serializers.in_credits(row.price),
        "since": row.since,
        "is_own": row.is_own,
        "price_everywhere": serializers.in_credits(row.general_price),
        "to_come": [
            {
                "price": serializers.in_credits(each.amount),
                "valid_from": each.valid_from,
                "is_own": each.team_id is not None,
            }
            for each in row.future_prices
        ],
        "roles": [each.role for each in row.roles if each.is_allowed],
        "is_served": row.is_served,
    }
