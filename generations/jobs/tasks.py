"""Doorways: a task brings no work and decides nothing."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.db import DatabaseError, connection
from kombu.exceptions import OperationalError
from redis.exceptions import LockNotOwnedError

from generations.core import redis_client
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import heartbeats, sweeper
from generations.jobs.engine import run as engine_run
from generations.upstreams import accounts

log = logging.getLogger(__name__)

SWEEPER = "sdweb:sweeper"  # the lock in Redis that one sweeper holds
HOUSEKEEPING = 2.0  # seconds between two looks
IN_A_ROW = 600.0  # seconds after which a ring is answered, and hands on to another
TIDYING = 15  # looks from one tidying to the next: at a full engine the spool has thousands of files

_ringer = ThreadPoolExecutor(1, "doorbell")
_about_to_ring = threading.Event()


@shared_task(name="generations.jobs.tasks.ring")
def ring() -> None:
    """Run the fairest waiting generation that an upstream has a slot for, and again while there is one.

    A message for each would cost more than all the rest of our work on it.
    """
    until = time.monotonic() + IN_A_ROW
    while time.monotonic() < until:
        claim, successors = engine_claim.claim_next()
        ring_soon(successors)
        if claim is None:
            return
        engine_run.run(claim)
    ring_soon(1)


@shared_task(name="generations.jobs.tasks.sweep")
def sweep() -> None:
    """Put right what died, expired or was lost, and ring for what waits; one sweeper at a time."""
    alone = redis_client.client().lock(SWEEPER, timeout=20, blocking=False)
    if alone.acquire():
        try:
            ring_soon(sweeper.sweep())
        finally:
            with contextlib.suppress(LockNotOwnedError):  # a sweep so slow that another may begin
                alone.release()


@shared_task(name="generations.jobs.tasks.ask_balances")
def ask_balances() -> None:
    """Ask every provider account what is left there."""
    accounts.update_balances()


@worker_ready.connect
def look_after_this_machine(**_: object) -> None:
    """Take over what dead workers of this machine left, now and as long as this worker runs."""
    threading.Thread(target=_keep_house, name="housekeeping", daemon=True).start()


@worker_shutting_down.connect
def claim_nothing_more(**_: object) -> None:
    """What runs is finished; what waits is for others."""
    engine_claim.stopping.set()


@worker_shutdown.connect
def leave_the_list(**_: object) -> None:
    """A worker that was stopped is not missed."""
    heartbeats.leave()


def ring_soon(times: int) -> None:
    """Ring without making anybody wait: a bell that Redis does not take is rung again by the sweeper."""
    if times > 0:
        _ringer.submit(_ring, times)


def ring_once() -> None:
    """As above, for what was committed just now: a ring that is about to leave tells of it too."""
    if not _about_to_ring.is_set():
        _about_to_ring.set()
        _ringer.submit(_ring_for_all)


def _ring_for_all() -> None:
    _about_to_ring.clear()  # before it leaves: whoever comes meanwhile may be too late for this one
    _ring(1)


def _ring(times: int) -> None:
    try:
        for _ in range(times):
            ring.delay()
    except OperationalError as problem:
        log.warning("Redis did not take a ring; the sweeper will ring again: %s", problem)


def _keep_house() -> None:
    for look in itertools.count():
        try:
            ring_soon(sweeper.keep_house())
            heartbeats.report()
            if look % TIDYING == 0:
                sweeper.tidy()
        except (DatabaseError, OSError):
            log.exception("Housekeeping failed, and is tried again")
        connection.close()
        time.sleep(HOUSEKEEPING)
