"""Repair after crashes: expired leases, images of dead workers, generations that are not being served.

Everything here may run twice, or on two machines at once. Each step and each row is guarded: one that fails
is tried again in the next sweep, and does not keep others waiting.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.core.prepared_queries import Param, PreparedQuery
from generations.jobs import events
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import outcomes, persist, poll, queue_position, spool, transitions
from generations.jobs.engine.failures import guarded
from generations.jobs.models import Attempt, Generation, Status
from generations.library.storage import client as storage_client
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

_unleased = PreparedQuery(lambda: Generation.objects.filter(status=Status.STORING, lease_until__lte=Now()))
_open = PreparedQuery(Upstream.objects.open)
_called = PreparedQuery(lambda: _since(upstream=Param("upstream")))
_called_at_pace = PreparedQuery(lambda: _since(upstream__pace_account=Param("pace")))
_some_unfinished = PreparedQuery(lambda: Generation.objects.unfinished().values_list("pk")[:1])
_looked_for: dict[uuid.UUID, float] = {}  # generation: when this process last searched storage for it

UNSERVED_AFTER = timedelta(hours=24)
LOST_AT_ONCE = 50  # lost generations searched for in one sweep
LOOK_INTERVAL = 300.0  # seconds until storage is searched again for the same generation
RECOVERY_LEASE = timedelta(minutes=2)  # for all generations of a dead worker


def sweep() -> int:
    """Settle expired leases, fail unserved generations, send queue positions; how many workers to wake."""
    with guarded(f"sweep: {prepare_rate_limits.__name__}"):
        prepare_rate_limits()
    if not _some_unfinished.rows():
        return 0  # all that follows is about these
    steps: tuple[Callable[[], object], ...] = (
        settle_expired_leases,
        fail_unserved,
        fail_without_account,
        find_lost_images,
        send_positions,
    )
    for step in steps:
        with guarded(f"sweep: {step.__name__}"):
            step()
    return wakes_needed()


def prepare_rate_limits() -> None:
    """Start the rate limit of every open account that has none in Redis (new, or emptied).

    Without an initial pause if the account was idle: every call is in the database before it is sent.
    """
    since = timezone.now() - timedelta(minutes=5)  # far more than a window, or than clocks differ
    for upstream in _open.all():
        if pace := upstream.pace_account:
            called = _called_at_pace.rows(pace=pace, since=since)
        else:
            called = _called.rows(upstream=upstream.pk, since=since)
        try:
            upstreams_rate_limit.prepare(upstream, idle=not called)
        except RedisError as error:
            log.warning("Redis is unreachable, so no provider is called: %s", error)
            return


def _since(**account: Param) -> QuerySet[Attempt, Any]:
    """Whether this account, or those that share its pace, were called."""
    called = Attempt.objects.filter(started_at__gt=Param("since", DateTimeField()), **account)
    return called.values_list("pk")[:1]


def settle_expired_leases() -> int:
    """Settle running generations whose lease expired, because their worker died or hangs; how many."""
    expired = Generation.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    for row in expired:
        log.warning("The lease of generation %s expired", row.pk)
        with guarded(f"settle generation {row.pk}, whose lease expired"):
            outcomes.settle_interrupted(row)
    return len(expired)


def recover() -> int:
    """Settle what dead workers of this machine left, without waiting for leases; how many generations."""
    with spool.lock_dead_workers() as workers:
        if not workers:
            return 0
        running = Generation.objects.filter(status=Status.RUNNING, worker__in=workers)
        running.update(lease_until=Now() + RECOVERY_LEASE)  # so that no sweeper settles them meanwhile
        held = spool.unstored_attempts(workers)
        for row in sorted(running, key=lambda row: (row.pk, row.attempt) not in held):
            log.warning("Generation %s is recovered from worker %s", row.pk, row.worker)
            with guarded(f"recover generation {row.pk} from a worker that died"):
                outcomes.settle_interrupted(row)
        poll.release_of(workers)
        storing = Generation.objects.filter(status=Status.STORING, worker__in=workers)
        requeued = use_spooled(spool.unstored_attempts(workers))
        return len(running) + requeued + storing.update(lease_until=Now())


def use_spooled(attempts: Collection[tuple[uuid.UUID, int]]) -> int:
    """Use these images in the spool whose generations wait, in the queue or as tasks; how many generations.

    In the queue also images of earlier attempts, which came late. A task that is under way brings its own.
    """
    numbers: dict[uuid.UUID, list[int]] = defaultdict(list)
    for pk, number in attempts:
        numbers[pk].append(number)
    states = [Status.QUEUED, Status.SUBMITTED]
    waiting = Generation.objects.filter(pk__in=numbers, status__in=states) if numbers else ()
    return sum(_use_spooled(row, numbers[row.pk]) for row in waiting)


def _use_spooled(row: Generation, numbers: list[int]) -> bool:
    with guarded(f"use the spooled image of generation {row.pk}, which waits again"):
        for number in sorted(numbers, reverse=True):
            if number == row.attempt and spool.read(row.pk, number):
                return outcomes.mark_received(row, lease=engine_leases.ENDED)
            if number < row.attempt and row.status == Status.QUEUED and spool.read(row.pk, number):
                return outcomes.use_earlier_attempt(row, number, lease=engine_leases.ENDED)
    return False


def store_spooled() -> int:
    """Store images in this machine's spool that no living worker is storing; how many."""
    stored = 0
    for row in _unleased.all():
        with guarded(f"store the image of generation {row.pk} from the spool"):
            stored += bool(spool.read(row.pk, row.attempt)) and _lease_and_store(row)
    return stored


