"""A team as a whole: founded, renamed, told when to warn, closed and opened again."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, By
from generations.office.credits import allowances
from generations.office.members import service as members_service
from generations.office.models import AuditAction
from generations.teams import membership
from generations.teams.models import Role, Team, User

CHANGEABLE = ("name", "time_zone", "low_wallet", "low_pool")


def may_found(user: User) -> bool:
    """Operators may make teams; everybody, where everybody may sign up."""
    return user.is_staff or settings.SIGN_UP == "open"


@transaction.atomic
def found(*, name: str, time_zone: str, owner: User, by: By, reference: uuid.UUID | None = None) -> Team:
    """A new team that this person owns; FoundedBefore if the same form, which `reference` names, made one."""
    team = members_service.open_team(name, time_zone=time_zone, by=by, founding=reference)
    members_service.admit(user=owner, team=team, role=Role.OWNER, by=by)
    return team


@transaction.atomic
def change(*, team: Team, by: By = COMMAND, **values: Any) -> bool:
    """Change name, time_zone, low_wallet or low_pool (hundredths); False if all were so."""
    membership.lock_team(team)
    row = Team.objects.get(pk=team.pk)
    before = {name: getattr(row, name) for name in CHANGEABLE if name in values}
    after = {name: values[name] for name in before}
    return _write(row, _changed(before, after), _changed(after, before), by)


@transaction.atomic
def close(*, team: Team, by: By = COMMAND) -> bool:
    """Open none of its pages any more; nothing is lost. False if it was closed."""
    if not Team.objects.filter(pk=team.pk, deactivated_at=None).update(deactivated_at=timezone.now()):
        return False
    audit_log_service.record(
        by, AuditAction.TEAM_CHANGED, team=team, before={"active": True}, after={"active": False}
    )
    return True


@transaction.atomic
def reopen(*, team: Team, by: By = COMMAND) -> bool:
    """As before, except that nobody is given the allowances of the months between; False if it was open."""
    if not Team.objects.filter(pk=team.pk).exclude(deactivated_at=None).update(deactivated_at=None):
        return False
    allowances.resume(team.memberships.all())
    audit_log_service.record(
        by, AuditAction.TEAM_CHANGED, team=team, before={"active": False}, after={"active": True}
    )
    return True


def _changed(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if others[name] != value}


def _write(team: Team, before: dict[str, Any], after: dict[str, Any], by: By) -> bool:
    if not after:
        return False
    Team.objects.filter(pk=team.pk).update(**after)
    audit_log_service.record(by, AuditAction.TEAM_CHANGED, team=team, before=before, after=after)
    return True
