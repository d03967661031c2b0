"""Reserve a slot of a provider account, and claim the ready generation that is first in the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Subquery
from redis import RedisError

from generations.core.prepared_queries import Param, PreparedQuery
from generations.core.prepared_writes import PreparedInsert
from generations.jobs.engine import claim_statement, spool
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine.claim_statement import MAX_WAITING_THREADS
from generations.jobs.models import Attempt, Generation, HelpStatus, PromptHelp
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

MAX_CLAIM_LATENCY = 1.0  # seconds before its slot that a generation may be claimed
KNOWN_FOR = 0.25  # seconds for which the only open account is not read again while more is ready
SHORT_HORIZON = 0.1  # seconds: a later account is used only if those before it have no slot this soon

_some_ready = PreparedQuery(lambda: Generation.objects.ready().values_list("pk")[:MAX_WAITING_THREADS])


def _next(column: str) -> Subquery:
    return Subquery(Generation.objects.ready().in_queue_order().values(column)[:1])


# With what is next in the queue; `next_model` is None if nothing is ready.
_open = PreparedQuery(
    lambda: Upstream.objects.open().annotate(next_model=_next("model"), next_pinned_to=_next("pinned_to"))
)
_closings = PreparedQuery(
    lambda: Upstream.objects.open().filter(pk=Param("pk")).values_list("systems_blocked", "closed_models")
)
_attempt = PreparedInsert(Attempt)

stopping = threading.Event()  # set when this worker shuts down: it finishes its calls and claims no more

_waiting_threads = 0  # threads of this worker that wait for a slot
_waiting_lock = threading.Lock()


@dataclass(frozen=True)
class Claim:
    """A claimed generation, the account to call, and the permit for the call."""

    generation: Generation
    upstream: Upstream
    permit: upstreams_rate_limit.Permit


class ClaimLatency:
    """The moving average of the seconds that a claim takes.

    On a busy machine a claim can take longer than its permit is valid.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add the duration of the block, with a weight of one fifth."""
        began = time.monotonic()
        yield
        self.seconds += (min(time.monotonic() - began, MAX_CLAIM_LATENCY) - self.seconds) / 5


_claim_latency = ClaimLatency()


class RecentAccount:
    """The account of the last claims, if no other is open and it has no limit but its pace.

    Threads that claim one after the other need not read it each time; the claim looks whether it is open.
    """

    def __init__(self) -> None:
        self._known: tuple[Upstream, float] | None = None

    def get(self) -> Upstream | None:
        """Return the account if it was read less than KNOWN_FOR ago, and more was ready since."""
        known = self._known
        return copy(known[0]) if known and time.monotonic() - known[1] < KNOWN_FOR else None

    def remember(self, upstream: Upstream) -> None:
        """Keep an account that was just read."""
        self._known = upstream, time.monotonic()

    def forget(self) -> None:
        """Have the next claim read the accounts."""
        self._known = None


def claim_next(recent: RecentAccount | None = None) -> tuple[Claim | None, int]:
    """Wait for a slot and claim the first ready generation; and how many more workers to wake.

    The claim is made shortly before the slot, so that the call can be sent when the slot begins. None if
    nothing is ready, no account has a slot soon, others claimed what was ready, or this worker stops.
    Workers are woken as long as fewer than MAX_WAITING_THREADS threads of this one wait for a slot.
    With `recent`, what it knows is not read again.
    """
    recent = recent or RecentAccount()
    with _counted_as_waiting():
        reserved = _reserve(recent)
        if reserved is None:
            return None, 0
        upstream, permit = reserved
        release_connection()  # hundreds of threads wait here, and the database takes few connections
        time.sleep(max(0.0, permit.delay - _claim_latency.seconds))
        with _claim_latency.measured():
            row, ready = (None, 0) if stopping.is_set() else _claim(upstream)
    if row is None:
        recent.forget()
        return None, 0
    if ready is None:
        ready = len(_some_ready.rows()) if _waiting_threads < MAX_WAITING_THREADS else 0
    if ready <= 0:
        recent.forget()
    return Claim(row, upstream, permit), max(0, ready - _waiting_threads)


def claim(*, upstream: Upstream, worker: str, lease: timedelta) -> Generation | None:
    """Claim the first ready generation that `upstream` serves now; None if there is none.

    Needs a transaction. None too if the account works on as many as it takes at the same time.
    """
    if _is_full(upstream, lock=True) or not (models := _models_with_room(upstream, lock=True)):
        return None
    return claim_statement.claim(upstream, models, worker, lease)


def release_connection() -> None:
    """Return this thread's connection to the pool while it waits; a database of some tests has none."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()


@contextmanager
def _counted_as_waiting() -> Iterator[None]:
    global _waiting_threads  # noqa: PLW0603  one count per process, as there is one pool of threads
    with _waiting_lock:
        _waiting_threads += 1
    try:
        yield
    finally:
        with _waiting_lock:
            _waiting_threads -= 1


