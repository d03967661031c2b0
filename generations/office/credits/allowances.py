"""Monthly allowances: credits granted to members from the pool, exactly once per membership and month.

A month's ledger entry has a reference made of the membership and the month, and the ledger writes a
reference once; `given_month` only says where to continue. Both change in one transaction per member, under
the wallet's lock, so the task may run concurrently, stop halfway, or not run for months. A missed top-up is
made up for once, for the present month; an allowance that adds is granted for every month that was missed,
except while the team was closed or the person was deactivated. If the pool has too little nothing is granted
in part, and the next run tries again.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from generations.credits import bulk_transfers, ledger, periods
from generations.credits.accounts import lock_pool_and_wallet
from generations.credits.models import Transfer, TransferKind
from generations.credits.periods import Month
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.models import Allowance, AllowanceKind, AuditAction
from generations.teams.models import Membership, Team

log = logging.getLogger(__name__)

MAX_UTC_OFFSET = timedelta(hours=15)  # no time zone is further ahead of UTC
WARNING_INTERVAL = 24 * 60 * 60  # seconds between warnings about the same pool
WARNED_CACHE_KEY = "allowance-waits-{}"  # of a team whose pool is too small


@transaction.atomic
def set_allowance(
    *,
    member: Membership,
    kind: AllowanceKind,
    amount: int,
    from_this_month: bool,
    by: Actor,
    at: datetime | None = None,
) -> Allowance:
    """Set what the member is granted each month, in hundredths, from this month or from the next.

    This month's is granted at once if the pool has enough. A month is never granted twice, whatever is set.
    MembershipEnded if the member has left.
    """
    lock_pool_and_wallet(member)
    if Membership.objects.filter(pk=member.pk, ended_at__isnull=False).exists():
        raise ledger.MembershipEnded
    month = _month(member, at)
    first = month if from_this_month else month.next
    granted_month = month.first if _entries(member, month).exists() else None
    old = Allowance.objects.filter(membership=member).first()
    before = {"kind": old.kind, "amount": old.amount} if old else {}
    values = {"kind": kind, "amount": amount, "first_month": first.first, "given_month": granted_month}
    row, _made = Allowance.objects.update_or_create(
        membership=member, defaults=values | {"changed_at": timezone.now()}
    )
    after = {"kind": str(kind), "amount": amount, "first_month": first.name}
    audit_log_service.record(by, AuditAction.ALLOWANCE_SET, member=member, before=before, after=after)
    if from_this_month:
        grant_due(member, at)
    return row


@transaction.atomic
def end_allowance(*, member: Membership, by: Actor) -> bool:
    """Delete the member's allowance; False if there was none."""
    lock_pool_and_wallet(member)
    old = Allowance.objects.filter(membership=member).first()
    if old is None:
        return False
    old.delete()
    before = {"kind": old.kind, "amount": old.amount}
    audit_log_service.record(
        by, AuditAction.ALLOWANCE_SET, member=member, before=before, after={"amount": None}
    )
    return True


def resume(members: QuerySet[Membership], at: datetime | None = None) -> None:
    """Continue the allowances of members who come back, from the present month; missed months stay missed."""
    for team in Team.objects.filter(memberships__in=members).distinct():
        month = Month.of(periods.today(team, at)).first
        rows = Allowance.objects.filter(membership__in=members, membership__team=team)
        rows.filter(first_month__lt=month).update(first_month=month)


def grant_all_due(at: datetime | None = None) -> int:
    """Grant every allowance that is due, each member separately; return the number of ledger entries."""
    latest = ((at or timezone.now()) + MAX_UTC_OFFSET).date().replace(day=1)
    waiting = Allowance.objects.filter(
        Q(given_month__isnull=True) | Q(given_month__lt=latest),
        first_month__lte=latest,
        membership__ended_at=None,
        membership__team__deactivated_at=None,
    ).exclude(membership__user__is_active=False)
    rows = waiting.select_related("membership__team", "membership__user").order_by("pk")
    granted = 0
    for row in rows:
        try:
            granted += grant_due(row.membership, at) if _due_months(row, at) else 0
        except Exception:  # an error for one member must not stop the others
            log.exception("The allowance of %s could not be granted", row.membership)
    return granted


def grant_due(member: Membership, at: datetime | None = None) -> int:
    """Grant one member every month that is due, a transaction for each; return the number of ledger entries.

    What the pool cannot cover waits for the next run.
    """
    granted = 0
    try:
        while (entries := _grant_next_month(member, at)) is not None:
            granted += entries
    except ledger.InsufficientCredits as problem:
        if cache.add(WARNED_CACHE_KEY.format(member.team_id), True, WARNING_INTERVAL):
            log.warning("The team credits of %s are too few for its allowances: %s", member.team, problem)
    except ledger.LedgerError:
        log.exception("The allowance of %s could not be granted", member)
    return granted


@dataclass(frozen=True)
class Upcoming:
    """The next grant of an allowance: on that day, or as soon as the team has enough if it `is_due`."""

    allowance: Allowance
    day: date
    is_due: bool


def upcoming(member: Membership, at: datetime | None = None) -> Upcoming | None:
    """Return when the member's allowance is granted next; None without an allowance."""
    row = Allowance.objects.filter(membership=member).select_related("membership__team").first()
    if row is None:
        return None
    if due := _due_months(row, at):
        return Upcoming(row, due[0].first, is_due=True)
    return Upcoming(row, max(Month.of(row.first_month), _month(member, at).next).first, is_due=False)


def is_granted(member: Membership, at: datetime | None = None) -> bool:
    """Whether the allowance of the present month is in the ledger."""
    return _entries(member, _month(member, at)).exists()


@transaction.atomic
def _grant_next_month(member: Membership, at: datetime | None) -> int | None:
    """Grant the next month that is due; return the entries written (0 or 1), None if nothing is due."""
    _pool, wallet = lock_pool_and_wallet(member)
    row = Allowance.objects.filter(membership=member, membership__ended_at=None).first()
    months = _due_months(row, at) if row else []
    if row is None or not months:
        return None
    tops_up = row.kind == AllowanceKind.TOP_UP
    month = months[-1] if tops_up else months[0]
    amount = max(0, row.amount - wallet.balance) if tops_up else row.amount
    if _entries(member, month).exists():
        amount = 0
    if amount:
        bulk_transfers.grant_allowance(
            member=member,
            amount=amount,
            reference=_reference(member, month),
            note=date_format(month.first, "YEAR_MONTH_FORMAT"),
        )
    Allowance.objects.filter(pk=row.pk).update(given_month=month.first)
    return 1 if amount else 0


def _due_months(row: Allowance, at: datetime | None) -> list[Month]:
    """Return the months not granted yet, oldest first, none from before the member joined (again)."""
    team = row.membership.team
    joined = Month.of(periods.today(team, row.membership.joined_at))
    month = max(Month.of(row.first_month), joined)
    if row.given_month:
        month = max(month, Month.of(row.given_month).next)
    present, months = _month(row.membership, at), []
    while month <= present:
        months.append(month)
        month = month.next
    return months


def _month(member: Membership, at: datetime | None) -> Month:
    return Month.of(periods.today(member.team, at))


def _reference(member: Membership, month: Month) -> uuid.UUID:
    """The reference of the ledger entry of that month; stored, so it never changes."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"sdweb allowance {member.pk} {month.name}")


def _entries(member: Membership, month: Month) -> QuerySet[Transfer]:
    return Transfer.objects.filter(reference=_reference(member, month), kind=TransferKind.ALLOWANCE)
