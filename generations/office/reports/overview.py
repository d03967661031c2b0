"""A team's credits: what it has now, what a month cost, and how both compare.

Spending is charges less refunds, by the day of the ledger entry. Amounts are hundredths of a credit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from generations.credits import periods
from generations.credits.models import Account, Hold, HoldState, Transfer, TransferKind
from generations.credits.periods import Month
from generations.credits.totals import TeamTotals, Total
from generations.office.members import query as members_query
from generations.office.reports import charts as reports_charts
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Team

SPENDING_KINDS = (TransferKind.CHARGE.value, TransferKind.REFUND.value)
GROUPINGS = ("model", "member")
SPARKLINE_DAYS = 21
Key = tuple[Any, ...]


@dataclass(frozen=True)
class TeamBalance:
    """What a team has now: in its pool, in its members' wallets, and how much of the latter is held."""

    pool: int
    wallets: int
    held: int
    open_holds: int

    @property
    def total(self) -> int:
        """All that the team can still spend, held credits included."""
        return self.pool + self.wallets


@dataclass(frozen=True)
class MonthSpending:
    """What a month cost so far, and how it compares with the month before."""

    spent: int
    days: int  # since the team first spent anything, if that was in this month
    charged_pictures: int
    refunded_pictures: int
    spent_before: int  # in the month before, after as many days
    days_left: int | None  # that the pool lasts at this rate; None if nothing is spent, or for a past month

    @property
    def per_day(self) -> int:
        """The average per day, the present day included."""
        return round(self.spent / self.days)

    @property
    def paid_pictures(self) -> int:
        """How many pictures were charged and not refunded."""
        return self.charged_pictures - self.refunded_pictures

    @property
    def per_picture(self) -> int | None:
        """The average cost of a paid picture; None if there is none."""
        return round(self.spent / self.paid_pictures) if self.paid_pictures > 0 else None

    @property
    def change(self) -> int | None:
        """Change from the month before in per cent; None if that month cost nothing."""
        if self.spent_before <= 0:
            return None
        return round(100 * (self.spent - self.spent_before) / self.spent_before)

    @property
    def decrease(self) -> int:
        """The change with the opposite sign."""
        return -(self.change or 0)


@dataclass(frozen=True)
class BarPart:
    """A part of a horizontal bar: its CSS class, and position and width in per cent."""

    css_class: str
    x: str
    width: str


def spending(
    books: TeamTotals, *, by: Collection[str], since: date, until: date, **where: Any
) -> Counter[Key]:
    """Return what was spent on those days, both included, grouped by some of day, model and member."""
    kinds = {"kind__in": SPENDING_KINDS}
    totals = books.totals(by=("kind", *by), since=since, until=until, where=kinds | where)
    amounts: Counter[Key] = Counter()
    for (kind, *key), total in totals.items():
        amounts[tuple(key)] += total.amount if kind == TransferKind.CHARGE else -total.amount
    return amounts


def picture_counts(books: TeamTotals, *, since: date, until: date) -> tuple[int, int]:
    """Return how many pictures were charged on those days, and how many refunded."""
    totals = books.totals(by=("kind",), since=since, until=until, where={"kind__in": SPENDING_KINDS})
    charged, refunded = (totals.get((kind,), Total()).lines for kind in SPENDING_KINDS)
    return charged, refunded


def overview_books(team: Team, month: Month) -> TeamTotals:
    """Return the team's sums, as far back as the overview of that month needs them."""
    return TeamTotals(team, min(month.previous.first, periods.today(team) - timedelta(days=SPARKLINE_DAYS)))


def team_balance(team: Team) -> TeamBalance:
    """Add up the team's accounts, in two queries."""
    wallets = Q(membership__isnull=False)
    sums = Account.objects.filter(Q(team=team) | Q(membership__team=team)).aggregate(
        pool=Sum("balance", filter=~wallets),
        wallets=Sum("balance", filter=wallets),
        all_held=Sum("held"),
    )
    holds = Hold.objects.filter(account__membership__team=team, state=HoldState.OPEN).count()
    return TeamBalance(sums["pool"] or 0, sums["wallets"] or 0, sums["all_held"] or 0, holds)


def balance_bar(balance: TeamBalance, spent: int) -> list[BarPart]:
    """Return what the team has and what the month cost as parts of one bar."""
    amounts = (
        ("d2", balance.wallets - balance.held),
        ("held", balance.held),
        ("d1", balance.pool),
        ("gone", spent),
    )
    total = sum(max(amount, 0) for _class, amount in amounts) or 1
    parts, x = [], 0.0
    for css_class, amount in amounts:
        width = 100 * max(amount, 0) / total
        parts.append(BarPart(css_class, f"{x:.2f}%", f"{width:.2f}%"))
        x += width
    return parts


def month_spending(books: TeamTotals, month: Month, balance: TeamBalance, spent: int) -> MonthSpending:
    """Compare a month that cost `spent` with as many days of the month before."""
    today = periods.today(books.team)
    until = min(month.last, today)
    same_day = min(month.previous.last, month.previous.first + (until - month.first))
    spent_before = spending(books, by=(), since=month.previous.first, until=same_day)[()]
    charged, refunded = picture_counts(books, since=month.first, until=month.last)
    is_present = month.first <= today <= month.last
    days = max((until - max(month.first, _first_spending_day(books.team) or month.first)).days + 1, 1)
    days_left = balance.pool * days // spent if spent > 0 and is_present else None
    return MonthSpending(spent, days, charged, refunded, spent_before, days_left)


def _first_spending_day(team: Team) -> date | None:
    """Return the day of the team's first charge; days before it say nothing about its pace."""
    charges = Transfer.objects.filter(team=team, kind=TransferKind.CHARGE).order_by("created_at", "pk")
    first = charges.values_list("created_at", flat=True).first()
    return periods.today(team, first) if first else None


def spending_chart(books: TeamTotals, month: Month, by: str) -> reports_charts.Chart:
    """Chart each day of the month by model or by member: the largest by name, the others as one series."""
    period = {"since": month.first, "until": month.last}
    keys = reports_charts.leading(_single_key(spending(books, by=(by,), **period)))
    largest: dict[str, Any] = {f"{by}__in": keys}
    amounts = spending(books, by=("day", by), **period, **largest)
    whole = spending(books, by=("day",), **period)
    titles = _member_titles(books.team, keys) if by == "member" else {key: _model_title(key) for key in keys}
    return reports_charts.stacked(amounts, _single_key(whole), month.days, titles, _("other"))


def spending_by_member(books: TeamTotals, month: Month) -> Counter[Any]:
    """Return what the month cost by member, former members included."""
    return _single_key(spending(books, by=("member",), since=month.first, until=month.last))


def daily_spending(
    books: TeamTotals, members: list[int], today: date, days: int = SPARKLINE_DAYS
) -> dict[int, list[int]]:
    """Return what each of these members spent on each of the last days, oldest first."""
    first = today - timedelta(days=days - 1)
    amounts = spending(books, by=("member", "day"), since=first, until=today, member__in=members)
    dates = [first + timedelta(days=number) for number in range(days)]
    return {member: [amounts[member, day] for day in dates] for member in members}


def _single_key(amounts: Counter[Key]) -> Counter[Any]:
    return Counter({key: amount for (key,), amount in amounts.items()})


def _model_title(name: str) -> str:
    return catalogue_registry.model_title(name) or _("no model")


def _member_titles(team: Team, keys: list[int]) -> dict[int, str]:
    names = members_query.member_names(team)
    return {key: names.get(key, "") for key in keys}