def _reserve(recent: RecentAccount) -> tuple[Upstream, upstreams_rate_limit.Permit] | None:
    """A slot of the first account that has one within SHORT_HORIZON, or else within the rate limit's."""
    accounts = _serving_accounts(recent) if spool.has_room() else []
    longest = upstreams_rate_limit.HORIZON
    try:
        for horizon in (SHORT_HORIZON, longest) if len(accounts) > 1 else (longest,):
            for upstream in accounts:
                permit = upstreams_rate_limit.reserve(upstream, horizon=horizon)
                if permit:
                    return upstream, permit
    except RedisError as problem:
        log.warning("Redis is unreachable, so no provider is called: %s", problem)
    return None


def _serving_accounts(recent: RecentAccount) -> list[Upstream]:
    """Open accounts that serve what is ready: by rank for the model that is next, then the others."""
    if (known := recent.get()) is not None:
        return [known]
    open_accounts: list[Any] = _open.all()
    if not open_accounts or open_accounts[0].next_model is None:
        return []
    model, pinned_to = open_accounts[0].next_model, open_accounts[0].next_pinned_to
    accounts = {one: _models_with_room(one) for one in open_accounts if not _is_full(one)}
    serving = [one for one, models in accounts.items() if model in models and pinned_to in (None, one.pk)]
    others = [
        one
        for one, models in accounts.items()
        if one not in serving and Generation.objects.ready().of_models(models).open_to(one.pk).exists()
    ]
    if len(open_accounts) == len(serving) == 1 and _has_no_limit_but_its_pace(serving[0]):
        recent.remember(serving[0])
    return [*sorted(serving, key=lambda one: one.priority(model)), *others]


def _is_full(upstream: Upstream, *, lock: bool = False) -> bool:
    """Whether the account works on as many calls and tasks as it takes at the same time.

    With `lock`, other claims of this account wait until the transaction ends, so that none is counted twice.
    """
    if upstream.max_in_flight is None:
        return False
    if lock:
        Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
    return count_in_flight(upstream) >= upstream.max_in_flight


def count_in_flight(upstream: Upstream) -> int:
    """How many calls and tasks the account works on, those of the prompt helper included."""
    working = Generation.objects.in_flight().filter(upstream=upstream).count()
    return working + PromptHelp.objects.filter(upstream=upstream, status=HelpStatus.RUNNING).count()


def _models_with_room(upstream: Upstream, *, lock: bool = False) -> tuple[str, ...]:
    """The models that the account serves now, without those of which it works on as many as it may.

    `lock` as in `_is_full`.
    """
    models, limits = upstream.callable_models, upstream.in_flight_limits
    if not limits:
        return models
    if lock:
        Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
    limited = frozenset[str]().union(*(names for names, _most in limits))
    working = Generation.objects.in_flight().filter(upstream=upstream).of_models(limited)
    counted = Counter(working.values_list("model", flat=True))
    full = frozenset[str]().union(
        *(names for names, most in limits if sum(counted[name] for name in names) >= most)
    )
    return tuple(name for name in models if name not in full)


def _has_no_limit_but_its_pace(upstream: Upstream) -> bool:
    return upstream.max_in_flight is None and not upstream.in_flight_limits


def is_limited(upstream: Upstream, model: str) -> bool:
    """Whether the account takes so many at the same time only, in all or of this model."""
    return upstream.max_in_flight is not None or any(
        model in names for names, _most in upstream.in_flight_limits
    )


def _claim(upstream: Upstream) -> tuple[Generation | None, int | None]:
    """Claim a generation and add its attempt; and how many more are ready, if that was asked."""
    return _claim_at_once(upstream) or (_claim_with_locks(upstream), None)


def _claim_at_once(upstream: Upstream) -> tuple[Generation, int] | None:
    """Claim in one message, for an account that has no limit but its pace; None if that finds nothing."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return None
    if not _has_no_limit_but_its_pace(upstream):
        return None
    models = upstream.callable_models
    return claim_statement.claim_with_attempt(upstream, models, spool.WORKER, engine_leases.LEASE)


@transaction.atomic
def _claim_with_locks(upstream: Upstream) -> Generation | None:
    # Dozens of threads may wait for their slots with the account as it was: what a call has learnt since of
    # the account, of a system that is full, or of a model that is not there, holds for them too.
    if not (known := _closings.rows(pk=upstream.pk)):
        return None
    [(upstream.systems_blocked, upstream.closed_models)] = known
    row = claim(upstream=upstream, worker=spool.WORKER, lease=engine_leases.LEASE)
    if row:
        attempt = Attempt(generation=row, number=row.attempt, upstream=upstream, unit=upstream.unit)
        attempt.worker = spool.WORKER
        _attempt.run(attempt)
    return row
