"""The calls behind a difference: bought or perhaps bought and not charged, or refunded. No prompt is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Outcome
from generations.jobs.reconciliation import balance_drift
from generations.jobs.reconciliation import report as reconciliation_report
from generations.upstreams.models import Upstream

MAX_CALLS = 500


@dataclass(frozen=True)
class Call:
    """One call. Amounts are hundredths: `cost` in the account's unit, the others in credits."""

    attempt: Attempt
    why: str
    cost: int
    may_have_cost: int
    charged: int
    refunded: int


def behind(day: date, upstream: Upstream | None = None) -> list[Call]:
    """The calls of a day that were not simply bought and charged, oldest first; MAX_CALLS at most."""
    begin = reconciliation_report.midnight(day)
    end = reconciliation_report.midnight(day + timedelta(days=1))
    calls = Attempt.objects.filter(started_at__gte=begin, started_at__lt=end)
    if upstream:
        calls = calls.filter(upstream=upstream)
    bought = Q(cost__gt=0) | Q(outcome=Outcome.UNKNOWN)
    rows = reconciliation_report.with_charges(calls).annotate(steps=F("generation__parameters__steps"))
    rows = rows.filter((bought & Q(charge__isnull=True)) | Q(refund__isnull=False))
    rows = rows.select_related("upstream", "generation__member__user", "generation__member__team")
    rows = rows.defer("generation__parameters").order_by("started_at", "pk")
    return [_call(row) for row in rows[:MAX_CALLS]]


def _call(row: Any) -> Call:
    is_lost = row.outcome == Outcome.UNKNOWN and row.charge is None
    price = balance_drift.list_price(row.upstream, row.generation.model, row.steps) if is_lost else 0
    return Call(row, _why(row, is_lost), row.cost or 0, price, row.charge or 0, row.refund or 0)


def _why(row: Any, is_lost: bool) -> str:
    if row.refund is not None:
        return _("charged, and refunded")
    if is_lost:
        return str(reconciliation_report.REASONS["unknown"])
    group = {
        "outcome": row.outcome,
        "final": row.final,
        "generation__status": row.generation.status,
    }
    reason = reconciliation_report.reason_of(group)
    return str(reconciliation_report.REASONS.get(reason, _("under way")))
