"""What a member may spend in a day and in a month of the team's calendar, counted with what is held.

Counted are the charges of the period without those that were refunded, and everything held now,
whenever it was asked for: it may still be charged. So nobody passes a cap by asking early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

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
    """A member's caps in hundredths of a credit; None for none."""

    member: Membership
    day: int | None
    month: int | None


@dataclass(frozen=True)
class Room:
    """One cap as it stands; amounts in hundredths of a credit."""

    name: str  # day or month
    cap: int
    spent: int
    held: int
    renews_at: datetime  # in the team's time zone

    @property
    def used(self) -> int:
        """What is spent and held of it."""
        return self.spent + self.held

    @property
    def left(self) -> int:
        """What may still be held before it starts anew."""
        return max(0, self.cap - self.used)


def limits_of(member: Membership) -> Limits:
    """The caps as the database has them; MembershipEnded if it did. Asked under the wallet's lock."""
    [(ended_at, day, month)] = _limits.rows(pk=member.pk)
    if ended_at:
        raise MembershipEnded
    return Limits(member, day, month)


def rooms(limits: Limits, wallet: Account, now: datetime | None = None) -> list[Room]:
    """Every cap that is set, with what it leaves; one query, or none if no cap is set."""
    team = limits.member.team
    today = periods.today(team, now or timezone.now())
    month = Month.of(today)
    set_ones = [
        (name, cap, first, last)
        for name, cap, first, last in (
            ("day", limits.day, today, today),
            ("month", limits.month, month.first, month.last),
        )
        if cap is not None
    ]
    if not set_ones:
        return []
    spent = spent_since(limits.member, {first for _name, _cap, first, _last in set_ones})
    zone = ZoneInfo(team.time_zone)
    return [
        Room(name, cap, spent[first], wallet.held, periods.begin(team, last + periods.DAY).astimezone(zone))
        for name, cap, first, last in set_ones
    ]


def tightest(member: Membership) -> Room | None:
    """The member's cap that leaves least, None without a cap; for a page, with what was read for it."""
    known = rooms(Limits(member, member.cap_per_day, member.cap_per_month), member.wallet)
    return min(known, key=lambda room: room.left, default=None)


def check(limits: Limits, wallet: Account, amount: int) -> None:
    """CapReached if so much more, held from the locked wallet, would pass a cap; the tightest one says so."""
    tight = [room for room in rooms(limits, wallet) if amount > room.left]
    if tight:
        worst = min(tight, key=lambda room: (room.left, -room.renews_at.timestamp()))
        raise CapReached(cap=worst.cap, left=worst.left, period=worst.name, renews_at=worst.renews_at)


def spent_since(member: Membership, days: set[date]) -> dict[date, int]:
    """What was charged from each day on and not given back, in one query over the member's own lines."""
    begins = {day: periods.begin(member.team, day) for day in days}
    sums = {}
    for day, begin in begins.items():
        sums[f"charged_{day}"] = Sum("amount", filter=Q(kind=TransferKind.CHARGE, created_at__gte=begin))
        sums[f"refunded_{day}"] = Sum("amount", filter=Q(kind=TransferKind.REFUND) & _charged_since(begin))
    lines = Transfer.objects.filter(
        member=member,
        kind__in=[TransferKind.CHARGE, TransferKind.REFUND],
        created_at__gte=min(begins.values()),
    )
    found = lines.aggregate(**sums)
    return {day: (found[f"charged_{day}"] or 0) - (found[f"refunded_{day}"] or 0) for day in days}


def _charged_since(begin: datetime) -> Exists:
    """True for the refund of a charge that was written since then."""
    charge = Transfer.objects.filter(reference=OuterRef("reference"), kind=TransferKind.CHARGE)
    return Exists(charge.filter(created_at__gte=begin))
