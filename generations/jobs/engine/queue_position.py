"""The position of waiting generations in the queue, and estimates of when their images are there."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs.engine.outcomes import MAX_BUSY_CALLS, MAX_INTERRUPTED_CALLS, MAX_UNKNOWN_CALLS
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

MAX_NUMBERED = 5_000  # rows read when the whole queue is numbered
CACHED_FOR = 15.0  # seconds that a model's typical duration is cached

_typical: dict[str, tuple[float, float]] = {}  # model: (when it was computed, seconds)


@dataclass(frozen=True)
class QueuePosition:
    """`position` in the queue (1 is next), about `seconds` until the image is there, why it is delayed.

    Between two calls, `retry_in` says how many seconds are left until the call with the number `next_call`,
    of `calls` at most. While no account of its model is called (`halted`), nothing is promised;
    `paused_since` is when the first of them was paused, in ISO 8601.
    """

    position: int
    seconds: int
    notice: str = ""
    retry_in: int = 0
    next_call: int = 0
    calls: int = 0
    halted: bool = False
    paused_since: str = ""

    @property
    def paused_at(self) -> datetime | None:
        """`paused_since` as a moment, for templates."""
        return datetime.fromisoformat(self.paused_since) if self.paused_since else None


def typical_seconds(model: str) -> float:
    """How long a call for that model takes: the median of the last twenty, or the catalogue's estimate."""
    cached = _typical.get(model)
    if cached and time.monotonic() - cached[0] < CACHED_FOR:
        return cached[1]
    drawn = Attempt.objects.filter(generation__model=model, outcome=Outcome.OK).order_by("-pk")[:20]
    seconds: list[float] = [call.seconds for call in drawn if call.seconds is not None]
    typical = statistics.median(seconds) if seconds else float(catalogue_registry.get(model).expected_seconds)
    _typical[model] = time.monotonic(), typical
    return typical


def position_of(row: Generation) -> QueuePosition | None:
    """The position of a waiting generation; None if it does not wait."""
    if row.status != Status.QUEUED:
        return None
    sooner = Q(priority__gt=row.priority)
    sooner |= Q(priority=row.priority, virtual_start__lt=row.virtual_start)
    sooner |= Q(priority=row.priority, virtual_start=row.virtual_start, pk__lt=row.pk)
    ahead = Generation.objects.filter(sooner, status=Status.QUEUED).count()
    return _Queue.current().position_of(_Waiting.of_row(row), 1 + ahead)


def positions_of(rows: Iterable[Generation]) -> dict[uuid.UUID, QueuePosition]:
    """The positions of those of these generations that wait, from one query of the queue."""
    waiting = {row.pk: row for row in rows if row.status == Status.QUEUED}
    if not waiting:
        return {}
    queued = Generation.objects.filter(status=Status.QUEUED).in_queue_order()
    number = {
        pk: position for position, pk in enumerate(queued.values_list("pk", flat=True)[:MAX_NUMBERED], 1)
    }
    queue, behind = _Queue.current(), len(number) + 1
    return {
        pk: queue.position_of(_Waiting.of_row(row), number.get(pk, behind)) for pk, row in waiting.items()
    }


def positions_by_user() -> dict[tuple[int, int], dict[str, dict[str, object]]]:
    """Return {(user, team): {generation: its position as a dict}} of all that wait, without programs'."""
    found: dict[tuple[int, int], dict[str, dict[str, object]]] = {}
    for (pk, user, team), position in _numbered("pk", "member__user_id", "team_id"):
        if user is not None:
            found.setdefault((user, team), {})[str(pk)] = vars(position)
    return found


def first_positions() -> dict[int, QueuePosition]:
    """{member: the position of the generation that is served first} of every member who waits."""
    found: dict[int, QueuePosition] = {}
    for (member,), position in _numbered("member_id"):
        found.setdefault(member, position)
    return found


