"""The calls of the last hour by minute; older minutes are counted once per process."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import TruncMinute

from generations.core import svg_charts
from generations.jobs.models import Attempt, Outcome

MINUTES = 60
LINES = 3  # of the chart's grid above its lowest, about
OPEN = 6  # newest minutes, whose calls may still be running

SERIES: dict[str, tuple[str, ...]] = {
    "ok": (Outcome.OK, Outcome.ACCEPTED),
    "busy": (Outcome.BUSY, Outcome.UNAVAILABLE),
    "refused": (Outcome.REFUSED, Outcome.FILTERED),
    "unknown": (Outcome.UNKNOWN,),
}

Minute = Counter[tuple[int, str]]  # calls by upstream and outcome

_counted: dict[datetime.datetime, Minute] = {}


def clear_cache() -> None:
    """Count every minute again."""
    _counted.clear()


def minutes(upstreams: Collection[int], now: datetime.datetime) -> dict[datetime.datetime, Minute]:
    """{minute: ended calls by (upstream, outcome)} of the last 60 minutes, by their start. One query.

    It reads the index of each upstream from the first minute that is not cached.
    """
    this = now.astimezone(datetime.UTC).replace(second=0, microsecond=0)
    hour = [this - datetime.timedelta(minutes=back) for back in range(MINUTES - 1, -1, -1)]
    unknown = [minute for minute in hour if minute not in _counted]
    found: dict[datetime.datetime, Minute] = {minute: Counter() for minute in unknown}
    for minute, upstream, outcome, calls in _count(upstreams, unknown[0]):
        if minute in found:
            found[minute][upstream, outcome] = calls
    _remember({minute: found[minute] for minute in unknown if minute in hour[:-OPEN]}, hour[0])
    return {minute: found.get(minute) or _counted.get(minute, Counter()) for minute in hour}


def _count(
    upstreams: Collection[int], since: datetime.datetime
) -> list[tuple[datetime.datetime, int, str, int]]:
    calls = Attempt.objects.filter(upstream__in=upstreams, started_at__gte=since).exclude(outcome="")
    by_minute = calls.annotate(minute=TruncMinute("started_at", tzinfo=datetime.UTC))
    counted = by_minute.order_by().values("minute", "upstream", "outcome").annotate(calls=Count("pk"))
    return list(counted.values_list("minute", "upstream", "outcome", "calls"))


def _remember(closed: dict[datetime.datetime, Minute], oldest: datetime.datetime) -> None:
    _counted.update(closed)
    for minute in [minute for minute in _counted if minute < oldest]:
        _counted.pop(minute, None)


@dataclass(frozen=True)
class Row:
    """The calls that began in one minute, by series in the order of SERIES."""

    at: datetime.datetime
    calls: tuple[int, ...]


@dataclass(frozen=True)
class CallsPerMinute:
    """The calls of the last hour: by minute, in total, and as a bar chart."""

    rows: list[Row]
    totals: tuple[int, ...]
    grid: svg_charts.Grid
    bars: list[tuple[svg_charts.Segment, ...]]


def summary(counted: Mapping[datetime.datetime, Minute]) -> CallsPerMinute:
    """The minutes as the page shows them."""
    rows = [
        Row(at, tuple(_calls(minute, outcomes) for outcomes in SERIES.values()))
        for at, minute in counted.items()
    ]
    grid = svg_charts.grid((row.calls for row in rows), lines=LINES)
    return CallsPerMinute(
        rows=rows,
        totals=tuple(map(sum, zip(*(row.calls for row in rows), strict=True))),
        grid=grid,
        bars=[
            svg_charts.stacked_bar(dict(zip(SERIES, row.calls, strict=True)), grid, index=index, of=len(rows))
            for index, row in enumerate(rows)
        ],
    )


def _calls(minute: Minute, outcomes: Collection[str]) -> int:
    return sum(calls for (_upstream, outcome), calls in minute.items() if outcome in outcomes)
