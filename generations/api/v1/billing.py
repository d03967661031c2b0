"""Operations on caps, allowances, prices and model access. They need the scope `administer`."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from ninja import Router

from generations.api.v1 import serializers
from generations.api.v1.auth import ApiRequest, administrator, team_member
from generations.api.v1.openapi import responses
from generations.api.v1.schemas.office import (
    AllowanceIn,
    AllowanceOut,
    CapsIn,
    CapsOut,
    RulesIn,
    TeamModelOut,
)
from generations.credits import caps as credits_caps
from generations.credits import ledger
from generations.credits.amounts import HUNDREDTHS
from generations.office.credits import allowances
from generations.office.credits import service as credits_service
from generations.office.models import Allowance, AllowanceKind
from generations.office.prices import service as prices_service
from generations.office.prices import table as prices_table
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.actor import actor_of
from generations.teams.models import Membership, Role

router = Router(tags=["Caps, allowances and prices"])
CAPS, ALLOWANCE = "/team/members/{int:pk}/caps", "/team/members/{int:pk}/allowance"


@router.get(CAPS, response=responses(200, CapsOut, 404), summary="Get a member's caps")
def get_caps(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Return what a member may spend per day and month, and how much of it is used."""
    return _caps(team_member(administrator(request, "grant"), pk))


@router.put(CAPS, response=responses(200, CapsOut, 400, 403, 404, 422), summary="Set a member's caps")
def set_caps(request: ApiRequest, pk: int, payload: CapsIn) -> dict[str, Any]:
    """Set both caps; null removes a cap. They apply to the next request."""
    requester = administrator(request, "grant")
    credits_service.set_caps(
        member=team_member(requester, pk),
        per_day=_hundredths(payload.per_day),
        per_month=_hundredths(payload.per_month),
        by=actor_of(request),
    )
    return _caps(team_member(requester, pk))


@router.get(ALLOWANCE, response=responses(200, AllowanceOut, 404), summary="Get a member's allowance")
def get_allowance(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Return what a member gets from the pool each month; nulls if there is no allowance."""
    return _allowance(team_member(administrator(request, "grant"), pk))


@router.put(
    ALLOWANCE,
    response=responses(200, AllowanceOut, 400, 404, 422),
    summary="Set a member's allowance",
)
def set_allowance(request: ApiRequest, pk: int, payload: AllowanceIn) -> dict[str, Any]:
    """Set the monthly allowance. If it starts now, this month's is granted at once, and never twice."""
    requester = administrator(request, "grant")
    allowances.set_allowance(
        member=team_member(requester, pk),
        kind=AllowanceKind(payload.kind),
        amount=round(payload.credits * HUNDREDTHS),
        from_this_month=payload.starts == "now",
        by=actor_of(request),
    )
    return _allowance(team_member(requester, pk))


@router.delete(ALLOWANCE, response=responses(204, None, 404), summary="Delete a member's allowance")
def delete_allowance(request: ApiRequest, pk: int) -> HttpResponse:
    """End the monthly allowance. Granted credits stay. No effect if there is none."""
    allowances.end_allowance(member=team_member(administrator(request, "grant"), pk), by=actor_of(request))
    return HttpResponse(status=204)


@router.get("/team/models", response=responses(200, list[TeamModelOut]), summary="List the team's models")
def list_models(request: ApiRequest) -> list[dict[str, Any]]:
    """List each model's current and future price for the team, and the roles that may use it.

    Only operators can change prices, on their own page.
    """
    return [_model(row) for row in prices_table.price_table(administrator(request, "see_spending").team)]


@router.put(
    "/team/models/{model}",
    response=responses(200, TeamModelOut, 400, 404, 422),
    summary="Set a model's roles",
)
def set_model_roles(request: ApiRequest, model: str, payload: RulesIn) -> dict[str, Any]:
    """Set which roles may use a model. Without a role nobody in the team may use it."""
    team = administrator(request).team
    if model not in catalogue_registry.MODELS:
        raise Http404
    prices_service.set_rule(
        team=team, model=model, roles=[Role(role) for role in payload.roles], by=actor_of(request)
    )
    return next(_model(row) for row in prices_table.price_table(team) if row.model.name == model)


def _hundredths(credits_: float | None) -> int | None:
    return None if credits_ is None else round(credits_ * HUNDREDTHS)


def _credits(amount: int | None) -> float | None:
    return None if amount is None else serializers.in_credits(amount)


def _caps(row: Membership) -> dict[str, Any]:
    limits = credits_caps.Limits(row, row.cap_per_day, row.cap_per_month)
    usages = credits_caps.usage(limits, ledger.open_wallet(row))
    return {
        "per_day": _credits(row.cap_per_day),
        "per_month": _credits(row.cap_per_month),
        "standing": [serializers.cap(usage) for usage in usages],
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
