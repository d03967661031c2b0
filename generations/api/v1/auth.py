"""The door of /api/v1: bearer tokens alone, limits on every answer, and one shape for every refusal."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja.security import HttpBearer

from generations.api import auth
from generations.api.auth import Caller
from generations.api.v1 import errors as v1_errors
from generations.library.images import service as images_service
from generations.library.models import Image
from generations.teams import actor as teams_actor
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.actor import Actor
from generations.teams.models import Membership, Scope
from generations.teams.permissions import may

PREFIX = "/api/v1/"
EITHER = (Scope.READ, Scope.GENERATE)  # who makes pictures must see what becomes of them

Answer = Callable[[HttpRequest], HttpResponseBase]


class Asked(HttpRequest):
    """A request behind the door."""

    auth: Caller


class Bearer(HttpBearer):
    """Lets in who shows a token. No cookie opens this door, so no other site can push anybody through it."""

    def __call__(self, request: HttpRequest) -> Caller:
        """Who calls; auth.Unauthorised, limits.TooManyRequests."""
        return auth.enter(request.headers.get("Authorization", ""))

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """As above; never asked."""
        return auth.admit(token)


def member_for(request: Asked, *scopes: Scope) -> Membership:
    """The member for whom the token acts; auth.ScopeMissing unless it has one of the scopes."""
    token = request.auth.token
    if len(scopes) == 1 or not any(teams_api_tokens.allows(token, scope) for scope in scopes):
        auth.require(token, scopes[0])
    return token.membership


def maker(request: Asked, permission: str = "organise") -> Membership:
    """Who may change the library, by a token that may do more than read."""
    member = member_for(request, Scope.GENERATE)
    if not may(member, permission):
        raise v1_errors.not_yours()
    return member


def keeper(request: Asked, permission: str = "manage_members") -> Membership:
    """Who runs the team, by a token that is for that."""
    member = member_for(request, Scope.ADMINISTER)
    if not may(member, permission):
        raise v1_errors.not_yours()
    return member


def colleague(acting: Membership, pk: int) -> Membership:
    """Somebody who is in the same team; Http404 for anybody else."""
    rows = Membership.objects.select_related("team", "user", "wallet", "allowance")
    return get_object_or_404(rows, pk=known(pk), team=acting.team_id, ended_at=None)


def known(pk: int) -> int:
    """A number that a row can have; Http404 for a larger one."""
    if pk >= 2**63:
        raise Http404
    return pk


def seen(member: Membership, pk: uuid.UUID) -> Image:
    """A picture that the member may see; Http404 for any other."""
    return get_object_or_404(images_service.visible(member), pk=pk)


def by(request: Asked) -> Actor:
    """Who acts, for the log of changes: whoever's token it is, from where it is used."""
    return Actor(request.auth.member.user, teams_actor.client_address(request))


def middleware(get_response: Answer) -> Answer:
    """Refusals of Django itself get the API's shape, and every answer says what is left of the limit."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _finished(request, get_response(request))

    return answer


def _finished(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not request.path.startswith(PREFIX):
        return response
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    if response.status_code in {404, 405} and not is_json:
        allowed = response.headers.get("Allow", "")
        refusal = v1_errors.not_found() if response.status_code == 404 else v1_errors.no_such_method(allowed)
        response = refusal.answer()
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller) and caller.allowance:
        for name, value in caller.allowance.headers.items():
            response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    return response
