"""What one member has spent and got: the few numbers and lines on their page."""

from __future__ import annotations

from dataclasses import dataclass

from generations.credits import caps, periods
from generations.credits.models import Account, Transfer
from generations.credits.periods import Month
from generations.teams.models import Membership

NEWEST = 8  # lines


@dataclass(frozen=True)
class Figures:
    """Amounts in hundredths: spent is what was charged and not given back."""

    today: int
    month: int
    rooms: list[caps.CapUsage]


def of_member(member: Membership) -> Figures:
    """What the member spent today and this month, and how far their caps are used."""
    today = periods.today(member.team)
    first = Month.of(today).first
    spent = caps.spent_since(member, {today, first})
    wallet: Account = member.wallet
    limits = caps.Limits(member, member.cap_per_day, member.cap_per_month)
    return Figures(spent[today], spent[first], caps.usage(limits, wallet))


def newest_lines(member: Membership) -> list[Transfer]:
    """The last few lines of their wallet."""
    lines = Transfer.objects.filter(member=member).select_related("actor", "source", "target")
    return list(lines.order_by("-created_at", "-pk")[:NEWEST])
