"""Create teams; add, change and remove their members and programs.

Each function writes its audit entry in its own transaction; `by` is the actor that the entry records.
`requester` is the member who makes the request: their current role is checked under the lock of the team, and
PermissionDenied raised if it does not allow the change. Without a requester (operators and management
commands) everything is allowed.

Locks are taken in this order: the row of the team, invitations, queued generations, accounts, memberships.
"""

import uuid

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.credits import ledger
from generations.credits.accounts import lock_pool_and_wallet
from generations.credits.amounts import in_credits
from generations.jobs import submission
from generations.jobs.engine import operator_actions
from generations.jobs.engine import prompt_help as engine_prompt_help
from generations.jobs.models import Generation, Status
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, Actor
from generations.office.credits import service as credits_service
from generations.office.invitations import service as invitations_service
from generations.office.models import AuditAction
from generations.teams import membership
from generations.teams import users as teams_users
from generations.teams.models import Kind, Membership, Role, Team, User
from generations.teams.permissions import assignable_roles
from generations.teams.sessions import service as sessions_service


class StillSubmitting(Exception):
    """A generation was submitted between two checks; the caller tries again."""


@transaction.atomic
def create_first_operator(
    *,
    email: str,
    password: str | None = None,
    team_name: str = "Studio",
    pool: int = 0,
    wallet: int = 0,
) -> User | None:
    """Create the first operator as the owner of the first team; None if there is an operator already.

    `pool` and `wallet` are the credits that both hold afterwards, in hundredths.
    """
    if User.objects.filter(is_staff=True).exists():
        return None
    user = User.objects.filter(email=email.lower()).first() or teams_users.create(
        email=email, password=password
    )
    teams_users.make_operator(user)
    team = Team.objects.order_by("pk").first() or create_team(team_name)
    if not user.memberships.filter(team=team, ended_at=None).exists():
        add_member(user=user, team=team, role=Role.OWNER, by=Actor(user), granted=wallet)
    if pool:
        credits_service.issue(team=team, amount=pool, reference=uuid.uuid4(), by=Actor(user))
    return user


@transaction.atomic
def create_team(
    name: str, *, time_zone: str = "UTC", by: Actor = COMMAND, founding: uuid.UUID | None = None
) -> Team:
    """Create a team with an empty pool; raise TeamExists if the form `founding` created one before."""
    team = membership.create_team(name, time_zone=time_zone, founding=founding)
    ledger.open_pool(team)
    audit_log_service.record(
        by, AuditAction.TEAM_MADE, team=team, after={"name": team.name, "time_zone": team.time_zone}
    )
    return team


@transaction.atomic
def add_member(
    *, user: User, team: Team, role: Role = Role.MEMBER, by: Actor = COMMAND, granted: int = 0
) -> Membership:
    """Make the user a member of the team, with a wallet; raise AlreadyMember for a current member.

    `granted` hundredths are issued to the pool and granted from it, so the pool keeps its balance.
    """
    member = membership.join(user, team, role)
    ledger.open_pool(team)
    ledger.open_wallet(member)
    if granted:
        # Without an audit entry of its own: that of the new member names the credits.
        ledger.issue(team=team, amount=granted, reference=uuid.uuid4(), actor=by.user)
        ledger.grant(member=member, amount=granted, reference=uuid.uuid4(), actor=by.user)
    credits_after = {"credits": granted} if granted else {}
    audit_log_service.record(
        by, AuditAction.MEMBER_ADMITTED, member=member, after={"role": role} | credits_after
    )
    return member


def end_membership(
    *, member: Membership, by: Actor = COMMAND, act: AuditAction = AuditAction.MEMBER_REMOVED
) -> bool:
    """End the membership; False if it had ended before, LastOwner if no owner would be left.

    Queued generations are canceled and the member's open invitations revoked. Available credits return to the
    pool at once, held credits when their generations finish. Images and ledger entries stay.
    """
    while True:
        try:
            return _end(member, by, act)
        except StillSubmitting:
            continue


@transaction.atomic
def _end(member: Membership, by: Actor, act: AuditAction) -> bool:
    membership.lock_team(member.team)
    role = Membership.objects.values_list("role", flat=True).get(pk=member.pk)  # may differ from member.role
    if member.user:
        invitations_service.revoke_all(made_by=member.user, team=member.team, by=by)
    canceled = submission.cancel_all(member=member).count
    engine_prompt_help.end_of(member.pk)
    _pool, wallet = lock_pool_and_wallet(member)
    # The lock on the wallet stops new submissions. Canceling one that came just before needs locks that come
    # earlier in the order than accounts, so the transaction is rolled back and tried again.
    if Generation.objects.filter(member=member, status=Status.QUEUED).exists():
        raise StillSubmitting
    if not membership.leave(member):
        return False
    returned = wallet.available
    if returned:
        ledger.take_back(member=member, amount=returned, reference=uuid.uuid4(), actor=by.user)
    audit_log_service.record(
        by, act, member=member, before={"role": role}, note=_ended_note(returned, canceled)
    )
    return True


