"""What an administrator sees first: how much there is, how fast it goes, and how each member stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from generations.credits import periods
from generations.credits.models import Account, Hold, HoldState
from generations.credits.periods import Month
from generations.credits.totals import TeamTotals
from generations.office.members import names as members_names
from generations.office.reports import charts as reports_charts
from generations.office.reports import spending as reports_spending
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Team

BY = ("model", "member")
DAYS = 21  # of a sparkline


@dataclass(frozen=True)
class Standing:
    """What a team has now, in hundredths: in the pool, with its members, and held of the latter."""

    free: int
    with_members: int
    held: int
    holds: int

    @property
    def everything(self) -> int:
        """All that the team can still spend or is about to."""
        return self.free + self.with_members


@dataclass(frozen=True)
class Pace:
    """What a month cost so far, and how it compares."""

    spent: int
    days: int
    pictures: int
    refunded: int
    before: int  # what the month before had cost after as many days
    lasts: int | None  # days that the pool lasts at this pace; None if nothing is spent, or for a past month

    @property
    def per_day(self) -> int:
        """The average of its days, the one that is not over included."""
        return round(self.spent / self.days)

    @property
    def paid(self) -> int:
        """How many pictures were charged and not refunded."""
        return self.pictures - self.refunded

    @property
    def per_picture(self) -> int | None:
        """What a picture cost on average; None if there was none that stayed paid."""
        return round(self.spent / self.paid) if self.paid > 0 else None

    @property
    def change(self) -> int | None:
        """Per cent more than the month before at the same day, negative for less; None if it was free."""
        return round(100 * (self.spent - self.before) / self.before) if self.before > 0 else None

    @property
    def less(self) -> int:
        """The change where it is negative, as people say it: 7 per cent less."""
        return -(self.change or 0)


@dataclass(frozen=True)
class Share:
    """A part of a bar: how it looks, and where it stands in per cent."""

    look: str
    x: str
    width: str


def books(team: Team, month: Month) -> TeamTotals:
    """The team's sums, as far back as the page of that month asks for them."""
    return TeamTotals(team, min(month.previous.first, periods.today(team) - timedelta(days=DAYS)))


def standing(team: Team) -> Standing:
    """The team's accounts added up, in two queries."""
    wallets = Q(membership__isnull=False)
    sums = Account.objects.filter(Q(team=team) | Q(membership__team=team)).aggregate(
        free=Sum("balance", filter=~wallets),
        with_members=Sum("balance", filter=wallets),
        all_held=Sum("held"),
    )
    holds = Hold.objects.filter(account__membership__team=team, state=HoldState.OPEN).count()
    return Standing(sums["free"] or 0, sums["with_members"] or 0, sums["all_held"] or 0, holds)


def shares(now: Standing, spent: int) -> list[Share]:
    """What the team has, as parts of that and of what the month has cost."""
    parts = (("d2", now.with_members - now.held), ("held", now.held), ("d1", now.free), ("gone", spent))
    whole = sum(max(amount, 0) for _look, amount in parts) or 1
    found, x = [], 0.0
    for look, amount in parts:
        width = 100 * max(amount, 0) / whole
        found.append(Share(look, f"{x:.2f}%", f"{width:.2f}%"))
        x += width
    return found


def pace(books: TeamTotals, month: Month, now: Standing, spent: int) -> Pace:
    """How the month goes that cost `spent`, beside the one before it at the same day."""
    today = periods.today(books.team)
    until = min(month.last, today)
    days = max((until - month.first).days + 1, 1)
    same_day = min(month.previous.last, month.previous.first + timedelta(days=days - 1))
    before = reports_spending.spent(books, by=(), since=month.previous.first, until=same_day)[()]
    charged, refunded = reports_spending.pictures(books, since=month.first, until=month.last)
    lasts = now.free * days // spent if spent > 0 and month.first <= today <= month.last else None
    return Pace(spent, days, charged, refunded, before, lasts)


def chart(books: TeamTotals, month: Month, by: str) -> reports_charts.Chart:
    """What each day of the month cost, by model or by member: the largest by name, the others together."""
    period = {"since": month.first, "until": month.last}
    keys = reports_charts.leading(_only_key(reports_spending.spent(books, by=(by,), **period)))
    largest: dict[str, Any] = {f"{by}__in": keys}
    amounts = reports_spending.spent(books, by=("day", by), **period, **largest)
    whole = reports_spending.spent(books, by=("day",), **period)
    titles = _member_titles(books.team, keys) if by == "member" else {key: _model_title(key) for key in keys}
    return reports_charts.stacked(amounts, _only_key(whole), month.days, titles, _("other"))


def by_member(books: TeamTotals, month: Month) -> Counter[Any]:
    """What the month cost by member, those who left included."""
    return _only_key(reports_spending.spent(books, by=("member",), since=month.first, until=month.last))


def last_days(books: TeamTotals, members: list[int], today: date, days: int = DAYS) -> dict[int, list[int]]:
    """What each of these members spent on each of the last days, oldest first."""
    first = today - timedelta(days=days - 1)
    found = reports_spending.spent(books, by=("member", "day"), since=first, until=today, member__in=members)
    order = [first + timedelta(days=number) for number in range(days)]
    return {member: [found[member, day] for day in order] for member in members}


def _only_key(amounts: Counter[tuple[Any, ...]]) -> Counter[Any]:
    return Counter({key: amount for (key,), amount in amounts.items()})


def _model_title(name: str) -> str:
    declared = catalogue_registry.MODELS.get(name)
    return declared.title if declared else name or _("no model")


def _member_titles(team: Team, keys: list[int]) -> dict[int, str]:
    called = members_names.names(team)
    return {key: called.get(key, "") for key in keys}
