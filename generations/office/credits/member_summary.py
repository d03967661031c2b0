"""A member's spending, cap usage and latest ledger entries, for their page."""

from __future__ import annotations

from dataclasses import dataclass

from generations.credits import caps as credits_caps
from generations.credits import periods
from generations.credits.models import Account, Transfer
from generations.credits.periods import Month
from generations.teams.models import Membership

LATEST_ENTRIES = 8


@dataclass(frozen=True)
class MemberSummary:
    """Charges less refunds of today and of this month, in hundredths, and how far each cap is used."""

    today: int
    month: int
    caps: list[credits_caps.CapUsage]


def summary_of(member: Membership) -> MemberSummary:
    """Return what the member spent today and this month, by the team's calendar, and their caps."""
    today = periods.today(member.team)
    first = Month.of(today).first
    spent = credits_caps.spent_since(member, {today, first})
    wallet: Account = member.wallet
    limits = credits_caps.Limits(member, member.cap_per_day, member.cap_per_month)
    return MemberSummary(spent[today], spent[first], credits_caps.usage(limits, wallet))


def latest_entries(member: Membership) -> list[Transfer]:
    """Return the latest ledger entries of the member's wallet, newest first."""
    entries = Transfer.objects.filter(member=member).select_related("actor", "source", "target")
    return list(entries.order_by("-created_at", "-pk")[:LATEST_ENTRIES])
