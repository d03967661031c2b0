"""A team as a whole: create it with an owner, change its settings, deactivate and reactivate it."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, Actor
from generations.office.credits import allowances
from generations.office.members import service as members_service
from generations.office.models import AuditAction
from generations.teams import membership
from generations.teams.models import Role, Team, User

CHANGEABLE = ("name", "time_zone", "low_wallet", "low_pool")


def may_create(user: User) -> bool:
    """Whether the user may create teams: operators may, and everyone where sign-up is open."""
    return user.is_staff or settings.SIGN_UP == "open"


@transaction.atomic
def create(*, name: str, time_zone: str, owner: User, by: Actor, reference: uuid.UUID | None = None) -> Team:
    """Create a team with its owner; raise TeamExists if the form `reference` created one before."""
    team = members_service.create_team(name, time_zone=time_zone, by=by, founding=reference)
    members_service.add_member(user=owner, team=team, role=Role.OWNER, by=by)
    return team


@transaction.atomic
def update(*, team: Team, by: Actor = COMMAND, **values: Any) -> bool:
    """Change name, time_zone, low_wallet or low_pool (hundredths); False if nothing changed."""
    membership.lock_team(team)
    row = Team.objects.get(pk=team.pk)
    before = {name: getattr(row, name) for name in CHANGEABLE if name in values}
    after = {name: values[name] for name in before}
    return _save(row, _changed(before, after), _changed(after, before), by)


@transaction.atomic
def deactivate(*, team: Team, by: Actor = COMMAND) -> bool:
    """Make all pages of the team answer 404, and keep its data; False if the team was inactive before."""
    if not Team.objects.filter(pk=team.pk, deactivated_at=None).update(deactivated_at=timezone.now()):
        return False
    audit_log_service.record(
        by, AuditAction.TEAM_CHANGED, team=team, before={"active": True}, after={"active": False}
    )
    return True


@transaction.atomic
def reactivate(*, team: Team, by: Actor = COMMAND) -> bool:
    """Undo `deactivate`, without the allowances of the months between; False if the team was active."""
    if not Team.objects.filter(pk=team.pk).exclude(deactivated_at=None).update(deactivated_at=None):
        return False
    allowances.resume(team.memberships.all())
    audit_log_service.record(
        by, AuditAction.TEAM_CHANGED, team=team, before={"active": False}, after={"active": True}
    )
    return True


def _changed(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if others[name] != value}


def _save(team: Team, before: dict[str, Any], after: dict[str, Any], by: Actor) -> bool:
    if not after:
        return False
    Team.objects.filter(pk=team.pk).update(**after)
    audit_log_service.record(by, AuditAction.TEAM_CHANGED, team=team, before=before, after=after)
    return True
