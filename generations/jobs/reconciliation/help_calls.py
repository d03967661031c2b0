"""Calls of the prompt helper, in the groups that a report adds up. Amounts are hundredths of a US cent."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import TruncDate

from generations.credits.models import Transfer, TransferKind
from generations.jobs.models import Outcome, PromptHelp
from generations.upstreams.models import Upstream


def grouped(upstreams: Collection[int], begin: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The last calls of a period by account, day, outcome and member; without lost answers."""
    rows = _with_charges(_of_period(upstreams, begin, end))
    alone = Q(charge__isnull=True) & ~Q(outcome=Outcome.UNKNOWN)
    groups = rows.values("upstream", "unit", "day", "outcome", "whose").annotate(
        calls=Count("pk"),
        charged=Sum("charge"),
        refunded=Sum("refund"),
        uncharged_calls=Count("pk", filter=alone),
        uncharged_cost=Sum("cost", filter=alone),
        paid=Sum("cost", filter=~Q(outcome=Outcome.UNKNOWN)),
    )
    return (_as_calls(group) for group in groups)


def lost(upstreams: Collection[int], begin: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The calls of a period whose answer was lost, with what they may have cost."""
    rows = _of_period(upstreams, begin, end).filter(outcome=Outcome.UNKNOWN)
    groups = rows.values("upstream", "unit", "day", "outcome", "whose")
    return (_as_calls(group) for group in groups.annotate(calls=Count("pk"), paid=Sum("cost")))


def behind(begin: datetime, end: datetime, upstream: Upstream | None) -> Any:
    """The calls of a period whose answer was lost, and those refunded, oldest first. No text is read."""
    called = PromptHelp.objects.filter(called_at__gte=begin, called_at__lt=end)
    if upstream:
        called = called.filter(upstream=upstream)
    rows = _with_charges(called).filter(Q(outcome=Outcome.UNKNOWN) | Q(refund__isnull=False))
    rows = rows.select_related("upstream", "member__user", "member__team").defer("text", "answers")
    return rows.order_by("called_at", "pk")


def paid_between(upstreams: Collection[int], first: datetime, last: datetime) -> tuple[int, int]:
    """What calls that ended between two moments have cost, and what those with a lost answer may have."""
    ended = PromptHelp.objects.filter(upstream__in=upstreams, ended_at__gt=first, ended_at__lte=last)
    sums = ended.aggregate(
        paid=Sum("cost", filter=Q(outcome=Outcome.OK)), lost=Sum("cost", filter=Q(outcome=Outcome.UNKNOWN))
    )
    return sums["paid"] or 0, sums["lost"] or 0


def _of_period(upstreams: Collection[int], begin: datetime, end: datetime) -> Any:
    """Those calls with their day, and their member as `whose`."""
    called = PromptHelp.objects.filter(upstream__in=list(upstreams), called_at__gte=begin, called_at__lt=end)
    return called.order_by().annotate(day=TruncDate("called_at"), whose=F("member"))


def _with_charges(rows: Any) -> Any:
    """The calls with what the ledger charged for them, and gave back."""
    lines = Transfer.objects.filter(reference=OuterRef("pk")).values("amount")
    charge, refund = (lines.filter(kind=kind) for kind in (TransferKind.CHARGE, TransferKind.REFUND))
    return rows.annotate(charge=Subquery(charge), refund=Subquery(refund))


def _as_calls(group: dict[str, Any]) -> dict[str, Any]:
    """The group under the names that those of generations have."""
    own = {"generation__member": group["whose"], "generation__status": "", "final": True}
    return group | own | {"cost": group["paid"]}
