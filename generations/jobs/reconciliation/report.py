"""Reconciliation of what providers charged with what members paid, by upstream and day of the call.

Amounts are whole hundredths of a credit, which is a US cent; accounts' units only say how costs are shown.
The number of queries does not depend on the number of calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.credits.models import Transfer, TransferKind
from generations.jobs.models import Attempt, Outcome, PromptHelp, Status
from generations.jobs.reconciliation import balance_drift, help_calls
from generations.teams.models import Membership
from generations.upstreams import units
from generations.upstreams.models import Upstream

UNDER_WAY = "under_way"
REASONS = {
    "unknown": _("the answer was lost, so it may have been bought"),
    "filtered": _("filtered by the provider"),
    "given_up": _("received, and given up"),
    "overtaken": _("received after another call was made"),
    "not_charged": _("received, and not charged"),
}
FINAL = Q(number=F("generation__attempt"))  # the last call of its generation, which decided it


@dataclass
class Day:
    """One upstream on one day.

    `bought` is the known cost of its calls, of which `under_way` belongs to images not stored yet and
    `uncharged` was charged to nobody; `may_have_cost` is the list price of the `lost` calls, those without an
    answer.
    """

    upstream: str
    day: date
    unit: str
    upstream_pk: int = 0
    unit_value: int = units.VALUES[units.CREDIT]
    calls: Counter[str] = field(default_factory=Counter)
    bought: int = 0
    lost: int = 0
    may_have_cost: int = 0
    charged: int = 0
    refunded: int = 0
    uncharged: int = 0
    under_way: int = 0

    @property
    def bought_in_unit(self) -> str:
        """What was bought, in the account's own unit if that is not the credit, else ""."""
        if self.unit == units.CREDIT:
            return ""
        return f"{units.as_text(self.bought, self.unit_value)} {self.unit}"

    @property
    def finished(self) -> dict[str, int]:
        """Calls by outcome, in the order of the table."""
        return {outcome.value: self.calls[outcome] for outcome in Outcome}

    @property
    def number_of_calls(self) -> int:
        """All calls, those that run included."""
        return self.calls.total()

    @property
    def difference(self) -> int:
        """What members paid beyond what was bought; below 0 if it is less."""
        return self.charged - self.refunded - self.bought

    @property
    def margin(self) -> int:
        """What charged pictures brought beyond their cost; the rest of the difference has other reasons."""
        return self.difference + self.uncharged + self.refunded + self.under_way

    @property
    def is_as_sold(self) -> bool:
        """Whether each purchase was charged, so that the difference is the margin alone."""
        return not (self.uncharged or self.refunded or self.under_way or self.lost)


@dataclass
class Uncharged:
    """Calls of a member that the provider charged, or may have, and the member did not pay."""

    upstream: str
    day: date
    member: str
    team: str
    reason: str
    calls: int = 0
    cost: int = 0
    may_have_cost: int = 0

    @property
    def why(self) -> str:
        """The reason as text."""
        return str(REASONS[self.reason])


@dataclass
class Report:
    """A period, both days included. `ledger_charged` is what the ledger charged in that time.

    It differs from the sum of the days by images that were called for before midnight and charged after it.
    `charged_without_call` is charged without a recorded call, and should be 0.
    """

    since: date
    until: date
    days: list[Day]
    uncharged: list[Uncharged]
    drifts: list[balance_drift.Drift]
    ledger_charged: int
    charged_without_call: int

    def total(self, name: str) -> int:
        """The sum of one column over all days."""
        return sum(getattr(day, name) for day in self.days)

    @property
    def days_newest_first(self) -> list[Day]:
        """The days, the newest first."""
        return sorted(self.days, key=lambda day: day.day, reverse=True)

    @property
    def by_unit(self) -> dict[tuple[str, int], Day]:
        """The sums of all days, by the unit in which was bought and its worth."""
        sums: dict[tuple[str, int], Day] = {}
        for day in self.days:
            fresh = Day("", self.until, day.unit, unit_value=day.unit_value)
            total = sums.setdefault((day.unit, day.unit_value), fresh)
            for name in ("bought", "may_have_cost", "charged", "refunded", "uncharged", "under_way"):
                setattr(total, name, getattr(total, name) + getattr(day, name))
            total.calls += day.calls
        return sums