def _numbered(*columns: str) -> Iterator[tuple[tuple[Any, ...], QueuePosition]]:
    """These columns of the waiting generations in the order of the queue, each with its position."""
    queued = Generation.objects.filter(status=Status.QUEUED).in_queue_order()
    rows = queued.values_list(*columns, *_Waiting._fields)[:MAX_NUMBERED]
    queue = _Queue.current()
    for position, row in enumerate(rows, 1):
        yield row[: len(columns)], queue.position_of(_Waiting(*row[len(columns) :]), position)


class _Waiting(NamedTuple):
    """What is read of a waiting generation to estimate when it is called."""

    model: str
    not_before: datetime
    reason: str
    code: str
    busy_calls: int
    unknown_calls: int
    interrupted_calls: int

    @classmethod
    def of_row(cls, row: Generation) -> _Waiting:
        return cls(*(getattr(row, name) for name in cls._fields))

    @property
    def calls(self) -> tuple[int, int]:
        """The numbers of the next call and of the last one that may be made; 0 before the first."""
        made = self.busy_calls + self.unknown_calls + self.interrupted_calls
        if self.code == "interrupted":
            left = MAX_INTERRUPTED_CALLS - self.interrupted_calls
        elif self.busy_calls:
            left = MAX_BUSY_CALLS - self.busy_calls
        else:
            left = MAX_UNKNOWN_CALLS - self.unknown_calls
        return (made + 1, made + left) if made else (0, 0)


@dataclass(frozen=True)
class _Throughput:
    """Of the accounts that serve a model: seconds until the first block ends, and why they are not called."""

    blocked_for: float = 0.0
    notice: str = ""
    halted: bool = False
    paused_since: str = ""


class _Queue:
    """Seconds between two calls of all accounts together, and for each model when its accounts are called."""

    def __init__(self, enabled: list[Upstream]) -> None:
        self.enabled = enabled
        running = [upstream for upstream in enabled if _is_running(upstream)]
        callable_now = [upstream for upstream in running if not _seconds_until(upstream.blocked_until)]
        rate = sum(1 / upstreams_rate_limit.interval(upstream) for upstream in callable_now or running)
        self.interval = 1 / rate if rate else 1.0
        self.by_model: dict[str, _Throughput] = {}

    @classmethod
    def current(cls) -> _Queue:
        return cls(list(Upstream.objects.filter(enabled=True)))

    def position_of(self, row: _Waiting, position: int) -> QueuePosition:
        if row.model not in self.by_model:
            self.by_model[row.model] = self._throughput(row.model)
        throughput, pause = self.by_model[row.model], _seconds_until(row.not_before)
        start = (position - 1) * self.interval + throughput.blocked_for
        next_call, calls = row.calls
        return QueuePosition(
            position,
            seconds=max(1, round(max(start, pause) + typical_seconds(row.model))),
            notice=throughput.notice or row.reason,
            retry_in=round(pause) if calls else 0,
            next_call=next_call,
            calls=calls,
            halted=throughput.halted,
            paused_since=throughput.paused_since,
        )

    def _throughput(self, model: str) -> _Throughput:
        serving = [upstream for upstream in self.enabled if upstream.serves(model)]
        running = [upstream for upstream in serving if _is_running(upstream)]
        if running:
            blocked_for = min(_seconds_until(upstream.blocked_until_for(model)) for upstream in running)
            return _Throughput(blocked_for, _("The provider asked us to wait.") if blocked_for else "")
        paused = [upstream.paused_at for upstream in serving if upstream.paused_at]
        if paused:
            text = _("The operators know. Nothing is charged meanwhile.")
            return _Throughput(0.0, text, halted=True, paused_since=min(paused).isoformat())
        text = _("No provider takes calls at the moment. Nothing is charged meanwhile.")
        return _Throughput(0.0, text, halted=True)


def _is_running(upstream: Upstream) -> bool:
    return upstream.paused_at is None and not upstream.draining


def _seconds_until(moment: datetime | None) -> float:
    return max((moment - timezone.now()).total_seconds(), 0.0) if moment else 0.0