def leave(*, member: Membership, by: Actor) -> bool:
    """End one's own membership, as `end_membership` does."""
    return end_membership(member=member, by=by, act=AuditAction.MEMBER_LEFT)


def _ended_note(returned: int, canceled: int) -> str:
    """Return the note of the audit entry: credits returned and pictures canceled."""
    credits_back = _("%(credits)s back to the team") % {"credits": in_credits(returned)}
    pictures = ngettext("%(count)s waiting picture canceled", "%(count)s waiting pictures canceled", canceled)
    parts = {credits_back: returned, pictures % {"count": canceled}: canceled}
    return ", ".join(text for text, number in parts.items() if number)


@transaction.atomic
def set_role(
    *, member: Membership, role: Role, by: Actor = COMMAND, requester: Membership | None = None
) -> Membership:
    """Change the role of a member; raise LastOwner if no owner would be left.

    The member's open invitations to roles that they may no longer assign are revoked.
    """
    membership.lock_team(member.team)
    row = _current(member)
    _check_may_change(requester, row, role)
    if row.kind == Kind.PROGRAM and role not in {Role.MEMBER, Role.VIEWER}:
        raise PermissionDenied(_("A program can be a member or a viewer only."))
    before = row.role
    if before == role:
        return row
    membership.set_role(row, role)
    if row.user:
        invitations_service.revoke_all(
            made_by=row.user, team=row.team, by=by, except_for=assignable_roles(role)
        )
    audit_log_service.record(
        by, AuditAction.ROLE_CHANGED, member=row, before={"role": before}, after={"role": role}
    )
    return row


@transaction.atomic
def set_weight(
    *, member: Membership, weight: int, by: Actor = COMMAND, requester: Membership | None = None
) -> None:
    """Set the member's weight in the queue; raise operator_actions.InvalidWeight if it is out of range."""
    membership.lock_team(member.team)
    row = _current(member)
    _check_may_change(requester, row)
    if row.weight == weight:
        return
    operator_actions.apply_weight(row, weight)
    audit_log_service.record(
        by, AuditAction.WEIGHT_CHANGED, member=row, before={"weight": row.weight}, after={"weight": weight}
    )


@transaction.atomic
def remove_member(*, member: Membership, requester: Membership, by: Actor) -> bool:
    """End the membership as `end_membership` or `leave` does; False if it had ended before."""
    membership.lock_team(member.team)
    row = Membership.objects.select_related("team", "user").get(pk=member.pk)
    _check_may_change(requester, row)
    end = leave if row.pk == requester.pk else end_membership
    return end(member=row, by=by)


@transaction.atomic
def create_program(*, team: Team, name: str, by: Actor = COMMAND) -> Membership:
    """Create a program with a wallet; raise ProgramNameTaken if the team has one of that name."""
    program = membership.create_program(team, name)
    ledger.open_wallet(program)
    audit_log_service.record(by, AuditAction.PROGRAM_MADE, member=program, after={"name": name})
    return program


@transaction.atomic
def rename_program(*, program: Membership, name: str, by: Actor = COMMAND) -> None:
    """Rename the program; raise ProgramNameTaken if the team has another one of that name."""
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
def revoke_access(*, user: User, by: Actor = COMMAND) -> None:
    """End the user's sessions and revoke their open invitations to any team, before the account is closed."""
    theirs = Q(memberships__user=user, memberships__ended_at=None) | Q(invitations__made_by=user)
    for team in Team.objects.filter(pk__in=Team.objects.filter(theirs).values("pk")).order_by("pk"):
        membership.lock_team(team)
        invitations_service.revoke_all(made_by=user, team=team, by=by)
    sessions_service.end_others(user, this=None)


def _current(member: Membership) -> Membership:
    """Return the current row, read under the lock.

    Raises Membership.DoesNotExist if the membership has ended.
    """
    return Membership.objects.select_related("team", "user").get(pk=member.pk, ended_at=None)


def _check_may_change(requester: Membership | None, member: Membership, role: Role | None = None) -> None:
    """Raise PermissionDenied unless the requester may change this member, and assign that role."""
    if requester is None:
        return
    own_role = (
        Membership.objects.filter(pk=requester.pk, ended_at=None).values_list("role", flat=True).first()
    )
    assignable = assignable_roles(own_role or "")
    if member.role not in assignable or (role and role not in assignable):
        raise PermissionDenied(_("Only owners appoint and change owners."))