def reconcile(*, since: date, until: date) -> Report:
    """Compare calls, ledger and balances of a period; ValueError if it ends before it begins."""
    if since > until:
        raise ValueError(f"{since} is after {until}.")
    begin, end = midnight(since), midnight(until + timedelta(days=1))
    upstreams = Upstream.objects.in_bulk()
    calls = Attempt.objects.filter(upstream__in=list(upstreams), started_at__gte=begin, started_at__lt=end)
    sums = _Sums(upstreams)
    sums.add_calls(_grouped(calls))
    sums.add_unknown(_unknown(calls))
    sums.add_calls(help_calls.grouped(upstreams, begin, end))
    sums.add_lost_help(help_calls.lost(upstreams, begin, end))
    ledger = _ledger(begin, end)
    return Report(
        since=since,
        until=until,
        days=[sums.days[key] for key in sorted(sums.days)],
        uncharged=sums.named_lines(),
        drifts=balance_drift.drifts(upstreams.values(), begin, end),
        ledger_charged=ledger["charged"] or 0,
        charged_without_call=ledger["unexplained"] or 0,
    )


class _Sums:
    """The sums of a report while it is computed."""

    def __init__(self, upstreams: dict[int, Upstream]) -> None:
        self.upstreams = upstreams
        self.days: dict[tuple[str, date, str], Day] = {}
        self.uncharged: dict[tuple[str, date, int, str], Uncharged] = {}

    def add_calls(self, groups: Iterable[dict[str, Any]]) -> None:
        """Add groups of calls with a known cost."""
        for group in groups:
            day = self._day(group)
            day.calls[group["outcome"] or "open"] += group["calls"]
            day.bought += group["cost"] or 0
            day.charged += group["charged"] or 0
            day.refunded += group["refunded"] or 0
            paid, reason = group["uncharged_cost"] or 0, reason_of(group)
            if reason == UNDER_WAY:
                day.under_way += paid
            elif reason and group["uncharged_calls"]:
                day.uncharged += paid
                line = self._line(group, reason)
                line.calls, line.cost = line.calls + group["uncharged_calls"], line.cost + paid

    def add_unknown(self, groups: Iterable[dict[str, Any]]) -> None:
        """Add groups of calls that may have been charged."""
        for group in groups:
            upstream = self.upstreams[group["upstream"]]
            price = group["calls"] * balance_drift.list_price(
                upstream, group["generation__model"], group["steps"]
            )
            self._add_lost(group, price)

    def add_lost_help(self, groups: Iterable[dict[str, Any]]) -> None:
        """Add groups of calls of the prompt helper that may have been charged."""
        for group in groups:
            self._add_lost(group, group["cost"] or 0)

    def _add_lost(self, group: dict[str, Any], price: int) -> None:
        day = self._day(group)
        day.lost, day.may_have_cost = day.lost + group["calls"], day.may_have_cost + price
        line = self._line(group, "unknown")
        line.calls, line.may_have_cost = line.calls + group["calls"], line.may_have_cost + price

    def named_lines(self) -> list[Uncharged]:
        """The uncharged lines with the names of members and teams, sorted."""
        wanted = {member for _name, _day, member, _why in self.uncharged}
        members = Membership.objects.select_related("user", "team").in_bulk(wanted)
        for (_name, _day, member, _why), line in self.uncharged.items():
            line.member, line.team = str(members[member]), members[member].team.name
        return sorted(
            self.uncharged.values(), key=lambda line: (line.upstream, line.day, line.member, line.reason)
        )

    def _day(self, group: dict[str, Any]) -> Day:
        upstream = self.upstreams[group["upstream"]]
        name, unit = upstream.name, group["unit"]
        value = upstream.unit_value if unit == upstream.unit else units.VALUES.get(unit, 100)
        fresh = Day(name, group["day"], unit, group["upstream"], value)
        return self.days.setdefault((name, group["day"], group["unit"]), fresh)

    def _line(self, group: dict[str, Any], reason: str) -> Uncharged:
        name, member = self.upstreams[group["upstream"]].name, group["generation__member"]
        fresh = Uncharged(name, group["day"], "", "", reason)
        return self.uncharged.setdefault((name, group["day"], member, reason), fresh)