def store_refused() -> int:
    """Bring to safety what the disk refused and this process holds in memory; how many attempts are left."""
    for pk, attempt in spool.in_memory():
        for row in Generation.objects.filter(pk=pk, attempt=attempt, status=Status.STORING):
            with guarded(f"store the image of generation {pk}, which the spool refused"):
                persist.store(row)
    with suppress(OSError):  # it still refuses; the images stay in memory
        spool.write_refused()
    return len(spool.in_memory())


def delete_unneeded(older_than: float = spool.KEPT_AFTER_STORING) -> int:
    """Delete unstored images of generations that have ended without them; how many attempts."""
    left = spool.unstored_attempts(spool.worker_names(), older_than)
    ended = Generation.objects.filter(pk__in={pk for pk, _attempt in left}, ended_at__isnull=False)
    finished = set(ended.values_list("pk", flat=True))
    unneeded = [(pk, attempt) for pk, attempt in left if pk in finished]
    for pk, attempt in unneeded:
        spool.delete(pk, attempt)
    return len(unneeded)


def find_lost_images() -> int:
    """Complete generations whose worker is lost with its spool, if their images were uploaded; how many."""
    found = 0
    for row in Generation.objects.lost()[:LOST_AT_ONCE]:
        if time.monotonic() - _looked_for.get(row.pk, -math.inf) > LOOK_INTERVAL:
            _looked_for[row.pk] = time.monotonic()
            with guarded(f"search storage for the image of generation {row.pk}"):
                found += _find_in_storage(row)
    return found


def fail_unserved() -> int:
    """Fail generations that have waited for 24 hours; how many."""
    failed, reason = 0, _("No provider took this picture within 24 hours.")
    for row in Generation.objects.filter(status=Status.QUEUED, created_at__lt=Now() - UNSERVED_AFTER):
        with guarded(f"fail generation {row.pk}, which nobody took within 24 hours"):
            failed += transitions.end_uncharged(row, Status.FAILED, reason, code="unserved")
    return failed


def fail_without_account() -> int:
    """Fail waiting generations of models that no enabled account has at the moment; how many."""
    failed, models = 0, accounts.models_closed_everywhere()
    if models:
        for row in Generation.objects.filter(status=Status.QUEUED, model__in=models):
            with guarded(f"fail generation {row.pk}, whose model no account has"):
                failed += transitions.fail_without_account(row)
    return failed


def send_positions() -> None:
    """Send their queue positions to the pages of those who wait."""
    events.positions_changed(queue_position.positions_by_user())


def recover_and_store() -> int:
    """Recover and store what is in this machine's spool, which no other machine sees; how many to wake."""
    recovered = 0
    with guarded("recover what workers of this machine left that died"):
        recovered = recover()
    with guarded("use images that came late"):
        use_spooled(spool.own_unstored())
    with guarded("store images from the spool"):
        store_spooled()
    with guarded("store images that the spool refused"):
        store_refused()
    return recovered


def clean_spool() -> int:
    """Delete what this machine's spool no longer needs; how many attempts. Reads every folder."""
    return spool.delete_stored() + delete_unneeded()


def wakes_needed() -> int:
    """How many workers to wake: one for each idle account that serves a ready generation.

    Each claim wakes further workers, so this only restarts what has stopped.
    """
    ready = Generation.objects.ready()
    wanted = [upstream for upstream in Upstream.objects.open() if ready.served_by(upstream).exists()]
    try:
        return sum(upstreams_rate_limit.is_idle(upstream) for upstream in wanted)
    except RedisError as error:
        log.warning("Redis is unreachable, so no worker is woken: %s", error)
        return 0


def _find_in_storage(row: Generation) -> bool:
    try:
        return persist.find_in_storage(row)
    except storage_client.StorageUnavailable as error:
        log.warning("Storage could not be searched for generation %s: %s", row.pk, error)
        return False


def _lease_and_store(row: Generation) -> bool:
    unleased = Generation.objects.filter(
        pk=row.pk, attempt=row.attempt, status=Status.STORING, lease_until__lte=Now()
    )
    if not unleased.update(lease_until=Now() + engine_leases.LEASE, worker=spool.WORKER):
        return False
    about = log_context.bind(generation=str(row.pk), attempt=row.attempt)
    with about, engine_leases.renewing(row.pk, row.attempt):
        return persist.store(row)
