"""What a team's lines come to, by day, kind, model or member: days that are over from their kept sums.

`credits.rollup` keeps them. Where it has not come by yet, or the team changed its time zone since, the same
numbers are summed from the lines: slower, never different. Amounts are whole hundredths of a credit.
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
    """What some lines come to."""

    amount: int = 0
    lines: int = 0

    def add(self, amount: int, lines: int) -> None:
        """Count some more."""
        self.amount += amount
        self.lines += lines


class Books:
    """A team's sums for one page that asks for several: its days that are not summed up are read once.

    `since` is the earliest day that will be asked for; None if that may be any.
    """

    def __init__(self, team: Team, since: date | None = None) -> None:
        self.team, self.closed = team, _closed_until(team)
        self._since = max(filter(None, (since, self.closed)), default=None)
        self._open: dict[str, list[tuple[Any, ...]]] = {}

    def totals(
        self,
        *,
        by: Collection[str],
        since: date,
        until: date,
        where: Mapping[str, Any],
    ) -> dict[Key, Total]:
        """As `totals` does, where nothing names both model and member."""
        key = "member" if "member" in _names(by, where) else "model"
        found: dict[Key, Total] = {}
        if self.closed and since < self.closed:
            rows = _closed_days(self.team, key, self.closed).filter(_days(since, until), **where)
            enter(found, rows, by, Sum("lines"))
        for day, kind, value, amount, lines in self._open_lines(key):
            row = {"day": day, "kind": kind, key: value}
            if since <= day <= until and _passes(row, where):
                found.setdefault(tuple(row[each] for each in by), Total()).add(amount, lines)
        return found

    def _open_lines(self, key: str) -> list[tuple[Any, ...]]:
        if key not in self._open:
            lines = lines_on(self.team, self._since, None)
            self._open[key] = list(grouped(lines, ("day", "kind", key), Count("pk")))
        return self._open[key]


def totals(
    team: Team,
    *,
    by: Collection[str],
    since: date | None = None,
    until: date | None = None,
    where: Mapping[str, Any] | None = None,
) -> dict[Key, Total]:
    """The sums of a team's lines on those days, both included, grouped by some of day, kind, model, member.

    `where` filters kind, model or member, each with a value or with `__in`. Three queries at most.
    """
    condition, found = dict(where or {}), dict[Key, Total]()
    names = _names(by, condition)
    closed = None if {"model", "member"} <= names else _closed_until(team)
    if closed and (since is None or since < closed):
        key = "member" if "member" in names else "model"
        rows = _closed_days(team, key, closed).filter(_days(since, until), **condition)
        enter(found, rows, by, Sum("lines"))
    since = max(filter(None, (since, closed)), default=None)
    if since is None or until is None or since <= until:
        enter(found, lines_on(team, since, until).filter(**condition), by, Count("pk"))
    return found


def totals_of(teams: Collection[Team], since: Mapping[int, date]) -> dict[tuple[int, str], Total]:
    """The sums of several teams by kind, each from a day of its own on. Two queries, however many they are.

    The teams come with `rolled_up`.
    """
    closed, still_open = Q(pk__in=[]), Q(pk__in=[])
    for team in teams:
        begin, row = since[team.pk], getattr(team, "rolled_up", None)
        if row and row.time_zone == team.time_zone and row.until > begin:
            closed |= Q(team=team, day__gte=begin, day__lt=row.until)
            begin = row.until
        still_open |= Q(team=team, created_at__gte=periods.begin(team, begin))
    found: dict[Key, Total] = {}
    enter(found, DayOfModel.objects.filter(closed), ("team", "kind"), Sum("lines"))
    enter(found, Transfer.objects.filter(still_open), ("team", "kind"), Count("pk"))
    return found


def lines_on(team: Team, since: date | None, until: date | None) -> QuerySet[Transfer]:
    """The team's lines on those days, each with its day."""
    lines = Transfer.objects.filter(team=team)
    if since:
        lines = lines.filter(created_at__gte=periods.begin(team, since))
    if until:
        lines = lines.filter(created_at__lt=periods.begin(team, until + periods.DAY))
    return lines.annotate(day=TruncDate("created_at", tzinfo=ZoneInfo(team.time_zone)))


def grouped(rows: QuerySet[Any], by: Collection[str], count: Sum | Count) -> QuerySet[Any, Any]:
    """The key, the amount and the number of lines of each group."""
    sums = rows.order_by().values(*by).annotate(sum_of_amounts=Sum("amount"), number_of_lines=count)
    found: QuerySet[Any, Any] = sums.values_list(*by, "sum_of_amounts", "number_of_lines")
    return found


def enter(found: dict[Key, Total], rows: QuerySet[Any], by: Collection[str], count: Sum | Count) -> None:
    """Add the sums of these rows, grouped so, to what was found."""
    for *key, amount, lines in grouped(rows, by, count):
        found.setdefault(tuple(key), Total()).add(amount, lines)


def _closed_until(team: Team) -> date | None:
    """The first day that is not summed up; None if the team has been in another time zone when it was."""
    known = RolledUp.objects.filter(team=team, time_zone=team.time_zone)
    return known.values_list("until", flat=True).first()


def _closed_days(team: Team, key: str, closed: date) -> QuerySet[Any]:
    """The kept sums of the days before that one, by member or by model."""
    if key == "member":
        return DayOfMember.objects.filter(team=team, day__lt=closed)
    return DayOfModel.objects.filter(team=team, day__lt=closed)


def _names(by: Collection[str], condition: Mapping[str, Any]) -> set[str]:
    """The columns that are asked for or filtered by."""
    return {*by, *(name.partition("__")[0] for name in condition)}


def _passes(row: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    """Whether a sum is of what the condition asks for; it knows equality and `__in`, as documented."""
    return all(
        row[name.removesuffix("__in")] in value if name.endswith("__in") else row[name] == value
        for name, value in condition.items()
    )


def _days(since: date | None, until: date | None) -> Q:
    condition = Q(day__gte=since) if since else Q()
    return condition & Q(day__lte=until) if until else condition
