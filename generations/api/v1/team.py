"""Running a team: its people and programs, their roles, and moving credits. For tokens with `administer`."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from ninja import Query, Router

from generations.api import idempotency
from generations.api.v1 import idempotent, pagination, serializers
from generations.api.v1.auth import Asked, by, colleague, keeper
from generations.api.v1.errors import on_one_line
from generations.api.v1.responses import KEY, answers
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
from generations.teams.models import Membership, Role

router = Router(tags=["Team"])


@router.get("/team", response=answers(200, TeamOut), summary="The team")
def team(request: Asked) -> dict[str, Any]:
    """Its pool, and how many are in it."""
    member = keeper(request)
    numbers = members_query.count_by_kind(member.team)
    return {
        "name": member.team.name,
        "address": member.team.slug,
        "time_zone": member.team.time_zone,
        "pool": serializers.in_credits(ledger.open_pool(member.team).available),
    } | numbers


@router.get("/team/members", response=answers(200, MemberPage, 422), summary="People and programs")
def members(request: Asked, wanted: Query[MemberSearch]) -> dict[str, Any]:
    """Owners first, 50 at once; `q` looks in names and addresses."""
    member = keeper(request)
    found = members_query.list_members(member.team, search=wanted.q, page=str(wanted.page))
    is_there = wanted.page == found.number
    more = found.next_page_number() if is_there and found.has_next() else None
    return {
        "items": [_member(row) for row in found] if is_there else [],
        "next": pagination.following(request, more, "page"),
    }


@router.get("/team/members/{int:pk}", response=answers(200, MemberOut, 404), summary="One member")
def one(request: Asked, pk: int) -> dict[str, Any]:
    """With what they have to spend."""
    return _member(colleague(keeper(request), pk))


@router.patch(
    "/team/members/{int:pk}", response=answers(200, MemberOut, 400, 404, 409, 422), summary="Change a member"
)
def change(request: Asked, pk: int, payload: MemberChange) -> dict[str, Any]:
    """Role, or weight in the queue, as the role of whoever asks allows."""
    acting = keeper(request)
    row = colleague(acting, pk)
    if payload.role:
        members_service.set_role(member=row, role=Role(payload.role), by=by(request), requester=acting)
    if payload.weight:
        members_service.set_weight(member=row, weight=payload.weight, by=by(request), requester=acting)
    return _member(colleague(acting, pk))


@router.delete(
    "/team/members/{int:pk}", response=answers(204, None, 404, 409), summary="Remove a member or a program"
)
def remove(request: Asked, pk: int) -> HttpResponse:
    """What waits is canceled, and what is left goes back to the pool; pictures stay."""
    acting = keeper(request)
    members_service.remove_member(member=colleague(acting, pk), requester=acting, by=by(request))
    return HttpResponse(status=204)


@router.post(
    "/team/programs",
    response=answers(201, MemberOut, 400, 409, 422),
    summary="Make a program",
    openapi_extra=KEY,
)
def make_program(request: Asked, payload: ProgramIn) -> HttpResponse:
    """A member that no person signs in as, with a wallet of its own."""
    acting = keeper(request)
    name = on_one_line(payload.name)

    def deed(_form: uuid.UUID) -> dict[str, Any]:
        program = members_service.create_program(team=acting.team, name=name, by=by(request))
        return _member(colleague(acting, program.pk))

    return idempotent.make(request, acting, deed, whole=True)


@router.post(
    "/team/members/{int:pk}/grant",
    response=answers(200, MemberOut, 400, 402, 404, 409, 422),
    summary="Grant credits",
    openapi_extra=KEY,
)
def grant(request: Asked, pk: int, payload: GiftIn) -> dict[str, Any]:
    """From the pool to the member. 402 if the pool has less."""
    return _move(request, pk, payload, credits_service.grant)


@router.post(
    "/team/members/{int:pk}/take-back",
    response=answers(200, MemberOut, 400, 402, 404, 409, 422),
    summary="Take credits back",
    openapi_extra=KEY,
)
def take_back(request: Asked, pk: int, payload: GiftIn) -> dict[str, Any]:
    """From the member to the pool. 402 if less than that is free."""
    return _move(request, pk, payload, credits_service.take_back)


def _move(request: Asked, pk: int, payload: GiftIn, verb: Any) -> dict[str, Any]:
    """Once for each Idempotency-Key: the line's reference is made from it."""
    acting = keeper(request, "grant")
    row = colleague(acting, pk)
    call = idempotency.begin(acting, request.headers.get(idempotency.HEADER), idempotent.asked(request))
    amount = credits_service.MemberAmount(row, round(payload.credits * HUNDREDTHS), payload.note)
    with idempotency.released_if_refused(call):
        verb(team=acting.team, amounts=[amount], reference=call.submission, by=by(request))
    return _member(colleague(acting, pk))


def _member(row: Membership) -> dict[str, Any]:
    here = f"{serializers.ROOT}/team/members/{row.pk}"
    links = {name: f"{here}/{name}" for name in ("grant", "caps", "allowance")}
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
        "links": {"self": here, **links, "take_back": f"{here}/take-back"},
    }
