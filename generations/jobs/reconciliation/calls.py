"""The calls behind a difference: bought or perhaps bought and not charged, or refunded. No prompt is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Outcome
from generations.jobs.reconciliation import balance_drift, help_calls
from generations.jobs.reconciliation import report as reconciliation_report
from generations.providers.catalogue.registry import PROMPT_HELPER
from generations.teams.models import Membership
from generations.upstreams.models import Upstream

MAX_CALLS = 500


@dataclass(frozen=True)
class Call:
    """One call, of a generation or, without one, of the prompt helper.

    Amounts are hundredths: `cost` in the account's unit, the others in credits.
    """

    at: datetime
    upstream: Upstream
    member: Membership
    model: str
    generation: UUID | None
    request_id: str
    why: str
    cost: int
    may_have_cost: int
    charged: int
    refunded: int


def behind(day: date, upstream: Upstream | None = None) -> list[Call]:
    """The calls of a day that were not simply bought and charged, oldest first; MAX_CALLS at most."""
    begin = reconciliation_report.midnight(day)
    end = reconciliation_report.midnight(day + timedelta(days=1))
    of_generations = _calls_of_generations(begin, end, upstream)
    of_helper = [_call_of_helper(row) for row in help_calls.behind(begin, end, upstream)[:MAX_CALLS]]
    return list(islice(merge(of_generations, of_helper, key=lambda call: call.at), MAX_CALLS))


def _calls_of_generations(begin: datetime, end: datetime, upstream: Upstream | None) -> list[Call]:
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
    return Call(
        at=row.started_at,
        upstream=row.upstream,
        member=row.generation.member,
        model=row.generation.model,
        generation=row.generation_id,
        request_id=row.request_id,
        why=_why(row, is_lost),
        cost=row.cost or 0,
        may_have_cost=price,
        charged=row.charge or 0,
        refunded=row.refund or 0,
    )


def _call_of_helper(row: Any) -> Call:
    is_lost = row.outcome == Outcome.UNKNOWN
    return Call(
        at=row.called_at,
        upstream=row.upstream,
        member=row.member,
        model=PROMPT_HELPER,
        generation=None,
        request_id="",
        why=str(reconciliation_report.REASONS["unknown"]) if is_lost else _("charged, and refunded"),
        cost=0 if is_lost else row.cost,
        may_have_cost=row.cost if is_lost else 0,
        charged=row.charge or 0,
        refunded=row.refund or 0,
    )


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
