"""Whether all that a picture needs is there: database, Redis, object storage, and room in the spool.

Answers come within three seconds and are good for one, so that asking often asks nobody else. A
part that hangs is asked once and waited for again, never twice at the same time.
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

from generations.core import redis_client
from generations.jobs.engine import spool
from generations.library.storage import client as storage_client

log = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds for all parts, which are asked at the same time
GOOD_FOR = 1.0
LONGEST = 3.0


class NotReady(Exception):
    """Says in a few words, without a name or an address, what is wrong."""


@dataclass(frozen=True)
class Part:
    """One thing that a picture needs; `problem` is empty if it is there."""

    name: str
    seconds: float
    problem: str = ""


class Readiness:
    """Asks each part, remembers the answers for a moment."""

    def __init__(
        self, checks: dict[str, Callable[[], None]], *, patience: float = PATIENCE, good_for: float = GOOD_FOR
    ) -> None:
        """`checks` raise NotReady, or return; times are seconds, `patience` that of each question."""
        self.checks, self.patience, self.good_for = checks, patience, good_for
        self.asked: dict[str, tuple[float, Future[Part]]] = {}
        self.known: tuple[float, list[Part]] | None = None
        self.lock = threading.Lock()
        self.threads = ThreadPoolExecutor(len(checks), "readiness")

    def parts(self) -> list[Part]:
        """How every part is now, or was a moment ago."""
        if not self.lock.acquire(timeout=LONGEST):
            return [Part(name, LONGEST, "does not answer") for name in self.checks]
        try:
            if self.known is None or time.monotonic() - self.known[0] > self.good_for:
                parts = self._ask()
                self.known = time.monotonic(), parts
            return self.known[1]
        finally:
            self.lock.release()

    def _ask(self) -> list[Part]:
        for name, check in self.checks.items():
            if name not in self.asked or self.asked[name][1].done():
                self.asked[name] = time.monotonic(), self.threads.submit(_checked, name, check)
        wait([answer for _since, answer in self.asked.values()], self.patience)
        return [
            answer.result()
            if answer.done()
            else Part(name, time.monotonic() - since, f"no answer in {self.patience:g} s")
            for name, (since, answer) in self.asked.items()
        ]


def _checked(name: str, check: Callable[[], None]) -> Part:
    began = time.monotonic()
    try:
        check()
    except NotReady as problem:
        return Part(name, time.monotonic() - began, str(problem))
    except Exception:  # whoever asks gets an answer
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


def _redis() -> None:
    try:
        redis_client.client(1.0).ping()
    except RedisError as problem:
        raise NotReady("does not answer") from problem


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


portal = Readiness({"database": _database, "redis": _redis, "storage": check_storage, "spool": _spool})
