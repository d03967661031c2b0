"""Operations on the team's API tokens. They need the scope `administer`.

`office.tokens.service` makes sure that a token never creates one that can do more.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Literal

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router

from generations.api.v1 import idempotent_post, pagination, serializers
from generations.api.v1.auth import ApiRequest, administrator, team_member, valid_pk
from generations.api.v1.errors import single_line
from generations.api.v1.openapi import IDEMPOTENCY_KEY, responses
from generations.api.v1.schemas.office import MadeTokenOut, SecretOut, TokenIn, TokenPage
from generations.credits.amounts import HUNDREDTHS
from generations.jobs import model_access
from generations.office.tokens import service as tokens_service
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.actor import actor_of
from generations.teams.models import Membership, Scope, Token

router = Router(tags=["API tokens"])

State = Annotated[
    Literal["good", "ended"],
    Query(description="`good` for valid tokens, `ended` for expired and revoked ones."),
]


@router.get("/team/tokens", response=responses(200, TokenPage, 404, 422), summary="List API tokens")
def list_tokens(
    request: ApiRequest,
    limit: pagination.Limit = 50,
    before: pagination.BeforeNumber = None,
    member: pagination.MemberId = None,
    state: State = "good",
) -> dict[str, Any]:
    """List the API tokens of the team's members, newest first."""
    visible = tokens_service.visible_to(administrator(request))
    last = get_object_or_404(visible, pk=before) if before else None
    good = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    rows = visible.filter(good if state == "good" else ~good)
    found = pagination.older(rows.filter(membership=member) if member else rows, last, limit)
    return pagination.keyset_page(request, found, limit, _tokens)


@router.post(
    "/team/tokens",
    response=responses(201, SecretOut, 400, 404, 409, 422),
    summary="Create an API token",
    openapi_extra=IDEMPOTENCY_KEY,
)
def create_token(request: ApiRequest, payload: TokenIn) -> HttpResponse:
    """Create a token for yourself or for a program of the team.

    It cannot have more scopes or models, or expire later, than the token of this request. A token with a
    cap cannot create tokens. A repeated request with the same Idempotency-Key returns the same secret.
    """
    requester, own_token = administrator(request), request.auth.token
    name, lifetime = single_line(payload.name), timedelta(days=payload.days or 0)
    models = {catalogue_registry.get(model).name: True for model in payload.models}

    def create(form_id: uuid.UUID) -> dict[str, Any]:
        token, secret = tokens_service.issue(
            member=team_member(requester, payload.member) if payload.member else requester,
            name=name,
            scopes=payload.scopes,
            expires_at=timezone.now() + lifetime if lifetime else own_token.expires_at,
            cap=None if payload.cap is None else round(payload.cap * HUNDREDTHS),
            models=list(models) or own_token.models,
            by=actor_of(request),
            requester=requester,
            parent_token=own_token,
            form_id=form_id,
        )
        return _token_document(requester, token.pk) | {"secret": secret}

    return idempotent_post.create_secret(request, requester, create)


@router.get("/team/tokens/{int:pk}", response=responses(200, MadeTokenOut, 404), summary="Get an API token")
def get_token(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Return what a token may do and what it has spent."""
    return _token_document(administrator(request), valid_pk(pk))


@router.delete("/team/tokens/{int:pk}", response=responses(204, None, 404), summary="Revoke an API token")
def revoke_token(request: ApiRequest, pk: int) -> HttpResponse:
    """Make a token invalid at once, also the token of this request. No effect if it has ended already."""
    requester = administrator(request)
    token = get_object_or_404(tokens_service.visible_to(requester), pk=valid_pk(pk))
    tokens_service.revoke(token=token, by=actor_of(request), requester=requester)
    return HttpResponse(status=204)


def _token_document(requester: Membership, pk: int) -> dict[str, Any]:
    return _tokens([get_object_or_404(tokens_service.visible_to(requester), pk=pk)])[0]


def _tokens(rows: Iterable[Token]) -> list[dict[str, Any]]:
    """Serialize tokens, with one query for what all of them have spent."""
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
