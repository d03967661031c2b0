"""The threads of this worker that claim generations and call providers.

A message of Celery wakes one. That one starts others itself while more is ready: sent, received and
acknowledged, a message for each picture cost a third of a worker's time (docs/decisions/worker-cost.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections

from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import run as engine_run

log = logging.getLogger(__name__)

MAX_SECONDS = 600.0  # after which a thread ends and wakes another worker
TELL_INTERVAL = 1.0  # seconds between two messages to other workers while more is ready

Wake = Callable[[int], None]  # sends so many messages, each of which wakes a worker


class Callers:
    """Counts the threads of this process that work, and starts further ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._limit = self._working = 0
        self._told_at = 0.0
        self._recent = engine_claim.RecentAccount()

    def allow(self, limit: int) -> None:
        """Allow so many threads, those of messages included. Before, each thread needs a message."""
        with self._lock:
            self._limit, self._pool = limit, ThreadPoolExecutor(limit, "calls")

    def stop(self) -> None:
        """Start no more threads, and wait for the calls of those that were started here."""
        with self._lock:
            pool, self._pool, self._limit = self._pool, None, 0
        if pool:
            pool.shutdown()

    def work(self, wake: Wake) -> None:
        """Claim and run ready generations until there are none; at once if as many threads work as may.

        Each of those claims again after its call, so that nothing is missed.
        """
        with self._lock:
            if self._pool and self._working >= self._limit:
                return
            self._working += 1
        self._serve(wake)

    def _serve(self, wake: Wake) -> None:
        try:
            until = time.monotonic() + MAX_SECONDS
            while time.monotonic() < until:
                claim, more = engine_claim.claim_next(self._recent)
                self._start(more, wake)
                if claim is None:
                    return
                engine_run.run(claim)
            wake(1)
        finally:
            with self._lock:
                self._working -= 1

    def _start(self, count: int, wake: Wake) -> None:
        """Start so many threads here, and wake other workers for those that there is no room for.

        While more is ready others are told once a second all the same, since this one may be the slower.
        """
        with self._lock:
            here = min(count, max(0, self._limit - self._working)) if self._pool else 0
            for _ in range(here):
                assert self._pool
                self._pool.submit(self._started, wake)
            self._working += here
            tell = here > 0 and time.monotonic() - self._told_at > TELL_INTERVAL
            if tell:
                self._told_at = time.monotonic()
        wake(count - here + tell)

    def _started(self, wake: Wake) -> None:
        close_old_connections()
        try:
            self._serve(wake)
        except Exception:  # as Celery does with a task; the sweeper wakes a worker for what is ready
            log.exception("A thread that calls providers failed")
        finally:
            engine_claim.release_connection()
            close_old_connections()
