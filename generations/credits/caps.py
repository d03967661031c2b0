"""Spending caps of a member, per day and per month in the team's time zone.

Usage is the charges of the period that were not refunded, plus everything held now, whenever it was
requested: it may still be charged. So requesting early does not get around a cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from generations.core.one_message import Asked
from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits import periods
from generations.credits.errors import CapReached, MembershipEnded
from generations.credits.models import Account, Transfer, TransferKind
from generations.credits.periods import Month
from generations.teams.models import Membership

_limits = PreparedQuery(
    lambda: Membership.objects.filter(pk=Param("pk")).values_list("ended_at", "cap_per_day", "cap_per_month")
)


@dataclass(frozen=True)
class Limits:
    """A member's caps in hundredths of a credit; None means no cap."""

    member: Membership
    day: int | None
    month: int | None


@dataclass(frozen=True)
class CapUsage:
    """One cap and how much of it is used; amounts in hundredths of a credit."""

    name: str  # day or month
    cap: int
    spent: int
    held: int
    renews_at: datetime  # in the team's time zone

    @property
    def used(self) -> int:
        """Spent and held together."""
        return self.spent + self.held

    @property
    def left(self) -> int:
        """What may still be held before the cap renews."""
        return max(0, self.cap - self.used)


def limits_of(member: Membership) -> Limits:
    """Read the caps from the database; MembershipEnded if it did. Call it under the wallet's lock."""
    return limits_in(member, _limits.rows(pk=member.pk))


def ask_limits(member: Membership) -> Asked:
    """Return the query of `limits_of` for `ask_together`; `limits_in` reads its answer."""
    return _limits.asked_rows(pk=member.pk)


def limits_in(member: Membership, rows: Sequence[Sequence[Any]]) -> Limits:
    """Return what `ask_limits` has found; MembershipEnded if it did."""
    [(ended_at, day, month)] = rows
    if ended_at:
        raise MembershipEnded
    return Limits(member, day, month)


def usage(limits: Limits, wallet: Account, now: datetime | None = None) -> list[CapUsage]:
    """Return the usage of every cap that is set; one query, or none if no cap is set."""
    team = limits.member.team
    today = periods.today(team, now or timezone.now())
    month = Month.of(today)
    periods_with_cap = [
        (name, cap, first, last)
        for name, cap, first, last in (
            ("day", limits.day, today, today),
            ("month", limits.month, month.first, month.last),
        )
        if cap is not None
    ]
    if not periods_with_cap:
        return []
    spent = spent_since(limits.member, {first for _name, _cap, first, _last in periods_with_cap})
    zone = ZoneInfo(team.time_zone)
    return [
        CapUsage(
            name, cap, spent[first], wallet.held, periods.begin(team, last + periods.DAY).astimezone(zone)
        )
        for name, cap, first, last in periods_with_cap
    ]


def tightest(member: Membership) -> CapUsage | None:
    """Return the member's cap that has least left, or None; for display, from the member as it was read."""
    caps = usage(Limits(member, member.cap_per_day, member.cap_per_month), member.wallet)
    return min(caps, key=lambda cap: cap.left, default=None)


def check(limits: Limits, wallet: Account, amount: int) -> None:
    """Raise CapReached, for the tightest cap, if holding the amount in the wallet exceeds one."""
    exceeded = [cap for cap in usage(limits, wallet) if amount > cap.left]
    if exceeded:
        cap = min(exceeded, key=lambda cap: (cap.left, -cap.renews_at.timestamp()))
        raise CapReached(cap=cap.cap, left=cap.left, period=cap.name, renews_at=cap.renews_at)


def spent_since(member: Membership, days: set[date]) -> dict[date, int]:
    """Return what was charged and not refunded from each day on, in one query over the member's transfers."""
    begins = {day: periods.begin(member.team, day) for day in days}
    sums = {}
    for day, begin in begins.items():
        sums[f"charged_{day}"] = Sum("amount", filter=Q(kind=TransferKind.CHARGE, created_at__gte=begin))
        sums[f"refunded_{day}"] = Sum("amount", filter=Q(kind=TransferKind.REFUND) & _charged_since(begin))
    transfers = Transfer.objects.filter(
        member=member,
        kind__in=[TransferKind.CHARGE, TransferKind.REFUND],
        created_at__gte=min(begins.values()),
    )
    found = transfers.aggregate(**sums)
    return {day: (found[f"charged_{day}"] or 0) - (found[f"refunded_{day}"] or 0) for day in days}


def _charged_since(begin: datetime) -> Exists:
    """Match refunds whose charge was posted since then."""
    charge = Transfer.objects.filter(reference=OuterRef("reference"), kind=TransferKind.CHARGE)
    return Exists(charge.filter(created_at__gte=begin))
