"""API tokens of a team, with their entries in the audit log.

`acting` is the member who asks: everybody makes their own, and owners and administrators those of
programs; without one it is a command, which may everything. No token does more than its member may.

`through` is the token by which a program asks. What it makes does no more than itself: the same scopes or
fewer, the same models or fewer, no longer. One with a cap makes none, since nobody would add both up.
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
from generations.office.audit_log.service import COMMAND, By
from generations.office.models import AuditAction
from generations.teams import api_tokens as teams_api_tokens
from generations.teams import membership
from generations.teams.models import Kind, Membership, Scope, Token
from generations.teams.permissions import PERMISSIONS, may, roles_given_by

MOST = 50  # that are good at once, of one member
SHOWN, SHOWN_ENDED = 500, 30


class TooManyTokens(Exception):
    """The member has as many as anybody could look after."""

    def __init__(self) -> None:
        super().__init__(_("A member has at most %(most)s tokens. Revoke some first.") % {"most": MOST})


class BeyondToken(PermissionDenied):
    """The token that asks for another one would hand on more than it has."""

    def __init__(self) -> None:
        super().__init__(
            _("A token makes none that does more or lasts longer than itself, and none if it has a cap.")
        )


class TokenOver(Exception):
    """The form that arrived again made a token that is no longer good."""

    def __init__(self) -> None:
        super().__init__(_("The token that this made before lets nobody in any more. Ask for another one."))


@dataclass(frozen=True)
class Listed:
    """A token as its page shows it; `used` is what it spent and holds, in hundredths of a credit."""

    row: Token
    used: int
    scopes: list[str]  # titles of those that its member's role allows now
    state: str  # good, revoked or expired


def visible_to(member: Membership) -> QuerySet[Token]:
    """The member's own, and all of the team for who runs it, with whose they are."""
    mine = Q(membership__team=member.team_id) if may(member, "manage_members") else Q(membership=member)
    known = Token.objects.select_related("membership__user", "membership__team", "made_by")
    return known.filter(mine).order_by("-created_at", "-pk")


def listed(member: Membership) -> tuple[list[Listed], list[Listed]]:
    """Those that are good, the newest first, and the last that no longer are. Three queries."""
    now = timezone.now()
    good = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    rows = visible_to(member)
    good_ones, ended = list(rows.filter(good)[:SHOWN]), list(rows.exclude(good)[:SHOWN_ENDED])
    used = model_access.spent_by([*good_ones, *ended])
    shown = [[_listed(row, used.get(row.pk, 0)) for row in some] for some in (good_ones, ended)]
    return shown[0], shown[1]


def programs_of(acting: Membership) -> list[Membership]:
    """The programs for which the one who asks may make tokens."""
    if not may(acting, "manage_members"):
        return []
    here = Membership.objects.filter(team=acting.team_id, kind=Kind.PROGRAM, ended_at=None)
    return [row for row in here.select_related("team").order_by("name") if may_make_for(acting, row)]


@transaction.atomic
def issue(
    *,
    member: Membership,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    cap: int | None = None,
    models: Collection[str] = (),
    by: By = COMMAND,
    acting: Membership | None = None,
    through: Token | None = None,
    form: uuid.UUID | None = None,
) -> tuple[Token, str]:
    """A new token of that member, and its secret; `cap` in hundredths of a credit.

    The same form makes one, and tells its secret again. PermissionDenied if it is not for the one who asks
    to make, BeyondToken if not for the token `through` which they ask, tokens.ScopeRefused if it would do
    more than its member may, TooManyTokens, TokenOver, DoesNotExist if the membership ended meanwhile.
    """
    membership.lock_team(member.team)  # who is demoted or removed just now gets none any more
    row = Membership.objects.select_related("team", "user").get(pk=member.pk, ended_at=None)
    _may_make(acting, row)
    secret = (
        teams_api_tokens.secret_of(row.pk, acting.pk if acting else 0, form)
        if form
        else teams_api_tokens.new_secret()
    )
    token = (
        Token.objects.filter(token_hash=teams_api_tokens.hashed(secret))
        .select_related("membership__user")
        .first()
    )
    if token is None:
        asked = {"name": name, "scopes": scopes, "expires_at": expires_at, "cap": cap, "models": models}
        token = _make(row, secret, by, asked)
    elif not token.is_good_at(timezone.now()):
        raise TokenOver
    _must_be_within(through, token)
    return token, secret


@transaction.atomic
def revoke(*, token: Token, by: By = COMMAND, acting: Membership | None = None) -> bool:
    """Let nobody in by it any more; False if nobody could. Whose it is may, and who runs the team."""
    member = token.membership
    if acting and acting.pk != member.pk and _role_now(acting) not in PERMISSIONS["manage_members"]:
        raise PermissionDenied(_("Only owners and administrators revoke the tokens of others."))
    if not teams_api_tokens.revoke(token):
        return False
    audit_log_service.record(by, AuditAction.TOKEN_REVOKED, member=member, subject=token.name)
    return True


def may_make_for(acting: Membership, member: Membership) -> bool:
    """Whether the one may make tokens of the other: one's own, and those of programs that one runs."""
    return acting.pk == member.pk or (
        member.kind == Kind.PROGRAM and member.role in roles_given_by(acting.role)
    )


def _listed(row: Token, used: int) -> Listed:
    state = "revoked" if row.revoked_at else "good" if row.is_good_at(timezone.now()) else "expired"
    allowed = [str(scope.label) for scope in Scope if teams_api_tokens.allows(row, scope)]
    return Listed(row, used, allowed, state)


def _may_make(acting: Membership | None, member: Membership) -> None:
    if acting is None:
        return
    acting.role = _role_now(acting)
    if not may_make_for(acting, member):
        raise PermissionDenied(_("A token is made by whose it is, or by who runs the program."))


def _make(member: Membership, secret: str, by: By, asked: dict[str, Any]) -> Token:
    expired = Q(expires_at__lte=timezone.now())
    if Token.objects.filter(membership=member, revoked_at=None).exclude(expired).count() >= MOST:
        raise TooManyTokens
    token, _secret = teams_api_tokens.issue(membership=member, by=by.user, secret=secret, **asked)
    audit_log_service.record(
        by, AuditAction.TOKEN_MADE, member=member, subject=token.name, after=_facts(token)
    )
    return token


def _must_be_within(through: Token | None, token: Token) -> None:
    """BeyondToken if the one would do more than the other, through which it is asked for."""
    if through is None:
        return
    # Locked, so that one that is revoked just now makes none any more.
    asking = Token.objects.select_for_update(no_key=True).get(pk=through.pk)
    if not asking.is_good_at(timezone.now()):
        raise BeyondToken
    longer = asking.expires_at and (token.expires_at is None or token.expires_at > asking.expires_at)
    more_models = asking.models and (not token.models or set(token.models) - set(asking.models))
    if asking.cap is not None or set(token.scopes) - set(asking.scopes) or longer or more_models:
        raise BeyondToken


def _role_now(acting: Membership) -> str:
    """The role as it is under the lock; none if the membership ended."""
    roles = Membership.objects.filter(pk=acting.pk, ended_at=None).values_list("role", flat=True)
    return roles.first() or ""


def _facts(token: Token) -> dict[str, object]:
    """What the log keeps of a token; its hint is no secret."""
    expires_at = token.expires_at.isoformat(timespec="minutes") if token.expires_at else ""
    facts = {"scopes": token.scopes, "expires_at": expires_at, "cap": token.cap, "models": token.models}
    return {name: value for name, value in facts.items() if value}
