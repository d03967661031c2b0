"""The line in front of the provider: who stands where, and how long that takes."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

LONGEST = 5_000  # rows looked at when a whole line is numbered
REMEMBERED = 15.0  # seconds for which a typical duration is not reckoned again

_typical: dict[str, tuple[float, float]] = {}


@dataclass(frozen=True)
class Place:
    """`position` in line (1 is next), about `seconds` until the image is there, and why it is held up."""

    position: int
    seconds: int
    notice: str = ""


def typical_seconds(model: str) -> float:
    """How long a call for that model takes: the median of the last twenty, or the catalogue's guess."""
    known = _typical.get(model)
    if known and time.monotonic() - known[0] < REMEMBERED:
        return known[1]
    drawn = Attempt.objects.filter(generation__model=model, outcome=Outcome.OK).order_by("-pk")[:20]
    seconds: list[float] = [call.seconds for call in drawn if call.seconds is not None]
    typical = statistics.median(seconds) if seconds else float(catalogue_registry.get(model).expected_seconds)
    _typical[model] = time.monotonic(), typical
    return typical


def place(row: Generation) -> Place | None:
    """Where a waiting generation stands; None if it does not wait."""
    if row.status != Status.QUEUED:
        return None
    sooner = Q(priority__gt=row.priority) | Q(priority=row.priority, virtual_start__lt=row.virtual_start)
    ahead = Generation.objects.filter(
        sooner | Q(priority=row.priority, virtual_start=row.virtual_start, pk__lt=row.pk)
    )
    return _place(
        row.model, row.not_before, row.reason, 1 + ahead.filter(status=Status.QUEUED).count(), _Road.now()
    )


def places(rows: Iterable[Generation]) -> dict[uuid.UUID, Place]:
    """Where each of these that wait stands, from one look at the line."""
    waiting = {row.pk: row for row in rows if row.status == Status.QUEUED}
    if not waiting:
        return {}
    order = (
        Generation.objects.filter(status=Status.QUEUED)
        .in_queue_order()
        .values_list("pk", flat=True)[:LONGEST]
    )
    number = {pk: position for position, pk in enumerate(order, 1)}
    road = _Road.now()
    return {
        pk: _place(row.model, row.not_before, row.reason, number.get(pk, len(number) + 1), road)
        for pk, row in waiting.items()
    }


def waiting_by_person() -> dict[tuple[int, int], dict[str, dict[str, object]]]:
    """{(user, team): {generation: its place}} of everybody who waits."""
    columns = ("pk", "model", "not_before", "reason", "member__user_id", "team_id")
    order = Generation.objects.filter(status=Status.QUEUED).in_queue_order().values_list(*columns)[:LONGEST]
    road = _Road.now()
    found: dict[tuple[int, int], dict[str, dict[str, object]]] = {}
    for position, (pk, model, not_before, reason, user, team) in enumerate(order, 1):
        if user is not None:
            there = _place(model, not_before, reason, position, road)
            found.setdefault((user, team), {})[str(pk)] = vars(there)
    return found


def next_of_each() -> dict[int, Place]:
    """{member: the place of the one that is served first} of everybody who waits."""
    columns = ("member_id", "model", "not_before", "reason")
    order = Generation.objects.filter(status=Status.QUEUED).in_queue_order().values_list(*columns)[:LONGEST]
    road = _Road.now()
    found: dict[int, Place] = {}
    for position, (member, model, not_before, reason) in enumerate(order, 1):
        if member not in found:
            found[member] = _place(model, not_before, reason, position, road)
    return found


@dataclass(frozen=True)
class _Road:
    """What the accounts can take together: seconds a call, and how long all of them rest."""

    interval: float
    rest: float
    notice: str

    @classmethod
    def now(cls) -> _Road:
        enabled = list(Upstream.objects.filter(enabled=True))
        running = [upstream for upstream in enabled if upstream.paused_at is None and not upstream.draining]
        if not running:
            return cls(1.0, 0.0, _notice_of_pause(enabled))
        rests = [_rest(upstream.blocked_until) for upstream in running]
        awake = [upstream for upstream, rest in zip(running, rests, strict=True) if not rest] or running
        rate = sum(1 / upstreams_rate_limit.interval(upstream) for upstream in awake)
        rest = min(rests)
        return cls(1 / rate, rest, _("The provider asked us to wait.") if rest else "")


def _rest(blocked_until: datetime | None) -> float:
    return max((blocked_until - timezone.now()).total_seconds(), 0.0) if blocked_until else 0.0


def _notice_of_pause(enabled: list[Upstream]) -> str:
    if any(upstream.paused_at for upstream in enabled):
        return _("The provider's account is paused and the operators know. Nothing is charged meanwhile.")
    return _("No provider takes calls at the moment. Nothing is charged meanwhile.")


def _place(model: str, not_before: datetime, reason: str, position: int, road: _Road) -> Place:
    start = max((position - 1) * road.interval + road.rest, _rest(not_before))
    return Place(position, max(1, round(start + typical_seconds(model))), road.notice or reason)
