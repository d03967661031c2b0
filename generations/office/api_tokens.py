"""API tokens of a team, with their entries in the audit log.

`acting` is the member who asks: everybody makes their own, and owners and administrators those of
programs; without one it is a command, which may everything. No token does more than its member may.
"""

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from generations.office import audit
from generations.office.audit import COMMAND, By
from generations.office.models import Act
from generations.teams import membership, tokens
from generations.teams.models import Kind, Membership, Token
from generations.teams.permissions import PERMISSIONS, roles_given_by


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
) -> tuple[Token, str]:
    """A new token of that member, and its secret; `cap` in hundredths of a credit.

    PermissionDenied if it is not for the one who asks to make, tokens.ScopeRefused if it would do
    more than its member may, DoesNotExist if the membership ended meanwhile.
    """
    membership.lock_team(member.team)  # who is demoted or removed just now gets none any more
    row = Membership.objects.select_related("team", "user").get(pk=member.pk, ended_at=None)
    _may_make(acting, row)
    token, secret = tokens.issue(
        membership=row,
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        cap=cap,
        models=models,
        by=by.user,
    )
    audit.record(by, Act.TOKEN_MADE, member=row, subject=name, after=_facts(token))
    return token, secret


@transaction.atomic
def revoke(*, token: Token, by: By = COMMAND, acting: Membership | None = None) -> bool:
    """Let nobody in by it any more; False if nobody could. Whose it is may, and who runs the team."""
    member = token.membership
    if acting and acting.pk != member.pk and _role_now(acting) not in PERMISSIONS["manage_members"]:
        raise PermissionDenied(_("Only owners and administrators revoke the tokens of others."))
    if not tokens.revoke(token):
        return False
    audit.record(by, Act.TOKEN_REVOKED, member=member, subject=token.name)
    return True


def may_make_for(acting: Membership, member: Membership) -> bool:
    """Whether the one may make tokens of the other: one's own, and those of programs that one runs."""
    return acting.pk == member.pk or (
        member.kind == Kind.PROGRAM and member.role in roles_given_by(acting.role)
    )


def _may_make(acting: Membership | None, member: Membership) -> None:
    if acting is None:
        return
    acting.role = _role_now(acting)
    if not may_make_for(acting, member):
        raise PermissionDenied(_("A token is made by whose it is, or by who runs the program."))


def _role_now(acting: Membership) -> str:
    """The role as it is under the lock; none if the membership ended."""
    roles = Membership.objects.filter(pk=acting.pk, ended_at=None).values_list("role", flat=True)
    return roles.first() or ""


def _facts(token: Token) -> dict[str, object]:
    """What the log keeps of a token; its hint is no secret."""
    expires_at = token.expires_at.isoformat(timespec="minutes") if token.expires_at else ""
    facts = {"scopes": token.scopes, "expires_at": expires_at, "cap": token.cap, "models": token.models}
    return {name: value for name, value in facts.items() if value}
