"""The provider accounts as the queue page shows them: how they are, how fast they are called and answer."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q

from generations.jobs.models import Attempt, Outcome
from generations.jobs.queue import svg_charts
from generations.jobs.queue.calls_per_minute import Minute
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

SAMPLE = 1_000  # of the newest calls: how long they take, and which ended last


@dataclass(frozen=True)
class Call:
    """One of the newest calls."""

    pk: int
    upstream: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str


@dataclass(frozen=True)
class Card:
    """One provider account."""

    upstream: Upstream
    state: str  # open, blocked, paused or draining
    rest: int  # seconds of a block
    calls: int  # in the last window, of all that share its pace
    in_flight: int
    median: float | None
    slowest: float | None  # seconds: 95 of 100 calls are faster
    gauge: svg_charts.Gauge
    spark: str  # points of a line: the calls of the last hour

    @property
    def spark_end(self) -> list[str]:
        """Where the line ends."""
        return self.spark.rpartition(" ")[2].split(",")

    @property
    def per_second(self) -> float:
        """Calls a second in the last window."""
        return self.calls / self.upstream.limit_window


def newest_calls() -> list[Call]:
    """The newest calls of all accounts, newest first."""
    columns = ("pk", "upstream", "started_at", "ended_at", "outcome")
    return [Call(*row) for row in Attempt.objects.order_by("-pk").values_list(*columns)[:SAMPLE]]


def read(
    upstreams: Collection[Upstream],
    in_flight: Mapping[int | None, int],
    minutes: Mapping[datetime, Minute],
    newest: Collection[Call],
    now: datetime,
) -> list[Card]:
    """A card for each account that is enabled."""
    used = _calls_in_window(upstreams, now)
    seconds = _seconds(newest)
    return [
        _card(
            upstream,
            calls=sum(used[other.pk] for other in upstreams if other.pace_key == upstream.pace_key),
            in_flight=in_flight.get(upstream.pk, 0),
            seconds=seconds[upstream.pk],
            history=[_calls(minute, upstream.pk) for minute in minutes.values()][:-1],  # this one is not over
            now=now,
        )
        for upstream in upstreams
        if upstream.enabled
    ]


def _card(
    upstream: Upstream, *, calls: int, in_flight: int, seconds: list[float], history: list[int], now: datetime
) -> Card:
    rest = (upstream.blocked_until - now).total_seconds() if upstream.blocked_until else 0.0
    kept_to = upstream.limit_window / (upstream.limit_window + upstreams_rate_limit.MARGIN)
    return Card(
        upstream=upstream,
        state=_state(upstream, rest),
        rest=math.ceil(rest),
        calls=calls,
        in_flight=in_flight,
        median=statistics.median(seconds) if seconds else None,
        slowest=seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else None,
        gauge=svg_charts.gauge(calls, upstream.limit_calls, kept_to),
        spark=svg_charts.spark(history),
    )


def _state(upstream: Upstream, rest: float) -> str:
    if upstream.paused_at:
        return "paused"
    if upstream.draining:
        return "draining"
    return "blocked" if rest > 0 else "open"


def _calls_in_window(upstreams: Collection[Upstream], now: datetime) -> dict[int, int]:
    """Calls in the last window of each, from what was written down before each was sent."""
    found = dict.fromkeys((upstream.pk for upstream in upstreams), 0)
    windows = [
        Q(upstream=upstream.pk, started_at__gt=now - timedelta(seconds=upstream.limit_window))
        for upstream in upstreams
    ]
    if windows:
        calls = Attempt.objects.filter(reduce(or_, windows)).order_by()
        found |= dict(calls.values("upstream").annotate(calls=Count("pk")).values_list("upstream", "calls"))
    return found


def _seconds(newest: Collection[Call]) -> defaultdict[int, list[float]]:
    """How long the newest calls that brought a picture took, by account, the quickest first."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for call in newest:
        if call.outcome == Outcome.OK and call.ended_at:
            found[call.upstream].append((call.ended_at - call.started_at).total_seconds())
    for seconds in found.values():
        seconds.sort()
    return found


def _calls(minute: Minute, upstream: int) -> int:
    return sum(calls for (called, _outcome), calls in minute.items() if called == upstream)
