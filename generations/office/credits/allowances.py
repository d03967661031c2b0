"""What members are given from the pool each month, exactly once per membership and month.

A month's line carries a reference made of the membership and the month, which the ledger writes once;
`given_month` only says where to go on. Both change in one transaction per member, under the wallet's
lock, so beats may run at once, stop halfway, or not come for months. A top-up is caught up with once,
for the month that it is; what is added each month is given for every month that was missed, except while
the team was closed or the person was locked out. Where the pool has too little nothing is given in part,
and it is tried again with the next beat.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

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
from generations.office.audit_log.service import By
from generations.office.models import Act, Allowance, AllowanceKind
from generations.teams.models import Membership, Team

log = logging.getLogger(__name__)

AHEAD = timedelta(hours=15)  # no time zone is further ahead of UTC
ONCE_A_DAY = 24 * 60 * 60  # seconds: a pool that stays too small is logged so often
WARNED = "allowance-waits-{}"  # cache key of a team whose pool is too small


@transaction.atomic
def set_allowance(
    *,
    member: Membership,
    kind: AllowanceKind,
    amount: int,
    now: bool,
    by: By,
    at: datetime | None = None,
) -> Allowance:
    """Give the member so many hundredths each month, from this one on (`now`) or from the next.

    This month's is given at once if the pool has it. A month that was given for is not given for
    again, whatever is set. MembershipEnded for who left.
    """
    lock_pool_and_wallet(member)
    if Membership.objects.filter(pk=member.pk, ended_at__isnull=False).exists():
        raise ledger.MembershipEnded
    month = _month(member, at)
    first = month if now else month.next
    given = month.first if _line(member, month).exists() else None
    old = Allowance.objects.filter(membership=member).first()
    before = {"kind": old.kind, "amount": old.amount} if old else {}
    values = {"kind": kind, "amount": amount, "first_month": first.first, "given_month": given}
    row, _made = Allowance.objects.update_or_create(
        membership=member, defaults=values | {"changed_at": timezone.now()}
    )
    after = {"kind": str(kind), "amount": amount, "first_month": first.name}
    audit_log_service.record(by, Act.ALLOWANCE_SET, member=member, before=before, after=after)
    if now:
        give(member, at)
    return row


@transaction.atomic
def end_allowance(*, member: Membership, by: By) -> bool:
    """Give the member nothing more by itself; False if there was no allowance."""
    lock_pool_and_wallet(member)
    old = Allowance.objects.filter(membership=member).first()
    if old is None:
        return False
    old.delete()
    before = {"kind": old.kind, "amount": old.amount}
    audit_log_service.record(by, Act.ALLOWANCE_SET, member=member, before=before, after={"amount": None})
    return True


def resume(members: QuerySet[Membership], at: datetime | None = None) -> None:
    """Go on with who comes back, from this month of their team on; the months away are not given for."""
    for team in Team.objects.filter(memberships__in=members).distinct():
        month = Month.of(periods.today(team, at)).first
        rows = Allowance.objects.filter(membership__in=members, membership__team=team)
        rows.filter(first_month__lt=month).update(first_month=month)


def give_due(at: datetime | None = None) -> int:
    """Give what is due to everybody, each member in a transaction of their own; how many lines."""
    latest = ((at or timezone.now()) + AHEAD).date().replace(day=1)
    waiting = Allowance.objects.filter(
        Q(given_month__isnull=True) | Q(given_month__lt=latest),
        first_month__lte=latest,
        membership__ended_at=None,
        membership__team__deactivated_at=None,
    ).exclude(membership__user__is_active=False)
    rows = waiting.select_related("membership__team", "membership__user").order_by("pk")
    given = 0
    for row in rows:
        try:
            given += give(row.membership, at) if _due(row, at) else 0
        except Exception:  # one member's trouble keeps nobody else waiting
            log.exception("The allowance of %s could not be given", row.membership)
    return given


def give(member: Membership, at: datetime | None = None) -> int:
    """Give one member what is due, a transaction for each month; how many lines.

    What the pool cannot pay waits for the next beat.
    """
    given = 0
    try:
        while (lines := _give_next(member, at)) is not None:
            given += lines
    except ledger.InsufficientCredits as problem:
        if cache.add(WARNED.format(member.team_id), True, ONCE_A_DAY):
            log.warning("The pool of %s is too small for its allowances: %s", member.team, problem)
    except ledger.LedgerError:
        log.exception("The allowance of %s could not be given", member)
    return given


def is_given(member: Membership, at: datetime | None = None) -> bool:
    """Whether this month's stands in the ledger."""
    return _line(member, _month(member, at)).exists()


@transaction.atomic
def _give_next(member: Membership, at: datetime | None) -> int | None:
    """Give the next month that is due; how many lines that took, None if nothing is due."""
    _pool, wallet = lock_pool_and_wallet(member)
    row = Allowance.objects.filter(membership=member, membership__ended_at=None).first()
    months = _due(row, at) if row else []
    if row is None or not months:
        return None
    tops_up = row.kind == AllowanceKind.TOP_UP
    month = months[-1] if tops_up else months[0]
    amount = max(0, row.amount - wallet.balance) if tops_up else row.amount
    if _line(member, month).exists():
        amount = 0
    if amount:
        bulk_transfers.grant_allowance(
            member=member,
            amount=amount,
            reference=_reference(member, month),
            note=date_format(month.first, "F Y"),
        )
    Allowance.objects.filter(pk=row.pk).update(given_month=month.first)
    return 1 if amount else 0


def _due(row: Allowance, at: datetime | None) -> list[Month]:
    """The months that were not given for, the oldest first; none from before the member came (back)."""
    team = row.membership.team
    came = Month.of(periods.today(team, row.membership.joined_at))
    month = max(Month.of(row.first_month), came)
    if row.given_month:
        month = max(month, Month.of(row.given_month).next)
    this, months = _month(row.membership, at), []
    while month <= this:
        months.append(month)
        month = month.next
    return months


def _month(member: Membership, at: datetime | None) -> Month:
    return Month.of(periods.today(member.team, at))


def _reference(member: Membership, month: Month) -> uuid.UUID:
    """What stands on the line of that month."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"sdweb allowance {member.pk} {month.name}")


def _line(member: Membership, month: Month) -> QuerySet[Transfer]:
    return Transfer.objects.filter(reference=_reference(member, month), kind=TransferKind.ALLOWANCE)
