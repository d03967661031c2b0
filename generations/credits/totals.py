"""Totals of a team's transfers by day, kind, model or member, from stored daily totals where there are some.

`daily_totals` stores them. For days without, and after the team changed its time zone, the same numbers are
summed from the transfers: slower, never different. Amounts are whole hundredths of a credit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from generations.credits import periods
from generations.credits.models import DayOfMember, DayOfModel, RolledUp, Transfer
from generations.teams.models import Team

Key = tuple[Any, ...]


@dataclass(slots=True)
class Total:
    """The sum and the number of some transfers."""

    amount: int = 0
    lines: int = 0

    def add(self, amount: int, lines: int) -> None:
        """Add the sum and number of more transfers."""
        self.amount += amount
        self.lines += lines


class TeamTotals:
    """A team's totals for one page that needs several: the days without stored totals are read once.

    `since` is the earliest day that will be requested; None if it may be any.
    """

    def __init__(self, team: Team, since: date | None = None) -> None:
        self.team, self.stored_until = team, _stored_until(team)
        self._since = max(filter(None, (since, self.stored_until)), default=None)
        self._recent: dict[str, list[tuple[Any, ...]]] = {}

    def totals(
        self,
        *,
        by: Collection[str],
        since: date,
        until: date,
        where: Mapping[str, Any],
    ) -> dict[Key, Total]:
        """Do as the function `totals`, for requests that do not combine model and member."""
        key = "member" if "member" in _names(by, where) else "model"
        found: dict[Key, Total] = {}
        if self.stored_until and since < self.stored_until:
            rows = _stored_days(self.team, key, self.stored_until).filter(_days(since, until), **where)
            add_groups(found, rows, by, Sum("lines"))
        for day, kind, value, amount, lines in self._recent_groups(key):
            row = {"day": day, "kind": kind, key: value}
            if since <= day <= until and _passes(row, where):
                found.setdefault(tuple(row[each] for each in by), Total()).add(amount, lines)
        return found

    def _recent_groups(self, key: str) -> list[tuple[Any, ...]]:
        if key not in self._recent:
            transfers = transfers_on(self.team, self._since, None)
            self._recent[key] = list(grouped(transfers, ("day", "kind", key), Count("pk")))
        return self._recent[key]


def totals(
    team: Team,
    *,
    by: Collection[str],
    since: date | None = None,
    until: date | None = None,
    where: Mapping[str, Any] | None = None,
) -> dict[Key, Total]:
    """Return totals of a team's transfers from `since` to `until`, both included.

    `by` groups by some of day, kind, model, member and gives the keys; `where` filters kind, model or member,
    each by a value or by `__in`. Three queries at most.
    """
    condition, found = dict(where or {}), dict[Key, Total]()
    names = _names(by, condition)
    stored_until = None if {"model", "member"} <= names else _stored_until(team)
    if stored_until and (since is None or since < stored_until):
        key = "member" if "member" in names else "model"
        rows = _stored_days(team, key, stored_until).filter(_days(since, until), **condition)
        add_groups(found, rows, by, Sum("lines"))
    since = max(filter(None, (since, stored_until)), default=None)
    if since is None or until is None or since <= until:
        add_groups(found, transfers_on(team, since, until).filter(**condition), by, Count("pk"))
    return found


def totals_of(teams: Collection[Team], since: Mapping[int, date]) -> dict[tuple[int, str], Total]:
    """Return totals by team and kind, for each team since its own day. Two queries for any number of teams.

    The teams must be read with `select_related("rolled_up")`.
    """
    stored, not_stored = Q(pk__in=[]), Q(pk__in=[])
    for team in teams:
        begin, row = since[team.pk], getattr(team, "rolled_up", None)
        if row and row.time_zone == team.time_zone and row.until > begin:
            stored |= Q(team=team, day__gte=begin, day__lt=row.until)
            begin = row.until
        not_stored |= Q(team=team, created_at__gte=periods.begin(team, begin))
    found: dict[Key, Total] = {}
    add_groups(found, DayOfModel.objects.filter(stored), ("team", "kind"), Sum("lines"))
    add_groups(found, Transfer.objects.filter(not_stored), ("team", "kind"), Count("pk"))
    return found


def transfers_on(team: Team, since: date | None, until: date | None) -> QuerySet[Transfer]:
    """Return the team's transfers on those days, annotated with `day` in its time zone."""
    transfers = Transfer.objects.filter(team=team)
    if since:
        transfers = transfers.filter(created_at__gte=periods.begin(team, since))
    if until:
        transfers = transfers.filter(created_at__lt=periods.begin(team, until + periods.DAY))
    return transfers.annotate(day=TruncDate("created_at", tzinfo=ZoneInfo(team.time_zone)))


def grouped(rows: QuerySet[Any], by: Collection[str], count: Sum | Count) -> QuerySet[Any, Any]:
    """Return the key, the amount and the number of transfers of each group."""
    sums = rows.order_by().values(*by).annotate(sum_of_amounts=Sum("amount"), number_of_lines=count)
    found: QuerySet[Any, Any] = sums.values_list(*by, "sum_of_amounts", "number_of_lines")
    return found


def add_groups(found: dict[Key, Total], rows: QuerySet[Any], by: Collection[str], count: Sum | Count) -> None:
    """Add the totals of these rows, grouped by `by`, to `found`."""
    for *key, amount, lines in grouped(rows, by, count):
        found.setdefault(tuple(key), Total()).add(amount, lines)


def _stored_until(team: Team) -> date | None:
    """Return the first day without stored totals; None without any for the team's current time zone."""
    known = RolledUp.objects.filter(team=team, time_zone=team.time_zone)
    return known.values_list("until", flat=True).first()


def _stored_days(team: Team, key: str, until: date) -> QuerySet[Any]:
    """Return the stored totals of the days before `until`, by member or by model."""
    if key == "member":
        return DayOfMember.objects.filter(team=team, day__lt=until)
    return DayOfModel.objects.filter(team=team, day__lt=until)


def _names(by: Collection[str], condition: Mapping[str, Any]) -> set[str]:
    """Return the columns that are grouped or filtered by."""
    return {*by, *(name.partition("__")[0] for name in condition)}


def _passes(row: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    """Return whether a row matches the condition of `totals`: equality and `__in`."""
    return all(
        row[name.removesuffix("__in")] in value if name.endswith("__in") else row[name] == value
        for name, value in condition.items()
    )


def _days(since: date | None, until: date | None) -> Q:
    condition = Q(day__gte=since) if since else Q()
    return condition & Q(day__lte=until) if until else condition
