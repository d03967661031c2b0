"""Add users, deactivate them, make them operators; each change writes its audit entry.

A user is never deleted, since the ledger refers to them.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.credits import allowances
from generations.office.members import service as members_service
from generations.office.models import AuditAction
from generations.teams import password_reset
from generations.teams import users as teams_users
from generations.teams.models import User


class OwnAccount(Exception):
    """Operators cannot deactivate or demote themselves, so that one always remains."""

    def __init__(self) -> None:
        super().__init__(_("This is your own account. Another operator has to do that."))


@transaction.atomic
def add(*, email: str, name: str, is_operator: bool, by: Actor) -> User:
    """Add a user without a password, who sets one by a link; EmailTaken if another has the address."""
    user = teams_users.create(email=email, name=name, operator=is_operator)
    after = {"email": user.email, "name": name, "is_active": True, "is_staff": is_operator}
    _record(by, user, {}, after)
    return user


@transaction.atomic
def set_active(user: User, *, active: bool, by: Actor) -> bool:
    """Let the user sign in again, or end their sessions and let them in no more; False if that was so."""
    row = _locked(user, by)
    if row.is_active == active:
        return False
    if active:
        allowances.resume(row.memberships.filter(ended_at=None))
    else:
        members_service.revoke_access(user=row, by=by)
    User.objects.filter(pk=row.pk).update(is_active=active)
    _record(by, row, {"is_active": row.is_active}, {"is_active": active})
    return True


@transaction.atomic
def set_operator(user: User, *, operator: bool, by: Actor) -> bool:
    """Make the user an operator of the installation, or no longer; False if that was so."""
    row = _locked(user, by)
    if row.is_staff == operator:
        return False
    User.objects.filter(pk=row.pk).update(is_staff=operator, is_superuser=operator)
    _record(by, row, {"is_staff": row.is_staff}, {"is_staff": operator})
    return True


@transaction.atomic
def reset_link(user: User, *, by: Actor) -> str:
    """Return a link on which the user sets a password, once."""
    _record(by, user, {}, {"did": "linked"})
    return password_reset.reset_url(user)


def _locked(user: User, by: Actor) -> User:
    if by.user and by.user.pk == user.pk:
        raise OwnAccount
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _record(by: Actor, user: User, before: dict[str, object], after: dict[str, object]) -> None:
    audit_log_service.record(by, AuditAction.PERSON_CHANGED, subject=user.email, before=before, after=after)
