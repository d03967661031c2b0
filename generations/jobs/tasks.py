"""Celery tasks of jobs, and the threads of a worker. Tasks take no arguments: state is in the database."""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from kombu.exceptions import OperationalError
from redis import RedisError
from redis.exceptions import LockNotOwnedError

from generations.core import memory, redis_client
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import heartbeats, pollers, sweeper
from generations.jobs.engine import prompt_help as engine_prompt_help
from generations.jobs.engine.callers import Callers
from generations.jobs.engine.failures import guarded
from generations.upstreams import accounts

log = logging.getLogger(__name__)

SWEEPER = "sdweb:sweeper"  # the Redis lock of the one sweep that runs
UPKEEP_INTERVAL = 2.0  # seconds
GC_THRESHOLDS = (10_000, 20, 20)  # new objects until a collection, and collections until an older one
CLEAN_EVERY = 15  # rounds of upkeep: at full speed the spool has thousands of files
TRIM_EVERY = 5  # rounds of upkeep: it takes 2 ms after many pictures, else nothing

_sender = ThreadPoolExecutor(1, "wake-workers")
_wake_pending = threading.Event()
_callers = Callers()


@shared_task(name="generations.jobs.tasks.ring")
def wake_worker() -> None:
    """Celery task: claim and run ready generations until there are none, with further threads if needed."""
    _callers.work(wake_workers)


@shared_task(name="generations.jobs.tasks.sweep")
def sweep() -> None:
    """Celery task: repair what crashed or expired, and wake workers for what waits; one sweep at a time."""
    lock = redis_client.client().lock(SWEEPER, timeout=20, blocking=False)
    if lock.acquire():
        try:
            wake_workers(sweeper.sweep())
            with guarded("end calls of the prompt helper"):
                wake_prompt_help(engine_prompt_help.sweep())
        finally:
            with contextlib.suppress(LockNotOwnedError):  # the sweep took longer than the lock's timeout
                lock.release()


@shared_task(name="generations.jobs.tasks.help_with_prompts")
def help_with_prompts() -> None:
    """Celery task: make calls of the prompt helper until none is ready or no account has a slot."""
    while engine_prompt_help.run_next():
        pass


@shared_task(name="generations.jobs.tasks.forget_prompt_help")
def forget_prompt_help() -> None:
    """Celery task: blank prompts and answers of the prompt helper that are a day old."""
    engine_prompt_help.forget()


@shared_task(name="generations.jobs.tasks.ask_balances")
def ask_balances() -> None:
    """Celery task: ask every provider account for its balance."""
    accounts.update_balances()


@worker_ready.connect
def allow_callers(sender: Any, **_: object) -> None:
    """Let this worker start threads for calls itself, as many as its option `-c` says."""
    _callers.allow(sender.pool.limit)


@worker_ready.connect
def leave_out_what_stays(**_: object) -> None:
    """Have garbage collections pass over all that was imported, which stays.

    A full one stops every thread for 90 ms otherwise, and comes every ten seconds at full speed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


@worker_ready.connect
def start_upkeep(**_: object) -> None:
    """Start the threads that recover spooled images, send heartbeats and poll tasks."""
    threading.Thread(target=_upkeep, name="upkeep", daemon=True).start()
    pollers.start(ended=wake_after_commit)


@worker_shutting_down.connect
def stop_claiming(**_: object) -> None:
    """Finish running calls and claim nothing more."""
    engine_claim.stopping.set()


@worker_shutdown.connect
def remove_heartbeat(**_: object) -> None:
    """Finish calls, bring to safety what is in memory alone, and leave the list of workers."""
    _callers.stop()
    pollers.stop()
    with guarded("store images that the spool refused"):
        sweeper.store_refused()
    heartbeats.remove()


def wake_workers(count: int) -> None:
    """Send `count` wake-up messages from another thread; the sweeper sends them if Redis is unreachable."""
    if count > 0:
        _sender.submit(_send, count)


def wake_prompt_help(count: int = 1) -> None:
    """Send so many messages that make a worker look for calls of the prompt helper, from another thread."""
    if count > 0:
        _sender.submit(_send, count, help_with_prompts)


def wake_after_commit() -> None:
    """Send one wake-up message for what was just committed, unless one is about to be sent."""
    if not _wake_pending.is_set():
        _wake_pending.set()
        _sender.submit(_send_pending)


def _send_pending() -> None:
    _wake_pending.clear()  # before sending: what is committed from now on needs another message
    _send(1)


def _send(count: int, task: Any = wake_worker) -> None:
    try:
        for _ in range(count):
            task.delay()
    except (OperationalError, RedisError) as problem:  # away, or it takes no writes
        log.warning("Redis took no wake-up message; the sweeper will send one: %s", problem)


def _upkeep() -> None:
    """Do the rounds of upkeep until the process ends; nothing that happens in one ends the thread."""
    for count in itertools.count():
        try:
            upkeep_round(count)
        except BaseException:  # the thread that saves paid images must not die
            log.exception("Upkeep was interrupted and goes on")
        time.sleep(UPKEEP_INTERVAL)


def upkeep_round(count: int) -> None:
    """One round of upkeep, the `count`-th: each part is guarded, so that one that fails stops no other."""
    try:
        with guarded("recover and store images"):
            wake_workers(sweeper.recover_and_store())
        with guarded("send the heartbeat"):
            heartbeats.send()
        if count % CLEAN_EVERY == 0:
            with guarded("clean the spool"):
                sweeper.clean_spool()
        if count % TRIM_EVERY == 0:
            memory.give_back()
    finally:
        engine_claim.release_connection()