def reason_of(group: dict[str, Any]) -> str:
    """Why a call that the provider charged was not charged to a member; empty if it was not charged."""
    if group["outcome"] == Outcome.FILTERED:
        return "filtered"
    if group["outcome"] == Outcome.ACCEPTED:
        return UNDER_WAY
    if group["outcome"] != Outcome.OK:
        return ""
    if not group["final"]:
        return "overtaken"
    reasons = {Status.STORING: UNDER_WAY, Status.FAILED: "given_up"}
    return reasons.get(group["generation__status"], "not_charged")


def with_charges(calls: QuerySet[Attempt]) -> Any:
    """The calls with their day and, for last calls, the charge and refund of their generation."""
    lines = Transfer.objects.filter(reference=OuterRef("generation_id")).values("amount")
    charge, refund = (lines.filter(kind=kind) for kind in (TransferKind.CHARGE, TransferKind.REFUND))
    return calls.annotate(
        day=TruncDate("started_at"),
        final=Case(When(FINAL, then=Value(True)), default=Value(False)),
        charge=Case(When(FINAL, then=Subquery(charge)), default=None),
        refund=Case(When(FINAL, then=Subquery(refund)), default=None),
    )


def _grouped(calls: QuerySet[Attempt]) -> Iterable[dict[str, Any]]:
    by = ("upstream", "unit", "day", "outcome", "generation__member", "generation__status", "final")
    alone = Q(charge__isnull=True)
    groups: Iterable[dict[str, Any]] = (
        with_charges(calls)
        .order_by()
        .values(*by)
        .annotate(
            calls=Count("pk"),
            charged=Sum("charge"),
            refunded=Sum("refund"),
            uncharged_calls=Count("pk", filter=alone),
            uncharged_cost=Sum("cost", filter=alone),
            # Last, because this name hides the column.
            cost=Sum("cost"),
        )
    )
    return groups


def _unknown(calls: QuerySet[Attempt]) -> Iterable[dict[str, Any]]:
    """Calls whose answer was lost, by model and steps, without those recovered and charged later."""
    lost = with_charges(calls).filter(outcome=Outcome.UNKNOWN, charge__isnull=True)
    by = ("upstream", "unit", "day", "generation__member", "generation__model", "steps")
    priced = lost.annotate(steps=F("generation__parameters__steps"))
    groups: Iterable[dict[str, Any]] = priced.order_by().values(*by).annotate(calls=Count("pk"))
    return groups


def _ledger(begin: datetime, end: datetime) -> dict[str, Any]:
    called = Attempt.objects.filter(FINAL, generation=OuterRef("reference"))
    helped = PromptHelp.objects.filter(pk=OuterRef("reference"))
    lines = Transfer.objects.filter(kind=TransferKind.CHARGE, created_at__gte=begin, created_at__lt=end)
    unexplained = Sum("amount", filter=~Exists(called) & ~Exists(helped))
    return lines.aggregate(charged=Sum("amount"), unexplained=unexplained)


def midnight(day: date) -> datetime:
    """The beginning of a day in the time zone of the installation."""
    return timezone.make_aware(datetime.combine(day, time()))
