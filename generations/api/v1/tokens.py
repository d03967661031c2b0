"""API tokens of the team: listed, made and revoked by programs that run it.

What a token makes does no more than itself: `office.api_tokens` sees to that.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router

from generations.api.v1 import idempotent, pagination, serializers
from generations.api.v1.auth import Asked, by, colleague, keeper, known
from generations.api.v1.errors import on_one_line
from generations.api.v1.responses import KEY, answers
from generations.api.v1.schemas.office import MadeTokenOut, SecretOut, TokenIn, TokenPage
from generations.credits.amounts import HUNDREDTHS
from generations.jobs import model_access
from generations.office.tokens import service as tokens_service
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope, Token

router = Router(tags=["Tokens"])


@router.get("/team/tokens", response=answers(200, TokenPage, 404, 422), summary="The team's tokens")
def listed(
    request: Asked,
    limit: pagination.Limit = 50,
    before: pagination.Number = None,
    member: pagination.Number = None,
    state: Literal["good", "ended"] = "good",
) -> dict[str, Any]:
    """The newest first, of people and programs; `state=ended` lists those that let nobody in any more."""
    visible = tokens_service.visible_to(keeper(request))
    last = get_object_or_404(visible, pk=before) if before else None
    good = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    rows = visible.filter(good if state == "good" else ~good)
    found = pagination.older(rows.filter(membership=member) if member else rows, last, limit)
    shown = found[:limit]
    more = shown[-1].pk if len(found) > limit else None
    return {"items": _tokens(shown), "next": pagination.following(request, more)}


@router.post(
    "/team/tokens",
    response=answers(201, SecretOut, 400, 404, 409, 422),
    summary="Make a token",
    openapi_extra=KEY,
)
def make(request: Asked, payload: TokenIn) -> HttpResponse:
    """For yourself or for a program, with no more than the token that asks has: scopes, models, days.

    One with a cap makes none. The same call with the same Idempotency-Key tells the same secret.
    """
    acting, mine = keeper(request), request.auth.token
    name, lasts = on_one_line(payload.name), timedelta(days=payload.days or 0)
    wanted = {catalogue_registry.get(model).name: True for model in payload.models}

    def deed(form: uuid.UUID) -> dict[str, Any]:
        token, secret = tokens_service.issue(
            member=colleague(acting, payload.member) if payload.member else acting,
            name=name,
            scopes=payload.scopes,
            expires_at=timezone.now() + lasts if lasts else mine.expires_at,
            cap=None if payload.cap is None else round(payload.cap * HUNDREDTHS),
            models=list(wanted) or mine.models,
            by=by(request),
            requester=acting,
            parent_token=mine,
            form_id=form,
        )
        return _one(acting, token.pk) | {"secret": secret}

    return idempotent.make_secret(request, acting, deed)


@router.get("/team/tokens/{int:pk}", response=answers(200, MadeTokenOut, 404), summary="One token")
def one(request: Asked, pk: int) -> dict[str, Any]:
    """What it may, and what it has spent."""
    return _one(keeper(request), known(pk))


@router.delete("/team/tokens/{int:pk}", response=answers(204, None, 404), summary="Revoke a token")
def revoke(request: Asked, pk: int) -> HttpResponse:
    """It lets nobody in from now on; also the one that asks. That it did not before is no mistake."""
    acting = keeper(request)
    token = get_object_or_404(tokens_service.visible_to(acting), pk=known(pk))
    tokens_service.revoke(token=token, by=by(request), requester=acting)
    return HttpResponse(status=204)


def _one(acting: Membership, pk: int) -> dict[str, Any]:
    return _tokens([get_object_or_404(tokens_service.visible_to(acting), pk=pk)])[0]


def _tokens(rows: Iterable[Token]) -> list[dict[str, Any]]:
    """In one query more, whatever their number."""
    listed = list(rows)
    used = model_access.spent_by(listed)
    return [_token(row, used.get(row.pk, 0)) for row in listed]


def _token(row: Token, used: int) -> dict[str, Any]:
    good = row.is_valid_at(timezone.now())
    same = ("name", "hint", "expires_at", "models", "created_at", "last_used_at")
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in same},
        "member": {"id": row.membership_id, "name": str(row.membership)},
        "state": "good" if good else "revoked" if row.revoked_at else "expired",
        "scopes": [scope.value for scope in Scope if teams_api_tokens.allows(row, scope)],
        "cap": None if row.cap is None else serializers.in_credits(row.cap),
        "used": serializers.in_credits(used),
        "made_by": str(row.made_by) if row.made_by else None,
        "links": {"self": f"{serializers.ROOT}/team/tokens/{row.pk}"},
    }
