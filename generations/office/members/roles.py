"""Running a team's people: roles, weights, programs.

`acting` is the member who asks, whose role is looked at again under the team's lock; without one
it is an operator or a command, who may everything. What the role does not allow is PermissionDenied.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from generations.credits import ledger
from generations.jobs.engine import operator_actions
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, By
from generations.office.invitations import service as invitations_service
from generations.office.members import service as members_service
from generations.office.models import AuditAction
from generations.teams import membership
from generations.teams.models import Kind, Membership, Role, Team, User
from generations.teams.permissions import roles_given_by
from generations.teams.sessions import service as sessions_service


@transaction.atomic
def set_role(
    *, member: Membership, role: Role, by: By = COMMAND, acting: Membership | None = None
) -> Membership:
    """Give the member another role; LastOwner if nobody could run the team then.

    What they invited to roles that they may no longer hand out is taken back.
    """
    membership.lock_team(member.team)
    row = _current(member)
    _may_touch(acting, row, role)
    if row.kind == Kind.PROGRAM and role not in {Role.MEMBER, Role.VIEWER}:
        raise PermissionDenied(_("A program runs no team."))
    before = row.role
    if before == role:
        return row
    membership.set_role(row, role)
    if row.user:
        invitations_service.revoke_of(maker=row.user, team=row.team, by=by, except_for=roles_given_by(role))
    audit_log_service.record(
        by, AuditAction.ROLE_CHANGED, member=row, before={"role": before}, after={"role": role}
    )
    return row


@transaction.atomic
def set_weight(
    *, member: Membership, weight: int, by: By = COMMAND, acting: Membership | None = None
) -> None:
    """Give the member so many slots for one of the others'; operator_actions.InvalidWeight if that is odd."""
    membership.lock_team(member.team)
    row = _current(member)
    _may_touch(acting, row)
    if row.weight == weight:
        return
    operator_actions.apply_weight(row, weight)
    audit_log_service.record(
        by, AuditAction.WEIGHT_CHANGED, member=row, before={"weight": row.weight}, after={"weight": weight}
    )


@transaction.atomic
def remove(*, member: Membership, acting: Membership, by: By) -> bool:
    """As `administration.dismiss` or `leave`, for who may; False if the membership had ended."""
    membership.lock_team(member.team)
    row = Membership.objects.select_related("team", "user").get(pk=member.pk)
    _may_touch(acting, row)
    end = members_service.leave if row.pk == acting.pk else members_service.dismiss
    return end(member=row, by=by)


@transaction.atomic
def make_program(*, team: Team, name: str, by: By = COMMAND) -> Membership:
    """A membership with a wallet that no person signs in to; NameTaken if another one is called so."""
    program = membership.add_program(team, name)
    ledger.open_wallet(program)
    audit_log_service.record(by, AuditAction.PROGRAM_MADE, member=program, after={"name": name})
    return program


@transaction.atomic
def rename_program(*, program: Membership, name: str, by: By = COMMAND) -> None:
    """Call the program something else; NameTaken if another one is called so."""
    before = program.name
    if before == name:
        return
    membership.rename_program(program, name)
    audit_log_service.record(
        by,
        AuditAction.PERSON_CHANGED,
        member=program,
        subject=before,
        before={"name": before},
        after={"name": name},
    )


@transaction.atomic
def shut_out(*, user: User, by: By = COMMAND) -> None:
    """Before an account is closed: take back what the person invited to any team, and end their sessions."""
    theirs = Q(memberships__user=user, memberships__ended_at=None) | Q(invitations__made_by=user)
    for team in Team.objects.filter(pk__in=Team.objects.filter(theirs).values("pk")).order_by("pk"):
        membership.lock_team(team)
        invitations_service.revoke_of(maker=user, team=team, by=by)
    sessions_service.end_others(user, this=None)


def _current(member: Membership) -> Membership:
    """The row as it is under the lock; DoesNotExist if the membership ended meanwhile."""
    return Membership.objects.select_related("team", "user").get(pk=member.pk, ended_at=None)


def _may_touch(acting: Membership | None, member: Membership, role: Role | None = None) -> None:
    """PermissionDenied unless the one who asks may change this member, and to that role."""
    if acting is None:
        return
    asking = Membership.objects.filter(pk=acting.pk, ended_at=None).values_list("role", flat=True).first()
    given = roles_given_by(asking or "")
    if member.role not in given or (role and role not in given):
        raise PermissionDenied(_("Only owners appoint and change owners."))
