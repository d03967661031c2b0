"""The token's member, wallet and ledger."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Router

from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import READ_OR_GENERATE, ApiRequest, member_with_scope
from generations.api.v1.openapi import responses
from generations.api.v1.schemas.team import CreditsOut, LinePage, MeOut
from generations.credits import caps, ledger, statement
from generations.credits.models import Transfer
from generations.jobs import model_access
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Scope, Token

router = Router(tags=["Account"])


@router.get("/me", response=responses(200, MeOut), summary="Get the current member")
def get_me(request: ApiRequest) -> dict[str, Any]:
    """Return the member for whom the token acts, and the limits of the token. Needs no scope."""
    token, member = request.auth.token, request.auth.member
    return {
        "member": str(member),
        "role": member.role,
        "kind": member.kind,
        "team": member.team.name,
        "team_address": member.team.slug,
        "token": _token(token),
    }


@router.get("/credits", response=responses(200, CreditsOut), summary="Get the wallet")
def get_credits(request: ApiRequest) -> dict[str, Any]:
    """Return the member's credits and caps."""
    member = member_with_scope(request, *READ_OR_GENERATE)
    wallet = ledger.open_wallet(member)
    limits = caps.Limits(member, member.cap_per_day, member.cap_per_month)
    return {
        "balance": serializers.in_credits(wallet.balance),
        "held": serializers.in_credits(wallet.held),
        "available": serializers.in_credits(wallet.available),
        "caps": [serializers.cap(cap) for cap in caps.usage(limits, wallet)],
    }


@router.get("/credits/lines", response=responses(200, LinePage, 404, 422), summary="List ledger entries")
def list_ledger_entries(
    request: ApiRequest,
    before: pagination.BeforeNumber = None,
) -> dict[str, Any]:
    """List the entries of the member's wallet in the ledger, newest first, 50 per page."""
    member = member_with_scope(request, Scope.READ)
    last = get_object_or_404(Transfer, member=member, pk=before) if before else None
    entries, older = statement.posted(member, ledger.open_wallet(member), before=last)
    return {"items": [_line(entry) for entry in entries], "next": pagination.next_path(request, older)}


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


def _line(entry: statement.StatementEntry) -> dict[str, Any]:
    return {
        "number": entry.transfer_id,
        "kind": entry.state,
        "amount": serializers.in_credits(entry.amount),
        "model": entry.model,
        "note": entry.note,
        "reference": entry.reference,
        "generation": entry.generation,
        "created_at": entry.created_at,
    }
