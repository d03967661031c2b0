"""The position of waiting generations in the queue, and estimates of when their images are there."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

MAX_NUMBERED = 5_000  # rows read when the whole queue is numbered
CACHED_FOR = 15.0  # seconds that a model's typical duration is cached

_typical: dict[str, tuple[float, float]] = {}  # model: (when it was computed, seconds)


@dataclass(frozen=True)
class QueuePosition:
    """`position` in the queue (1 is next), about `seconds` until the image is there, why it is delayed."""

    position: int
    seconds: int
    notice: str = ""


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
    return _estimate(row.model, row.not_before, row.reason, 1 + ahead, _Throughput.current())


def positions_of(rows: Iterable[Generation]) -> dict[uuid.UUID, QueuePosition]:
    """The positions of those of these generations that wait, from one query of the queue."""
    waiting = {row.pk: row for row in rows if row.status == Status.QUEUED}
    if not waiting:
        return {}
    queue = Generation.objects.filter(status=Status.QUEUED).in_queue_order()
    number = {
        pk: position for position, pk in enumerate(queue.values_list("pk", flat=True)[:MAX_NUMBERED], 1)
    }
    throughput = _Throughput.current()
    return {
        pk: _estimate(row.model, row.not_before, row.reason, number.get(pk, len(number) + 1), throughput)
        for pk, row in waiting.items()
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
    queue = Generation.objects.filter(status=Status.QUEUED).in_queue_order()
    rows = queue.values_list("model", "not_before", "reason", *columns)[:MAX_NUMBERED]
    throughput = _Throughput.current()
    for position, (model, not_before, reason, *values) in enumerate(rows, 1):
        yield tuple(values), _estimate(model, not_before, reason, position, throughput)


@dataclass(frozen=True)
class _Throughput:
    """Of all accounts together: seconds between two calls, and seconds until the first block ends."""

    interval: float
    blocked_for: float
    notice: str

    @classmethod
    def current(cls) -> _Throughput:
        enabled = list(Upstream.objects.filter(enabled=True))
        running = [upstream for upstream in enabled if upstream.paused_at is None and not upstream.draining]
        if not running:
            return cls(1.0, 0.0, _notice_of_pause(enabled))
        blocks = [_seconds_until(upstream.blocked_until) for upstream in running]
        callable_now = [upstream for upstream, block in zip(running, blocks, strict=True) if not block]
        rate = sum(1 / upstreams_rate_limit.interval(upstream) for upstream in callable_now or running)
        blocked_for = min(blocks)
        return cls(1 / rate, blocked_for, _("The provider asked us to wait.") if blocked_for else "")


def _seconds_until(moment: datetime | None) -> float:
    return max((moment - timezone.now()).total_seconds(), 0.0) if moment else 0.0


def _notice_of_pause(enabled: list[Upstream]) -> str:
    if any(upstream.paused_at for upstream in enabled):
        return _("The provider's account is paused and the operators know. Nothing is charged meanwhile.")
    return _("No provider takes calls at the moment. Nothing is charged meanwhile.")


def _estimate(
    model: str, not_before: datetime, reason: str, position: int, throughput: _Throughput
) -> QueuePosition:
    start = (position - 1) * throughput.interval + throughput.blocked_for
    seconds = max(start, _seconds_until(not_before)) + typical_seconds(model)
    return QueuePosition(position, max(1, round(seconds)), throughput.notice or reason)
