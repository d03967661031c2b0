"""Counters that only grow, counted from rows: each attempt that has ended is looked at once per process.

What ended long ago is added to a sum and never read again; only the newest attempts are counted each time.
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

GOOD_FOR = 10.0  # seconds for which nothing is counted again
SETTLED = timedelta(minutes=10)  # a call and the lease of its worker are over long before
FORGOTTEN = timedelta(days=1)  # what has not ended by then does not keep the rest waiting

Counted = tuple[Counter[tuple[int, str]], Counter[tuple[int, str]]]


@dataclass
class Tally:
    """Calls, and what they cost, by (upstream, outcome)."""

    through: int = 0  # attempts up to this key are in the sums
    calls: Counter[tuple[int, str]] = field(default_factory=Counter)
    costs: Counter[tuple[int, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    known: tuple[float, Counted] | None = None

    def now(self) -> Counted:
        """How many calls ended how, and what they cost in hundredths, since the first one ever."""
        with self.lock:
            if self.known is None or time.monotonic() - self.known[0] > GOOD_FOR:
                last = self._settle()
                newest = _count(self.through, last)
                self.known = time.monotonic(), (self.calls + newest[0], self.costs + newest[1])
            return self.known[1]

    def _settle(self) -> int:
        """Add what will not change any more to the sums; the newest key of all."""
        ahead = Attempt.objects.filter(pk__gt=self.through)
        now = timezone.now()
        recent = ahead.filter(started_at__gte=now - SETTLED).aggregate(first=Min("pk"))["first"]
        running = ahead.filter(outcome="", started_at__gte=now - FORGOTTEN).aggregate(first=Min("pk"))[
            "first"
        ]
        last = ahead.order_by("-pk").values_list("pk", flat=True).first() or self.through
        through = min([last, *(first - 1 for first in (recent, running) if first is not None)])
        calls, costs = _count(self.through, through)
        self.calls, self.costs, self.through = self.calls + calls, self.costs + costs, through
        return last


def _count(after: int, through: int) -> Counted:
    """Both ends are named, so that SQLite reads these rows and no others."""
    groups = Attempt.objects.filter(pk__gt=after, pk__lte=through, outcome__in=Outcome.values).order_by()
    rows = list(groups.values_list("upstream", "outcome").annotate(calls=Count("pk"), cost=Sum("cost")))
    return (
        Counter({(upstream, outcome): calls for upstream, outcome, calls, _cost in rows}),
        Counter({(upstream, outcome): cost or 0 for upstream, outcome, _calls, cost in rows}),
    )
