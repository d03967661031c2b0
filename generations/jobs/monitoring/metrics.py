"""What monitoring reads at /metrics: the state of the queue, of the accounts and of the credits.

Everything is reckoned from rows and from Redis when it is asked, so every process says the same;
only the spool is this machine's own. Each query uses an index or looks at a short time alone.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import RedisError

from generations.core import redis_client
from generations.credits.models import Account, AccountKind
from generations.jobs.engine import spool
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.jobs.monitoring.counters import Tally
from generations.upstreams.models import Upstream

QUEUES = ("calls", "upkeep")
QUANTILES = (0.5, 0.9, 0.95, 0.99)
LATELY = timedelta(hours=1)
NEWEST = 1_000  # calls of each upstream that quantiles are drawn from
WASTED = (Outcome.UNKNOWN, Outcome.FILTERED)

tally = Tally()


def text() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(Portal())


class Portal(Collector):
    """The portal as Prometheus sees it; made anew for each answer."""

    def collect(self) -> Iterator[Metric]:
        """Every family of metrics."""
        self.now = timezone.now()
        self.upstreams = list(Upstream.objects.all())
        yield from self._queue()
        yield from self._calls()
        yield from self._pace()
        yield from self._latency()
        yield from self._accounts()
        yield from _credits()
        yield _gauge(
            "spool_waiting",
            "Attempts in this machine's spool that are not stored yet",
            spool.count_unstored(),
        )
        yield from _rings()

    def _queue(self) -> Iterator[Metric]:
        waiting = _labelled("waiting", "Generations in line", "model")
        queued = Generation.objects.filter(status=Status.QUEUED).order_by().values_list("model")
        oldest = self.now
        for model, count, since in queued.annotate(count=Count("pk"), since=Min("created_at")):
            waiting.add_metric([model], count)
            oldest = min(oldest, since)
        yield waiting
        age = max((self.now - oldest).total_seconds(), 0.0)
        yield _gauge("oldest_waiting_seconds", "How long the oldest generation in line has waited", age)
        families = {
            Status.RUNNING: _labelled("running", "Generations that a provider is asked for", "model"),
            Status.STORING: _labelled("storing", "Images received and not stored yet", "model"),
        }
        working = Generation.objects.filter(status__in=[Status.RUNNING, Status.STORING])
        rows = working.order_by().values_list("status", "model").annotate(count=Count("pk"))
        for status, model, count in rows:
            families[Status(status)].add_metric([model], count)
        yield from families.values()

    def _calls(self) -> Iterator[Metric]:
        calls, costs = tally.now()
        ended = CounterMetricFamily("sdweb_calls", "Calls that ended", labels=["upstream", "outcome"])
        wasted = CounterMetricFamily(
            "sdweb_wasted_calls", "Calls that were, or may have been, bought for nothing", labels=["upstream"]
        )
        cost = CounterMetricFamily("sdweb_bought_credits", "What calls cost there", labels=["upstream"])
        for upstream in self.upstreams:
            for outcome in Outcome.values:
                ended.add_metric([upstream.name, outcome], calls[upstream.pk, outcome])
            wasted.add_metric([upstream.name], sum(calls[upstream.pk, outcome] for outcome in WASTED))
            total = sum(costs[upstream.pk, outcome] for outcome in Outcome.values)
            cost.add_metric([upstream.name], total / 100)
        yield from (ended, wasted, cost)

    def _pace(self) -> Iterator[Metric]:
        """Upstreams that share a limiter share what is used of it."""
        windows = Q(pk__in=[])
        for upstream in self.upstreams:
            since = self.now - timedelta(seconds=upstream.limit_window)
            windows |= Q(upstream=upstream.pk, started_at__gt=since)
        rows = Attempt.objects.filter(windows).order_by().values_list("upstream").annotate(calls=Count("pk"))
        recent, together = dict(rows), Counter[str]()
        for upstream in self.upstreams:
            together[upstream.pace_key] += recent.get(upstream.pk, 0)
        calls = _labelled("pace_calls", "Calls begun in the last window of the limit", "upstream")
        limit = _labelled("pace_limit", "Calls that the limit allows in its window", "upstream")
        used = _labelled("pace_used_ratio", "Calls in the last window by what is allowed", "upstream")
        for upstream in self.upstreams:
            begun = together[upstream.pace_key]
            calls.add_metric([upstream.name], begun)
            limit.add_metric([upstream.name], upstream.limit_calls)
            used.add_metric([upstream.name], begun / upstream.limit_calls)
        yield from (calls, limit, used)

    def _latency(self) -> Iterator[Metric]:
        family = _labelled(
            "call_seconds",
            "How long calls took that brought an image: the newest 1,000 of the last hour",
            "upstream",
            "quantile",
        )
        for upstream in self.upstreams:
            seconds = self._seconds(upstream)
            for quantile, value in _quantiles(seconds):
                family.add_metric([upstream.name, str(quantile)], value)
        yield family

    def _seconds(self, upstream: Upstream) -> list[float]:
        drawn = upstream.attempts.filter(started_at__gt=self.now - LATELY, outcome=Outcome.OK)
        times = drawn.order_by("-started_at").values_list("started_at", "ended_at")[:NEWEST]
        return sorted((ended - started).total_seconds() for started, ended in times if ended)

    def _accounts(self) -> Iterator[Metric]:
        paused = _labelled(
            "upstream_paused", "1 while nobody calls it until an operator does something", "upstream"
        )
        blocked = _labelled(
            "upstream_blocked_seconds", "How long a 429 still keeps it from being called", "upstream"
        )
        enabled = _labelled("upstream_enabled", "1 if it may be called at all", "upstream")
        balance = _labelled("upstream_balance_credits", "What it said was left there", "upstream")
        for upstream in self.upstreams:
            paused.add_metric([upstream.name], upstream.paused_at is not None)
            blocked.add_metric([upstream.name], _left(upstream.blocked_until, self.now))
            enabled.add_metric([upstream.name], upstream.enabled and not upstream.draining)
            if upstream.balance is not None:
                balance.add_metric([upstream.name], float(upstream.balance))
        yield from (paused, blocked, enabled, balance)


def _credits() -> Iterator[Metric]:
    sums = Account.objects.aggregate(
        issued=Sum("balance", filter=Q(kind=AccountKind.ISSUED)),
        spent=Sum("balance", filter=Q(kind=AccountKind.SPENT)),
        held=Sum("held"),
    )
    yield _gauge("credits_issued", "Credits issued to pools", -(sums["issued"] or 0) / 100)
    yield _gauge("credits_held", "Credits set aside for generations under way", (sums["held"] or 0) / 100)
    yield _gauge("credits_spent", "Credits charged, less refunds", (sums["spent"] or 0) / 100)


def _rings() -> Iterator[Metric]:
    rings = _labelled("rings", "Rings in Redis that no worker has taken yet", "queue")
    try:
        for queue in QUEUES:
            length: Any = redis_client.client().llen(queue)
            rings.add_metric([queue], length)
        answers = 1
    except RedisError:
        answers = 0
    yield _gauge("redis_up", "1 if Redis answers", answers)
    yield rings


def _quantiles(ordered: list[float]) -> Iterable[tuple[float, float]]:
    if len(ordered) < 2:
        return [(quantile, ordered[0]) for quantile in QUANTILES if ordered]
    cuts = statistics.quantiles(ordered, n=100, method="inclusive")
    return [(quantile, cuts[round(quantile * 100) - 1]) for quantile in QUANTILES]


def _left(until: datetime | None, now: datetime) -> float:
    return max((until - now).total_seconds(), 0.0) if until else 0.0


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"sdweb_{name}", meaning, value=value)


def _labelled(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sdweb_{name}", meaning, labels=labels)
