"""Puts right what died, expired or was lost. Everything here may run twice, or on two machines at once."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.jobs import events
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import operator_actions, outcomes, persist, queue_position, spool
from generations.jobs.models import Attempt, Generation, Status
from generations.library.storage import client as storage_client
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

_looked_for: dict[uuid.UUID, float] = {}  # when, of this process

UNSERVED = timedelta(hours=24)
MOST_LOST = 50  # rows looked for at once
LOOKED_FOR_EVERY = 300.0  # seconds until a lost image is looked for again
ADOPTING = timedelta(minutes=2)  # for all that a dead worker left


def sweep() -> int:
    """Free dead workers' rows, end what nobody serves, tell places in line; how many to ring."""
    prepare_limiters()
    free_expired_leases()
    end_unserved()
    find_lost()
    events.places_changed(queue_position.waiting_by_person())
    return rings_wanted()


def prepare_limiters() -> None:
    """Begin the epoch of every account that has none, without a quiet window where nothing was called.

    Every call is written down before it is sent, so we know whether an account has been idle.
    """
    lately = timezone.now() - timedelta(minutes=5)  # far more than a window, and than clocks differ
    for upstream in Upstream.objects.open():
        called = Attempt.objects.filter(upstream__pace_account=upstream.pace_account, started_at__gt=lately)
        if not upstream.pace_account:
            called = called.filter(upstream=upstream)
        try:
            upstreams_rate_limit.prepare(upstream, idle=not called.exists())
        except RedisError as problem:
            log.warning("Redis is away, so nothing is called: %s", problem)
            return


def free_expired_leases() -> int:
    """Take back what a dead worker held, wherever it ran; how many rows."""
    expired = Generation.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    for row in expired:
        log.warning("The worker of generation %s is gone", row.pk)
        outcomes.interrupted(row)
    return len(expired)


def adopt() -> int:
    """Take over at once what dead workers of this machine left; how many rows."""
    with spool.abandoned() as workers:
        running = Generation.objects.filter(status=Status.RUNNING, worker__in=workers)
        running.update(lease_until=Now() + ADOPTING)  # or the other sweeper frees what we have not come to
        held = spool.unstored(workers)
        for row in sorted(running, key=lambda row: (row.pk, row.attempt) not in held):
            log.warning("Generation %s is taken over from %s", row.pk, row.worker)
            outcomes.interrupted(row)
        storing = Generation.objects.filter(status=Status.STORING, worker__in=workers)
        return len(running) + keep_the_found(workers) + storing.update(lease_until=Now())


def keep_the_found(workers: Iterable[str]) -> int:
    """Keep images of dead workers whose rows were put back in line before the spool was there; how many."""
    left = spool.unstored(workers)
    waiting = Generation.objects.filter(pk__in={pk for pk, _attempt in left}, status=Status.QUEUED)
    found = [row for row in waiting if (row.pk, row.attempt) in left and spool.read(row.pk, row.attempt)]
    return sum(outcomes.received(row, lease=timedelta()) for row in found)


def store_waiting() -> int:
    """Store images that wait in this machine's spool; how many were stored."""
    waiting = Generation.objects.filter(status=Status.STORING, lease_until__lt=Now())
    return sum(_take_and_store(row) for row in waiting if spool.read(row.pk, row.attempt))


def forget_ended(than: float = spool.KEPT) -> int:
    """Remove spooled images that came too late, or were marked by nobody, once their rows ended; how many."""
    left = spool.unstored(spool.workers(), than)
    ended = Generation.objects.filter(pk__in={pk for pk, _attempt in left}, ended_at__isnull=False)
    over = set(ended.values_list("pk", flat=True))
    forgotten = [(pk, attempt) for pk, attempt in left if pk in over]
    for pk, attempt in forgotten:
        spool.forget(pk, attempt)
    return len(forgotten)


def find_lost() -> int:
    """Close rows whose worker is lost with its spool, if it had uploaded their images; how many."""
    found = 0
    for row in operator_actions.lost()[:MOST_LOST]:
        if time.monotonic() - _looked_for.get(row.pk, -math.inf) > LOOKED_FOR_EVERY:
            _looked_for[row.pk] = time.monotonic()
            try:
                found += persist.find(row)
            except storage_client.StorageUnavailable as problem:
                log.warning("Generation %s could not be looked for in storage: %s", row.pk, problem)
    return found


def end_unserved() -> int:
    """Fail what nothing served for a day; how many."""
    late = Generation.objects.filter(status=Status.QUEUED, created_at__lt=Now() - UNSERVED)
    reason = _("No provider took this picture within 24 hours.")
    return sum(outcomes.end(row, Status.FAILED, reason, code="unserved") for row in late)


def keep_house() -> int:
    """What every worker does for its own machine, since nobody else sees its spool; how many to ring."""
    adopted = adopt()
    store_waiting()
    return adopted


def tidy() -> int:
    """Remove what this machine's spool need not keep any longer; how many attempts. Looks at every file."""
    return spool.forget_older() + forget_ended()


def rings_wanted() -> int:
    """One ring for each account that serves what is ready and whose next slot nobody waits for.

    Whoever claims rings for more; so this begins what has come to a stop.
    """
    ready = Generation.objects.ready()
    idle = [upstream for upstream in Upstream.objects.open() if ready.served_by(upstream).exists()]
    try:
        return sum(upstreams_rate_limit.is_idle(upstream) for upstream in idle)
    except RedisError as problem:
        log.warning("Redis is away, so nobody is rung: %s", problem)
        return 0


def _take_and_store(row: Generation) -> bool:
    mine = Generation.objects.filter(
        pk=row.pk, attempt=row.attempt, status=Status.STORING, lease_until__lt=Now()
    )
    if not mine.update(lease_until=Now() + engine_leases.LEASE, worker=spool.WORKER):
        return False
    about = log_context.bind(generation=str(row.pk), attempt=row.attempt)
    with about, engine_leases.keeping(row.pk, row.attempt):
        return persist.store(row)
