"""Totals of calls and costs for Prometheus counters, computed from attempts.

Attempts that ended long ago are added to sums once per process; only the newest are counted each time.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Min, Sum
from django.utils import timezone

from generations.jobs.models import Attempt, Outcome

CACHED_FOR = 10.0  # seconds
FINAL_AFTER = timedelta(minutes=10)  # a call and its lease are over long before
IGNORED_AFTER = timedelta(days=1)  # an attempt open for so long does not hold back the sums

Counted = tuple[Counter[tuple[int, str]], Counter[tuple[int, str]]]


@dataclass
class CallTotals:
    """Numbers and costs of calls by (upstream, outcome)."""

    through: int = 0  # attempts up to this primary key are in the sums
    calls: Counter[tuple[int, str]] = field(default_factory=Counter)
    costs: Counter[tuple[int, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    cached: tuple[float, Counted] | None = None

    def current(self) -> Counted:
        """Numbers of ended calls, and their costs in hundredths, since the first call ever."""
        with self.lock:
            if self.cached is None or time.monotonic() - self.cached[0] > CACHED_FOR:
                last = self._advance()
                newest = _count(self.through, last)
                self.cached = time.monotonic(), (self.calls + newest[0], self.costs + newest[1])
            return self.cached[1]

    def _advance(self) -> int:
        """Add attempts that no longer change to the sums; the newest primary key."""
        ahead = Attempt.objects.filter(pk__gt=self.through)
        now = timezone.now()
        recent = ahead.filter(started_at__gte=now - FINAL_AFTER).aggregate(first=Min("pk"))["first"]
        open_ones = ahead.filter(outcome__in=["", Outcome.ACCEPTED], started_at__gte=now - IGNORED_AFTER)
        running = open_ones.aggregate(first=Min("pk"))["first"]
        last = ahead.order_by("-pk").values_list("pk", flat=True).first() or self.through
        through = min([last, *(first - 1 for first in (recent, running) if first is not None)])
        calls, costs = _count(self.through, through)
        self.calls, self.costs, self.through = self.calls + calls, self.costs + costs, through
        return last


def _count(after: int, through: int) -> Counted:
    """Bounded on both sides, so that SQLite reads these rows only."""
    groups = Attempt.objects.filter(pk__gt=after, pk__lte=through, outcome__in=Outcome.values).order_by()
    rows = list(groups.values_list("upstream", "outcome").annotate(calls=Count("pk"), cost=Sum("cost")))
    return (
        Counter({(upstream, outcome): calls for upstream, outcome, calls, _cost in rows}),
        Counter({(upstream, outcome): cost or 0 for upstream, outcome, _calls, cost in rows}),
    )
