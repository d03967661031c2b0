"""Taking a row: wait for a slot of an account, then claim the fairest that is ready."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import cast

from django.db import connection, transaction
from django.db.models import Case, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Coalesce, Now
from django.db.models.sql import UpdateQuery
from redis import RedisError

from generations.core.prepared_queries import Param, PreparedQuery, PreparedStatement
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import spool
from generations.jobs.models import BLOCKED, PAUSED, Attempt, Generation, Status
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

AHEAD = 8  # threads of a worker that wait for a slot while rows are ready: enough for 100 slots a second
LONGEST_LEAD = 1.0  # seconds before its slot that a row may be claimed
SOON = 0.1  # seconds: a slot of an account further down is taken only if those before have none so soon

_next_model = PreparedQuery(lambda: Generation.objects.ready().fairest_first().values_list("model")[:1])
_some_ready = PreparedQuery(lambda: Generation.objects.ready().values_list("pk")[:AHEAD])
_open = PreparedQuery(Upstream.objects.open)

stopping = threading.Event()  # set when this worker stops: it finishes what runs, and claims nothing more

_waiting = 0  # threads of this worker that wait for a slot
_counting = threading.Lock()


@dataclass(frozen=True)
class Claim:
    """A row that is ours, the account to call for it, and the permit to do so."""

    generation: Generation
    upstream: Upstream
    permit: upstreams_rate_limit.Permit


class Lead:
    """How long a claim takes here and now: on a busy machine longer than a permit lives."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Let what happens in the block count, a fifth each time."""
        began = time.monotonic()
        yield
        self.seconds += (min(time.monotonic() - began, LONGEST_LEAD) - self.seconds) / 5


_lead = Lead()


def claim_next() -> tuple[Claim | None, int]:
    """Wait for a slot and claim the fairest ready row; and how many successors to ring.

    The claim comes a little before its slot, so that the call can leave when that comes. None if
    nothing is ready, no account has a slot soon, others took what was ready, or this worker stops.
    Successors are rung for as long as fewer threads than `AHEAD` wait beside us.
    """
    with _in_line():
        reserved = _reserve()
        if reserved is None:
            return None, 0
        upstream, permit = reserved
        give_back_connection()  # hundreds of threads wait here, and the database serves a few
        time.sleep(max(0.0, permit.delay - _lead.seconds))
        with _lead.measured():
            row = None if stopping.is_set() else _claim(upstream)
    if row is None:
        return None, 0
    return Claim(row, upstream, permit), max(0, len(_some_ready.rows()) - _waiting)


def claim(*, upstream: Upstream, worker: str, lease: timedelta) -> Generation | None:
    """Let `worker` call `upstream` for the fairest ready row that it serves; None if others took them all.

    One statement on both databases. Django writes it; only its last word, RETURNING, is not to be
    had through the ORM. PostgreSQL skips rows that others are just claiming; SQLite ignores that
    part, and its one writer at a time does the same. Needs a transaction.
    """
    taking = _taking(upstream.served_models)
    told = taking.bind(upstream=upstream.pk, worker=worker, lease=lease)
    return next(iter(Generation.objects.raw(f"{taking.sql} RETURNING *", told)), None)


@lru_cache(maxsize=64)
def _taking(models: tuple[str, ...]) -> PreparedStatement:
    ready = Generation.objects.ready().of_models(models)
    fairest = ready.fairest_first().select_for_update(skip_locked=True).values("pk")[:1]
    taken = Generation.objects.filter(pk=fairest, status=Status.QUEUED)
    update = cast(UpdateQuery, taken.query.chain(UpdateQuery))
    update.add_update_values(
        {
            "status": Status.RUNNING,
            "changed_at": Now(),
            "attempt": F("attempt") + 1,
            "upstream": Param("upstream"),
            "worker": Param("worker"),
            "lease_until": Now() + Param("lease", DurationField()),
            "started_at": Now(),
            "called_at": Coalesce("called_at", Now()),
            "waited_out": _waited_out(),
            "reason": "",
            "code": "",
        }
    )
    return PreparedStatement(update.get_compiler(connection=connection))


def give_back_connection() -> None:
    """Let another thread use this one's connection while it waits.

    SQLite has no pool, an idle connection of its own holds no lock, and opening one costs milliseconds.
    """
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()


@contextmanager
def _in_line() -> Iterator[None]:
    global _waiting  # noqa: PLW0603  one count per process, as there is one pool of threads
    with _counting:
        _waiting += 1
    try:
        yield
    finally:
        with _counting:
            _waiting -= 1


def _reserve() -> tuple[Upstream, upstreams_rate_limit.Permit] | None:
    """A slot of the first account that has one soon, or else of the first that has one within the horizon."""
    wanted = _wanted() if spool.has_room() else []
    try:
        for horizon in (
            (SOON, upstreams_rate_limit.HORIZON) if len(wanted) > 1 else (upstreams_rate_limit.HORIZON,)
        ):
            for upstream in wanted:
                permit = upstreams_rate_limit.reserve(upstream, horizon=horizon)
                if permit:
                    return upstream, permit
    except RedisError as problem:
        log.warning("No calls while Redis is away: %s", problem)
    return None


def _wanted() -> list[Upstream]:
    """The accounts that serve what is ready: in the order for the model that is next, then the others."""
    if not (found := _next_model.rows()):
        return []
    model, ready, accounts = found[0][0], Generation.objects.ready(), _open.all()
    first = sorted((one for one in accounts if one.serves(model)), key=lambda one: one.rank(model))
    return [*first, *(one for one in accounts if not one.serves(model) and ready.served_by(one).exists())]


@transaction.atomic
def _claim(upstream: Upstream) -> Generation | None:
    row = claim(upstream=upstream, worker=spool.WORKER, lease=engine_leases.LEASE)
    if row:
        Attempt.objects.create(
            generation=row, number=row.attempt, upstream=upstream, unit=upstream.unit, worker=spool.WORKER
        )
    return row


def _waited_out() -> Case:
    """How long a row about to be claimed waited for no fault of its own, all told."""
    before = Coalesce("waited_out", Value(timedelta()), output_field=DurationField())
    lately = ExpressionWrapper(Now() - F("changed_at"), output_field=DurationField())
    no_fault = When(Q(code__in=[BLOCKED, PAUSED]), then=before + lately)
    return Case(no_fault, default=F("waited_out"), output_field=DurationField())
