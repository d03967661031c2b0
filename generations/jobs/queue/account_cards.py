"""The provider accounts on the queue page: their state, rate of calls, and response times."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.core import svg_charts
from generations.jobs.models import Attempt, Outcome, PromptHelp
from generations.jobs.queue.calls_per_minute import Minute
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

SAMPLE = 1_000  # newest calls, for response times and the list of latest calls


@dataclass(frozen=True)
class Call:
    """One of the newest calls."""

    pk: int
    upstream: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str


@dataclass(frozen=True)
class Halt:
    """A system or a model for which an account is not asked by now: until when, and why."""

    title: str
    until: datetime
    reason: str
    status: int | None
    is_model: bool  # which an operator may have asked for again at once

    @property
    def rest(self) -> int:
        """The seconds until it is asked for again."""
        return max(math.ceil((self.until - timezone.now()).total_seconds()), 0)


@dataclass(frozen=True)
class AccountCard:
    """One provider account as the page shows it."""

    upstream: Upstream
    state: str  # open, blocked, paused or draining
    rest: int  # seconds until a block ends
    calls: int  # in the last window, of all accounts that share its rate limit
    in_flight: int
    median: float | None
    slowest: float | None  # seconds: the 95th percentile
    gauge: svg_charts.Gauge
    sparkline: svg_charts.Sparkline  # the calls of the last hour
    halts: list[Halt]

    @property
    def per_second(self) -> float:
        """Calls a second in the last window."""
        return self.calls / self.upstream.limit_window


def newest_calls() -> list[Call]:
    """The newest calls of all accounts, newest first."""
    columns = ("pk", "upstream", "started_at", "ended_at", "outcome")
    return [Call(*row) for row in Attempt.objects.order_by("-pk").values_list(*columns)[:SAMPLE]]


def cards(
    upstreams: Collection[Upstream],
    in_flight: Mapping[int | None, int],
    minutes: Mapping[datetime, Minute],
    newest: Collection[Call],
    now: datetime,
) -> list[AccountCard]:
    """A card for each enabled account. The current minute is not over, so sparklines leave it out."""
    used = _calls_in_window(upstreams, now)
    seconds = _seconds(newest)
    return [
        _card(
            upstream,
            calls=sum(used[other.pk] for other in upstreams if other.pace_key == upstream.pace_key),
            in_flight=in_flight.get(upstream.pk, 0),
            seconds=seconds[upstream.pk],
            history=[_calls(minute, upstream.pk) for minute in minutes.values()][
                :-1
            ],  # without the current minute
            now=now,
        )
        for upstream in upstreams
        if upstream.enabled
    ]


def _card(
    upstream: Upstream, *, calls: int, in_flight: int, seconds: list[float], history: list[int], now: datetime
) -> AccountCard:
    word, rest = state(upstream, now)
    mark = upstream.limit_window / (upstream.limit_window + upstreams_rate_limit.MARGIN)
    return AccountCard(
        upstream=upstream,
        state=word,
        rest=rest,
        calls=calls,
        in_flight=in_flight,
        median=statistics.median(seconds) if seconds else None,
        slowest=seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else None,
        gauge=svg_charts.gauge(calls, upstream.limit_calls, mark),
        sparkline=svg_charts.sparkline(history),
        halts=halts(upstream),
    )


def state(upstream: Upstream, now: datetime) -> tuple[str, int]:
    """Whether an account is open, blocked, paused or draining, and the seconds until a block ends."""
    rest = (upstream.blocked_until - now).total_seconds() if upstream.blocked_until else 0.0
    if upstream.paused_at:
        return "paused", math.ceil(rest)
    if upstream.draining:
        return "draining", math.ceil(rest)
    return ("blocked" if rest > 0 else "open"), math.ceil(rest)


def halts(upstream: Upstream) -> list[Halt]:
    """For what the account is not asked: systems that a gateway limits, models that it said not to have."""
    systems = [
        Halt(catalogue_registry.system_title(name), until, _("too many requests"), 429, is_model=False)
        for name, until in upstream.blocked_systems.items()
    ]
    closed = {name: entry for name, entry in upstream.closed_models.items() if upstream.is_closed(name)}
    models = [
        Halt(
            title=catalogue_registry.model_title(name),
            until=upstream.closed_until(name),
            reason=entry["reason"],
            status=entry["status"],
            is_model=True,
        )
        for name, entry in closed.items()
    ]
    return [*systems, *models]


def _calls_in_window(upstreams: Collection[Upstream], now: datetime) -> Counter[int]:
    """{upstream: calls sent in its last window}, with those of the prompt helper."""
    found = Counter(dict.fromkeys((upstream.pk for upstream in upstreams), 0))
    for calls, moment in ((Attempt.objects, "started_at__gt"), (PromptHelp.objects, "called_at__gt")):
        windows = [
            Q(upstream=upstream.pk, **{moment: now - timedelta(seconds=upstream.limit_window)})
            for upstream in upstreams
        ]
        if windows:
            by_account = calls.filter(reduce(or_, windows)).order_by().values("upstream")
            counted = by_account.annotate(calls=Count("pk"))
            found.update(dict(counted.values_list("upstream", "calls")))
    return found


def _seconds(newest: Collection[Call]) -> defaultdict[int, list[float]]:
    """{upstream: seconds of its newest successful calls, sorted}."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for call in newest:
        if call.outcome == Outcome.OK and call.ended_at:
            found[call.upstream].append((call.ended_at - call.started_at).total_seconds())
    for seconds in found.values():
        seconds.sort()
    return found


def _calls(minute: Minute, upstream: int) -> int:
    return sum(calls for (called, _outcome), calls in minute.items() if called == upstream)
