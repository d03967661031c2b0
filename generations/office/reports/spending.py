"""What a team spent: charges less what was refunded, by the day of the line. Hundredths of a credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Any

from generations.credits.models import TransferKind
from generations.credits.totals import TeamTotals, Total

SPENDING = (TransferKind.CHARGE.value, TransferKind.REFUND.value)
Key = tuple[Any, ...]


def spent(books: TeamTotals, *, by: Collection[str], since: date, until: date, **where: Any) -> Counter[Key]:
    """What was spent on those days, both included, grouped by some of day, model and member."""
    found = books.totals(by=("kind", *by), since=since, until=until, where={"kind__in": SPENDING, **where})
    amounts: Counter[Key] = Counter()
    for (kind, *key), total in found.items():
        amounts[tuple(key)] += total.amount if kind == TransferKind.CHARGE else -total.amount
    return amounts


def pictures(books: TeamTotals, *, since: date, until: date) -> tuple[int, int]:
    """How many pictures were charged on those days, and how many refunded."""
    found = books.totals(by=("kind",), since=since, until=until, where={"kind__in": SPENDING})
    charged, refunded = (found.get((kind,), Total()).lines for kind in SPENDING)
    return charged, refunded
