"""Operations on the team, its members and their credits. They need the scope `administer`."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from ninja import Query, Router

from generations.api import idempotency
from generations.api.v1 import idempotent_post, pagination, serializers
from generations.api.v1.auth import ApiRequest, administrator, check_appointment, team_member
from generations.api.v1.errors import single_line
from generations.api.v1.openapi import IDEMPOTENCY_KEY, responses
from generations.api.v1.schemas.team import (
    GiftIn,
    MemberChange,
    MemberOut,
    MemberPage,
    MemberSearch,
    ProgramIn,
    TeamOut,
)
from generations.credits import ledger
from generations.credits.amounts import HUNDREDTHS
from generations.office.credits import service as credits_service
from generations.office.members import query as members_query
from generations.office.members import service as members_service
from generations.teams.actor import actor_of
from generations.teams.models import Membership, Role

router = Router(tags=["Team"])


@router.get("/team", response=responses(200, TeamOut), summary="Get the team")
def get_team(request: ApiRequest) -> dict[str, Any]:
    """Return the team's pool and number of members."""
    member = administrator(request)
    numbers = members_query.count_by_kind(member.team)
    return {
        "name": member.team.name,
        "address": member.team.slug,
        "time_zone": member.team.time_zone,
        "pool": serializers.in_credits(ledger.open_pool(member.team).available),
    } | numbers


@router.get("/team/members", response=responses(200, MemberPage, 422), summary="List members")
def list_members(request: ApiRequest, query: Query[MemberSearch]) -> dict[str, Any]:
    """List people and programs of the team, owners first, 50 per page."""
    member = administrator(request)
    found = members_query.list_members(member.team, search=query.q, page=str(query.page))
    return pagination.numbered_page(request, found, query.page, _member)


@router.get("/team/members/{int:pk}", response=responses(200, MemberOut, 404), summary="Get a member")
def get_member(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Return a member of the team with their credits."""
    return _member(team_member(administrator(request), pk))


@router.patch(
    "/team/members/{int:pk}",
    response=responses(200, MemberOut, 400, 404, 409, 422),
    summary="Change a member",
)
def change_member(request: ApiRequest, pk: int, payload: MemberChange) -> dict[str, Any]:
    """Change the role or the share of the queue, as far as the caller's role allows it.

    No token makes anybody an owner.
    """
    requester = administrator(request)
    row = team_member(requester, pk)
    if payload.role:
        check_appointment(requester, payload.role)
        members_service.set_role(
            member=row, role=Role(payload.role), by=actor_of(request), requester=requester
        )
    if payload.weight:
        members_service.set_weight(
            member=row, weight=payload.weight, by=actor_of(request), requester=requester
        )
    return _member(team_member(requester, pk))


@router.delete("/team/members/{int:pk}", response=responses(204, None, 404, 409), summary="Remove a member")
def remove_member(request: ApiRequest, pk: int) -> HttpResponse:
    """Remove a member. Queued generations are canceled, credits return to the pool, images stay."""
    requester = administrator(request)
    members_service.remove_member(
        member=team_member(requester, pk), requester=requester, by=actor_of(request)
    )
    return HttpResponse(status=204)


@router.post(
    "/team/programs",
    response=responses(201, MemberOut, 400, 409, 422),
    summary="Create a program",
    openapi_extra=IDEMPOTENCY_KEY,
)
def create_program(request: ApiRequest, payload: ProgramIn) -> HttpResponse:
    """Create a member that only API tokens act for, with its own wallet."""
    requester = administrator(request)
    name = single_line(payload.name)

    def create(_submission: uuid.UUID) -> dict[str, Any]:
        program = members_service.create_program(team=requester.team, name=name, by=actor_of(request))
        return _member(team_member(requester, program.pk))

    return idempotent_post.create_once(request, requester, create, in_transaction=True)


@router.post(
    "/team/members/{int:pk}/grant",
    response=responses(200, MemberOut, 400, 402, 404, 409, 422),
    summary="Grant credits",
    openapi_extra=IDEMPOTENCY_KEY,
)
def grant(request: ApiRequest, pk: int, payload: GiftIn) -> dict[str, Any]:
    """Move credits from the pool to the member. 402 if the pool has too few."""
    return _move(request, pk, payload, credits_service.grant)


@router.post(
    "/team/members/{int:pk}/take-back",
    response=responses(200, MemberOut, 400, 402, 404, 409, 422),
    summary="Take credits back",
    openapi_extra=IDEMPOTENCY_KEY,
)
def take_back(request: ApiRequest, pk: int, payload: GiftIn) -> dict[str, Any]:
    """Move credits from the member to the pool. 402 if the member has too few that are not on hold."""
    return _move(request, pk, payload, credits_service.take_back)


def _move(request: ApiRequest, pk: int, payload: GiftIn, transfer: Any) -> dict[str, Any]:
    """Transfer once per Idempotency-Key: the reference of the ledger entry is derived from it."""
    requester = administrator(request, "grant")
    row = team_member(requester, pk)
    call = idempotent_post.begin(request, requester)
    amount = credits_service.MemberAmount(row, round(payload.credits * HUNDREDTHS), payload.note)
    with idempotency.released_if_refused(call):
        transfer(team=requester.team, amounts=[amount], reference=call.submission, by=actor_of(request))
    return _member(team_member(requester, pk))


def _member(row: Membership) -> dict[str, Any]:
    path = f"{serializers.ROOT}/team/members/{row.pk}"
    links = {name: f"{path}/{name}" for name in ("grant", "caps", "allowance")}
    return {
        "id": row.pk,
        "name": str(row),
        "email": row.user.email if row.user else None,
        "kind": row.kind,
        "role": row.role,
        "weight": row.weight,
        "balance": serializers.in_credits(row.wallet.balance),
        "held": serializers.in_credits(row.wallet.held),
        "joined_at": row.joined_at,
        "seen_at": row.seen_at,
        "links": {"self": path, **links, "take_back": f"{path}/take-back"},
    }
