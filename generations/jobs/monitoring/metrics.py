"""Prometheus metrics at /metrics: the queue, the provider accounts, and the credits.

Everything is computed from the database and Redis on request, so that every process gives the same values;
only the spool's are those of this machine. Each query uses an index or is limited to a short time.
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
from generations.jobs.monitoring.counters import CallTotals
from generations.upstreams.models import Upstream

QUEUES = ("calls", "upkeep")
QUANTILES = (0.5, 0.9, 0.95, 0.99)
LATENCY_WINDOW = timedelta(hours=1)
SAMPLE = 1_000  # newest calls of each upstream, for quantiles
WASTED = (Outcome.UNKNOWN, Outcome.FILTERED)

call_totals = CallTotals()


def text() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(PortalCollector())


class PortalCollector(Collector):
    """All metrics of the portal; created for each request."""

    def collect(self) -> Iterator[Metric]:
        """Every family of metrics."""
        self.now = timezone.now()
        self.upstreams = list(Upstream.objects.all())
        yield from self._queue()
        yield from self._calls()
        yield from self._rate_limits()
        yield from self._latency()
        yield from self._accounts()
        yield from _credits()
        yield _gauge(
            "spool_waiting",
            "Attempts in this machine's spool that are not stored yet",
            spool.count_unstored(),
        )
        yield from _wake_messages()

    def _queue(self) -> Iterator[Metric]:
        waiting = _labelled("waiting", "Generations in the queue", "model")
        queued = Generation.objects.filter(status=Status.QUEUED).order_by().values_list("model")
        oldest = self.now
        for model, count, since in queued.annotate(count=Count("pk"), since=Min("created_at")):
            waiting.add_metric([model], count)
            oldest = min(oldest, since)
        yield waiting
        age = max((self.now - oldest).total_seconds(), 0.0)
        yield _gauge("oldest_waiting_seconds", "How long the oldest generation in the queue has waited", age)
        families = {
            Status.RUNNING: _labelled("running", "Generations that a provider is called for", "model"),
            Status.SUBMITTED: _labelled("submitted", "Tasks that providers have accepted", "model"),
            Status.STORING: _labelled("storing", "Images received and not stored yet", "model"),
        }
        working = Generation.objects.filter(status__in=list(families))
        rows = working.order_by().values_list("status", "model").annotate(count=Count("pk"))
        for status, model, count in rows:
            families[Status(status)].add_metric([model], count)
        yield from families.values()

    def _calls(self) -> Iterator[Metric]:
        calls, costs = call_totals.current()
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

    def _rate_limits(self) -> Iterator[Metric]:
        """Upstreams that share a rate limit show the sum of their calls."""
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
        drawn = upstream.attempts.filter(started_at__gt=self.now - LATENCY_WINDOW, outcome=Outcome.OK)
        times = drawn.order_by("-started_at").values_list("started_at", "ended_at")[:SAMPLE]
        return sorted((ended - started).total_seconds() for started, ended in times if ended)

    def _accounts(self) -> Iterator[Metric]:
        paused = _labelled("upstream_paused", "1 while it is paused until an operator resumes it", "upstream")
        blocked = _labelled("upstream_blocked_seconds", "Seconds until a block after a 429 ends", "upstream")
        enabled = _labelled("upstream_enabled", "1 if it may be called at all", "upstream")
        balance = _labelled("upstream_balance_credits", "Its last reported balance", "upstream")
        for upstream in self.upstreams:
            paused.add_metric([upstream.name], upstream.paused_at is not None)
            blocked.add_metric([upstream.name], _seconds_until(upstream.blocked_until, self.now))
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
    yield _gauge("credits_issued", "Credits issued to teams", -(sums["issued"] or 0) / 100)
    yield _gauge("credits_held", "Credits set aside for generations under way", (sums["held"] or 0) / 100)
    yield _gauge("credits_spent", "Credits charged, less refunds", (sums["spent"] or 0) / 100)


def _wake_messages() -> Iterator[Metric]:
    messages = _labelled("rings", "Wake-up messages in Redis that no worker has taken yet", "queue")
    try:
        for queue in QUEUES:
            length: Any = redis_client.client().llen(queue)
            messages.add_metric([queue], length)
        responds = 1
    except RedisError:
        responds = 0
    yield _gauge("redis_up", "1 if Redis answers", responds)
    yield messages


def _quantiles(ordered: list[float]) -> Iterable[tuple[float, float]]:
    if len(ordered) < 2:
        return [(quantile, ordered[0]) for quantile in QUANTILES if ordered]
    cuts = statistics.quantiles(ordered, n=100, method="inclusive")
    return [(quantile, cuts[round(quantile * 100) - 1]) for quantile in QUANTILES]


def _seconds_until(until: datetime | None, now: datetime) -> float:
    return max((until - now).total_seconds(), 0.0) if until else 0.0


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"sdweb_{name}", meaning, value=value)


def _labelled(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sdweb_{name}", meaning, labels=labels)
