"""Issue, list and revoke the API tokens of a team, with audit entries.

`requester` is the member who makes the request: members issue their own tokens, owners and administrators
also those of programs. Without a requester (management commands) everything is allowed. No token may do more
than its member.

`parent_token` is the API token that authenticates the request. A token issued by it gets no other scopes or
models and no later expiry. A token with a cap issues none, since the spending of both is not added up.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs import model_access
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, Actor
from generations.office.invitations import service as invitations_service
from generations.office.models import AuditAction
from generations.teams import api_tokens as teams_api_tokens
from generations.teams import membership
from generations.teams.models import Kind, Membership, Scope, Token
from generations.teams.permissions import PERMISSIONS, assignable_roles, may

MAX_TOKENS = 50  # valid at the same time, per member
MAX_LISTED, MAX_LISTED_ENDED = 500, 30


class TooManyTokens(Exception):
    """The member has the largest number of valid tokens."""

    def __init__(self) -> None:
        super().__init__(_("A member has at most %(most)s tokens. Revoke some first.") % {"most": MAX_TOKENS})


class ExceedsParentToken(PermissionDenied):
    """The requested token would exceed the scopes, models or expiry of the token that requests it."""

    def __init__(self) -> None:
        super().__init__(
            _("A token issues none with more scopes or models or a later expiry, and none if it has a cap.")
        )


class TokenNoLongerValid(Exception):
    """The token that the same form created is no longer valid."""

    def __init__(self) -> None:
        super().__init__(_("The token that this created before is no longer valid. Ask for another one."))


@dataclass(frozen=True)
class ListedToken:
    """A token as the page shows it; `used` is what it has spent and holds, in hundredths of a credit."""

    row: Token
    used: int
    scopes: list[str]  # labels of those that the current role of its member allows
    state: str  # good, revoked or expired


def visible_to(member: Membership) -> QuerySet[Token]:
    """Return the tokens that the member may see: their own, or for administrators all of the team."""
    visible = Q(membership__team=member.team_id) if may(member, "manage_members") else Q(membership=member)
    rows = Token.objects.select_related("membership__user", "membership__team", "made_by")
    return rows.filter(visible).order_by("-created_at", "-pk")


def list_tokens(member: Membership) -> tuple[list[ListedToken], list[ListedToken]]:
    """Return the valid tokens, newest first, and the latest that are not valid any more. Three queries."""
    is_valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    rows = visible_to(member)
    valid, ended = list(rows.filter(is_valid)[:MAX_LISTED]), list(rows.exclude(is_valid)[:MAX_LISTED_ENDED])
    used = model_access.spent_by([*valid, *ended])
    return [_listed(row, used.get(row.pk, 0)) for row in valid], [
        _listed(row, used.get(row.pk, 0)) for row in ended
    ]


def manageable_programs(requester: Membership) -> list[Membership]:
    """Return the programs for which the requester may issue tokens."""
    if not may(requester, "manage_members"):
        return []
    rows = Membership.objects.filter(team=requester.team_id, kind=Kind.PROGRAM, ended_at=None)
    return [row for row in rows.select_related("team").order_by("name") if may_issue_for(requester, row)]


@transaction.atomic
def issue(
    *,
    member: Membership,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    cap: int | None = None,
    models: Collection[str] = (),
    by: Actor = COMMAND,
    requester: Membership | None = None,
    parent_token: Token | None = None,
    form_id: uuid.UUID | None = None,
) -> tuple[Token, str]:
    """Issue a token of the member; return it and its secret. `cap` is in hundredths of a credit.

    The same `form_id` returns the same token and secret again. Raises PermissionDenied if the requester may
    not issue it, ExceedsParentToken, api_tokens.ScopeNotAllowed if the member's role does not allow a scope,
    TooManyTokens, TokenNoLongerValid, and Membership.DoesNotExist if the membership has ended.
    """
    membership.lock_team(member.team)  # so that the roles checked below are the current ones
    row = Membership.objects.select_related("team", "user").get(pk=member.pk, ended_at=None)
    _check_may_issue(requester, row)
    secret = (
        teams_api_tokens.derive_secret(row.pk, requester.pk if requester else 0, form_id)
        if form_id
        else teams_api_tokens.generate_secret()
    )
    token = (
        Token.objects.filter(token_hash=teams_api_tokens.hash_secret(secret))
        .select_related("membership__user")
        .first()
    )
    if token is None:
        values = {"name": name, "scopes": scopes, "expires_at": expires_at, "cap": cap, "models": models}
        token = _create(row, secret, by, values)
    elif not token.is_valid_at(timezone.now()):
        raise TokenNoLongerValid
    _check_within(parent_token, token)
    return token, secret


@transaction.atomic
def revoke(*, token: Token, by: Actor = COMMAND, requester: Membership | None = None) -> bool:
    """Revoke the token; False if it was revoked before. Its member may, and administrators of the team.

    Invitations that it made are revoked too, if they are still open.
    """
    member = token.membership
    if (
        requester
        and requester.pk != member.pk
        and _current_role(requester) not in PERMISSIONS["manage_members"]
    ):
        raise PermissionDenied(_("Only owners and administrators revoke the tokens of others."))
    if not teams_api_tokens.revoke(token):
        return False
    invitations_service.revoke_issued(token=token, by=by)
    audit_log_service.record(by, AuditAction.TOKEN_REVOKED, member=member, subject=token.name)
    return True


def may_issue_for(requester: Membership, member: Membership) -> bool:
    """Whether the requester may issue tokens of the member: their own, and those of programs they manage."""
    return requester.pk == member.pk or (
        member.kind == Kind.PROGRAM and member.role in assignable_roles(requester.role)
    )


def _listed(row: Token, used: int) -> ListedToken:
    state = "revoked" if row.revoked_at else "good" if row.is_valid_at(timezone.now()) else "expired"
    allowed = [str(scope.label) for scope in Scope if teams_api_tokens.allows(row, scope)]
    return ListedToken(row, used, allowed, state)


def _check_may_issue(requester: Membership | None, member: Membership) -> None:
    if requester is None:
        return
    requester.role = _current_role(requester)
    if not may_issue_for(requester, member):
        raise PermissionDenied(
            _("Tokens are issued by their own member, or for a program by an administrator.")
        )


def _create(member: Membership, secret: str, by: Actor, values: dict[str, Any]) -> Token:
    expired = Q(expires_at__lte=timezone.now())
    if Token.objects.filter(membership=member, revoked_at=None).exclude(expired).count() >= MAX_TOKENS:
        raise TooManyTokens
    token, _secret = teams_api_tokens.issue(membership=member, by=by.user, secret=secret, **values)
    audit_log_service.record(
        by, AuditAction.TOKEN_MADE, member=member, subject=token.name, after=_audit_values(token)
    )
    return token


def _check_within(parent_token: Token | None, token: Token) -> None:
    """Raise ExceedsParentToken if the token may do more than its parent, or lasts longer."""
    if parent_token is None:
        return
    try:
        parent = teams_api_tokens.lock(parent_token)
    except teams_api_tokens.TokenInvalid:
        raise ExceedsParentToken from None
    longer = parent.expires_at and (token.expires_at is None or token.expires_at > parent.expires_at)
    more_models = parent.models and (not token.models or set(token.models) - set(parent.models))
    if parent.cap is not None or set(token.scopes) - set(parent.scopes) or longer or more_models:
        raise ExceedsParentToken


def _current_role(requester: Membership) -> str:
    """Return the current role, read under the lock; "" if the membership has ended."""
    roles = Membership.objects.filter(pk=requester.pk, ended_at=None).values_list("role", flat=True)
    return roles.first() or ""


def _audit_values(token: Token) -> dict[str, object]:
    """Return what the audit entry records of a token."""
    expires_at = token.expires_at.isoformat(timespec="minutes") if token.expires_at else ""
    values = {"scopes": token.scopes, "expires_at": expires_at, "cap": token.cap, "models": token.models}
    return {name: value for name, value in values.items() if value}
