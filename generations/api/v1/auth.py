"""Authentication and authorization of /api/v1 by API tokens."""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from generations.api import auth
from generations.api.auth import Caller
from generations.api.v1 import errors as v1_errors
from generations.jobs.models import Batch, Generation
from generations.library.images import service as images_service
from generations.library.models import Image, ImageQuerySet
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Role, Scope
from generations.teams.permissions import assignable_roles, may

READ_OR_GENERATE = (Scope.READ, Scope.GENERATE)  # a token that generates must see its results

Requested = TypeVar("Requested", Batch, Generation)


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
    return permitted(member_with_scope(request, Scope.GENERATE), permission)


def administrator(request: ApiRequest, permission: str = "manage_members") -> Membership:
    """Return the member if token and role may run the team; auth.ScopeMissing or ApiError (403)."""
    return permitted(member_with_scope(request, Scope.ADMINISTER), permission)


def permitted(member: Membership, permission: str) -> Membership:
    """Return the member if their role has the permission; ApiError (403)."""
    if not may(member, permission):
        raise v1_errors.role_does_not_allow()
    return member


def team_member(requester: Membership, pk: int) -> Membership:
    """Return a current member of the same team; Http404 for any other."""
    rows = Membership.objects.select_related("team", "user", "wallet", "allowance")
    return get_object_or_404(rows, pk=valid_pk(pk), team=requester.team_id, ended_at=None)


def valid_pk(pk: int) -> int:
    """Return the number; Http404 if it does not fit into a primary key."""
    if pk >= 2**63:
        raise Http404
    return pk


def visible_image(request: ApiRequest, pk: uuid.UUID) -> Image:
    """Return an image that the token may read; Http404 for any other."""
    return get_object_or_404(readable_images(request, images_service.visible(request.auth.member)), pk=pk)


def readable_images(request: ApiRequest, rows: ImageQuerySet) -> ImageQuerySet:
    """Return those of the images that the token may read: without the scope `read`, what it generated."""
    if teams_api_tokens.allows(request.auth.token, Scope.READ):
        return rows
    return rows.filter(generation__in=readable_generations(request).values("pk"))


def readable_generations(request: ApiRequest) -> QuerySet[Generation]:
    """Return the member's generations; for a token without the scope `read`, those that it requested."""
    return _readable(request, Generation.objects.filter(member=request.auth.member))


def readable_batches(request: ApiRequest) -> QuerySet[Batch]:
    """Return the member's batches; for a token without the scope `read`, those that it requested."""
    return _readable(request, Batch.objects.filter(member=request.auth.member))


def check_appointment(requester: Membership, role: str) -> None:
    """Raise PermissionDenied if an owner's token makes somebody an owner, who would outlive the token."""
    if role == Role.OWNER and Role.OWNER in assignable_roles(requester.role):
        raise PermissionDenied(
            _("An API token makes nobody an owner. Owners do that on the page of members.")
        )


def _readable(request: ApiRequest, rows: QuerySet[Requested]) -> QuerySet[Requested]:
    token = request.auth.token
    return rows if teams_api_tokens.allows(token, Scope.READ) else rows.filter(token=token)
