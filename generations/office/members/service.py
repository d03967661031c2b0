"""Running the installation and its teams: who comes in and goes, and with how many credits.

Each verb writes its entry of the audit log in its own transaction; `by` says who acts. Locks are
taken in one order: the team's row, invitations, waiting generations, accounts, memberships.
"""

import uuid

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.credits import ledger
from generations.credits.accounts import lock_pool_and_wallet
from generations.credits.amounts import as_text
from generations.credits.models import Transfer
from generations.jobs import submission
from generations.jobs.models import Generation, Status
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, By
from generations.office.invitations import service as invitations_service
from generations.office.models import AuditAction
from generations.teams import membership
from generations.teams import users as teams_users
from generations.teams.models import Membership, Role, Team, User


class StillSubmitting(Exception):
    """Something was submitted between two looks; look again."""


@transaction.atomic
def found(
    *,
    email: str,
    password: str | None = None,
    team_name: str = "Studio",
    pool: int = 0,
    wallet: int = 0,
) -> User | None:
    """The first operator, who owns the first team; None if there is an operator already.

    `pool` and `wallet` are what both hold afterwards, in hundredths of a credit.
    """
    if User.objects.filter(is_staff=True).exists():
        return None
    user = User.objects.filter(email=email.lower()).first() or teams_users.add(email=email, password=password)
    teams_users.make_operator(user)
    team = Team.objects.order_by("pk").first() or open_team(team_name)
    if not user.memberships.filter(team=team, ended_at=None).exists():
        admit(user=user, team=team, role=Role.OWNER, by=By(user), granted=wallet)
    if pool:
        issue(team=team, amount=pool, reference=uuid.uuid4(), by=By(user))
    return user


@transaction.atomic
def open_team(
    name: str, *, time_zone: str = "UTC", by: By = COMMAND, founding: uuid.UUID | None = None
) -> Team:
    """A new team with an empty pool; FoundedBefore if the same form made one."""
    team = membership.found_team(name, time_zone=time_zone, founding=founding)
    ledger.open_pool(team)
    audit_log_service.record(
        by, AuditAction.TEAM_MADE, team=team, after={"name": team.name, "time_zone": team.time_zone}
    )
    return team


@transaction.atomic
def admit(
    *, user: User, team: Team, role: Role = Role.MEMBER, by: By = COMMAND, granted: int = 0
) -> Membership:
    """Let the person into the team with a wallet; AlreadyIn if they are in it.

    `granted` hundredths are issued to the pool and granted from it, so the pool stays as it was.
    """
    member = membership.join(user, team, role)
    ledger.open_pool(team)
    ledger.open_wallet(member)
    if granted:
        _issue_silently(team, granted, by)
        ledger.grant(member=member, amount=granted, reference=uuid.uuid4(), actor=by.user)
    credits_given = {"credits": granted} if granted else {}
    audit_log_service.record(
        by, AuditAction.MEMBER_ADMITTED, member=member, after={"role": role} | credits_given
    )
    return member


def dismiss(*, member: Membership, by: By = COMMAND, act: AuditAction = AuditAction.MEMBER_REMOVED) -> bool:
    """End the membership; False if it had ended, LastOwner if nobody could run the team then.

    What waits is canceled and the invitations they made are taken back. What they can spend goes
    back to the pool at once, what is held when its pictures are decided. Images and ledger stay.
    """
    while True:
        try:
            return _end(member, by, act)
        except StillSubmitting:
            continue


@transaction.atomic
def _end(member: Membership, by: By, act: AuditAction) -> bool:
    membership.lock_team(member.team)
    role = Membership.objects.values_list("role", flat=True).get(pk=member.pk)  # another may have changed it
    if member.user:
        invitations_service.revoke_of(maker=member.user, team=member.team, by=by)
    canceled = submission.cancel_all(member=member)
    _pool, wallet = lock_pool_and_wallet(member)
    # Under the wallet's lock nothing more is submitted. What came just before it takes locks on rows
    # that stand before accounts, so this starts anew.
    if Generation.objects.filter(member=member, status=Status.QUEUED).exists():
        raise StillSubmitting
    if not membership.leave(member):
        return False
    returned = wallet.available
    if returned:
        ledger.take_back(member=member, amount=returned, reference=uuid.uuid4(), actor=by.user)
    audit_log_service.record(
        by, act, member=member, before={"role": role}, note=_what_went(returned, canceled)
    )
    return True


def leave(*, member: Membership, by: By) -> bool:
    """Go oneself; as `dismiss` otherwise."""
    return dismiss(member=member, by=by, act=AuditAction.MEMBER_LEFT)


def _what_went(returned: int, canceled: int) -> str:
    """What else an ended membership changed, in words."""
    credits_back = _("%(credits)s credits back to the pool") % {"credits": as_text(returned)}
    pictures = ngettext("%(count)s waiting picture canceled", "%(count)s waiting pictures canceled", canceled)
    parts = {credits_back: returned, pictures % {"count": canceled}: canceled}
    return ", ".join(words for words, number in parts.items() if number)


def _issue_silently(team: Team, amount: int, by: By) -> None:
    """New credits that come with the act itself, whose entry names them."""
    ledger.issue(team=team, amount=amount, reference=uuid.uuid4(), actor=by.user)


@transaction.atomic
def issue(*, team: Team, amount: int, reference: uuid.UUID, by: By = COMMAND, note: str = "") -> Transfer:
    """New credits for the team's pool, in hundredths; only operators may. The same reference does so once."""
    line = ledger.issue(team=team, amount=amount, reference=reference, actor=by.user, note=note)
    if line.is_new:
        audit_log_service.record(by, AuditAction.ISSUED, team=team, after={"amount": amount}, note=note)
    return line
