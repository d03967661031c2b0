"""Readiness of all that a generation needs: database, Redis, object storage, and space in the spool.

Results come within three seconds and are cached for one, so that frequent requests cause no further checks.
A check that hangs is waited for again, never started twice at the same time.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from redis import RedisError
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, ReadOnlyError

from generations.core import redis_client
from generations.jobs.engine import spool
from generations.library.storage import client as storage_client
from generations.upstreams import rate_limit

log = logging.getLogger(__name__)

TIMEOUT = 2.0  # seconds for all checks, which run at the same time
CACHED_FOR = 1.0  # seconds
LOCK_TIMEOUT = 3.0  # seconds


class NotReady(Exception):
    """What is wrong, in a few words, without a name or an address."""


@dataclass(frozen=True)
class Part:
    """The result of one check; `problem` is empty if it succeeded."""

    name: str
    seconds: float
    problem: str = ""


class Readiness:
    """Runs checks in threads and caches their results."""

    def __init__(
        self,
        checks: dict[str, Callable[[], None]],
        *,
        timeout: float = TIMEOUT,
        cached_for: float = CACHED_FOR,
    ) -> None:
        """`checks` raise NotReady, or return. `timeout` (of all checks) and `cached_for` are in seconds."""
        self.checks, self.timeout, self.cached_for = checks, timeout, cached_for
        self.running: dict[str, tuple[float, Future[Part]]] = {}
        self.cached: tuple[float, list[Part]] | None = None
        self.lock = threading.Lock()
        self.threads = ThreadPoolExecutor(len(checks), "readiness")

    def parts(self) -> list[Part]:
        """The result of every check, at most `cached_for` old."""
        if not self.lock.acquire(timeout=LOCK_TIMEOUT):
            return [Part(name, LOCK_TIMEOUT, "does not answer") for name in self.checks]
        try:
            if self.cached is None or time.monotonic() - self.cached[0] > self.cached_for:
                parts = self._check()
                self.cached = time.monotonic(), parts
            return self.cached[1]
        finally:
            self.lock.release()

    def _check(self) -> list[Part]:
        for name, check in self.checks.items():
            if name not in self.running or self.running[name][1].done():
                self.running[name] = time.monotonic(), self.threads.submit(_checked, name, check)
        wait([future for _since, future in self.running.values()], self.timeout)
        return [
            future.result()
            if future.done()
            else Part(name, time.monotonic() - since, f"no answer in {self.timeout:g} s")
            for name, (since, future) in self.running.items()
        ]


def _checked(name: str, check: Callable[[], None]) -> Part:
    began = time.monotonic()
    try:
        check()
    except NotReady as problem:
        return Part(name, time.monotonic() - began, str(problem))
    except Exception:  # the request must get a response
        log.exception("%s could not be checked", name)
        return Part(name, time.monotonic() - began, "could not be checked")
    return Part(name, time.monotonic() - began)


def _database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except (DatabaseError, OSError) as problem:
        raise NotReady("does not answer") from problem
    finally:
        connection.close()


def check_redis() -> None:
    """NotReady unless Redis takes a write, and allows what the rate limiter asks for."""
    try:
        redis_client.client(1.0).set("readyz", 1, ex=60)
        knows_restarts = rate_limit.can_tell_restarts()
    except OutOfMemoryError as problem:
        raise NotReady("takes no writes: its memory is full (maxmemory)") from problem
    except ReadOnlyError as problem:
        raise NotReady("takes no writes: it is a read-only replica") from problem
    except NoPermissionError as problem:
        raise NotReady("gives its user too few rights") from problem
    except AuthenticationError as problem:
        raise NotReady("refuses its user or password") from problem
    except RedisError as problem:
        if str(problem).startswith("MISCONF"):
            raise NotReady("takes no writes: it cannot write to its disk") from problem
        raise NotReady("does not answer") from problem
    if not knows_restarts:
        raise NotReady("gives its user neither INFO nor OBJECT, so nobody is called")


def check_storage() -> None:
    """NotReady unless object storage answers and has our bucket."""
    if not storage_client.is_up():
        raise NotReady("does not answer, or has no bucket for pictures")


def _spool() -> None:
    folder = Path(settings.SPOOL)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        raise NotReady("cannot be written to") from problem
    if free <= spool.MIN_FREE_BYTES:
        raise NotReady("is nearly full")


portal = Readiness({"database": _database, "redis": check_redis, "storage": check_storage, "spool": _spool})
