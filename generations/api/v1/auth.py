"""Authentication and authorization of /api/v1 by API tokens, and rate limit headers."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja.security import HttpBearer

from generations.api import addresses, auth
from generations.api.auth import Caller
from generations.api.v1 import errors as v1_errors
from generations.library.images import service as images_service
from generations.library.models import Image
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope
from generations.teams.permissions import may

READ_OR_GENERATE = (Scope.READ, Scope.GENERATE)  # a token that generates must see its results

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ApiRequest(HttpRequest):
    """An authenticated request."""

    auth: Caller


class Bearer(HttpBearer):
    """Authenticates by API token only: cookies are ignored, so CSRF is not possible."""

    def __call__(self, request: HttpRequest) -> Caller:
        """Return the caller. Raises auth.Unauthorized and rate_limit.TooManyRequests."""
        caller = auth.authenticate_header(request.headers.get("Authorization", ""))
        request.user = caller.member.user or AnonymousUser()  # who acts; a program is no user
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Return the caller of a token; the base class requires this method, `__call__` does not use it."""
        return auth.authenticate(token)


def member_with_scope(request: ApiRequest, *scopes: Scope) -> Membership:
    """Return the member of the token; raise auth.ScopeMissing unless it has one of the scopes."""
    token = request.auth.token
    if len(scopes) == 1 or not any(teams_api_tokens.allows(token, scope) for scope in scopes):
        auth.require_scope(token, scopes[0])
    return token.membership


def library_editor(request: ApiRequest, permission: str = "organise") -> Membership:
    """Return the member if token and role may change the library; auth.ScopeMissing or ApiError (403)."""
    return _permitted(member_with_scope(request, Scope.GENERATE), permission)


def administrator(request: ApiRequest, permission: str = "manage_members") -> Membership:
    """Return the member if token and role may run the team; auth.ScopeMissing or ApiError (403)."""
    return _permitted(member_with_scope(request, Scope.ADMINISTER), permission)


def team_member(requester: Membership, pk: int) -> Membership:
    """Return a current member of the same team; Http404 for any other."""
    rows = Membership.objects.select_related("team", "user", "wallet", "allowance")
    return get_object_or_404(rows, pk=valid_pk(pk), team=requester.team_id, ended_at=None)


def valid_pk(pk: int) -> int:
    """Return the number; Http404 if it does not fit into a primary key."""
    if pk >= 2**63:
        raise Http404
    return pk


def visible_image(member: Membership, pk: uuid.UUID) -> Image:
    """Return an image that the member may see; Http404 for any other."""
    return get_object_or_404(images_service.visible(member), pk=pk)


def middleware(get_response: GetResponse) -> GetResponse:
    """Give errors of Django the API's format, and add rate limit headers to every response.

    It stands before the middleware whose errors it translates.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        return _finish(request, response) if addresses.is_own(request.path) else response

    return respond


def _permitted(member: Membership, permission: str) -> Membership:
    if not may(member, permission):
        raise v1_errors.role_does_not_allow()
    return member


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    if isinstance(response, HttpResponse) and not is_json:
        v1_errors.translate(response)
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller) and caller.allowance:
        for name, value in caller.allowance.headers.items():
            response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    return response
