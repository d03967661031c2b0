"""Repairs that failed: one row must not end a sweep, and one that fails again and again is for operators.

`guarded` logs an exception of its block instead of raising it. What has failed MAX_QUIET times in a row in
this process is `reported`: logged as an error, and shown to operators through the worker's heartbeat.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError, connection

log = logging.getLogger(__name__)

MAX_QUIET = 3  # failures in a row after which operators are told
FORGOTTEN_AFTER = 3600.0  # seconds: what did not fail again ended in another way, or on another machine


@dataclass
class _Failing:
    count: int = 0
    problem: str = ""
    last_at: float = 0.0


_failing: dict[str, _Failing] = {}
_lock = threading.Lock()


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Log an exception of the block, and report it to operators the third time in a row.

    `what` says in a few words what is done, with the id of its row.
    """
    try:
        yield
    except Exception as problem:  # whatever it is, other rows go on
        _count(what, problem)
        if isinstance(problem, DatabaseError) and not connection.in_atomic_block:
            connection.close()
    else:
        with _lock:
            _failing.pop(what, None)


def reported() -> list[str]:
    """What failed at least MAX_QUIET times in a row in this process, with the last exception's type."""
    now = time.monotonic()
    with _lock:
        for what in [name for name, one in _failing.items() if now - one.last_at > FORGOTTEN_AFTER]:
            del _failing[what]
        return [f"{what} ({one.problem})" for what, one in _failing.items() if one.count >= MAX_QUIET]


def _count(what: str, problem: Exception) -> None:
    with _lock:
        one = _failing.setdefault(what, _Failing())
        one.count, one.problem, one.last_at = one.count + 1, type(problem).__name__, time.monotonic()
        count = one.count
    if count == MAX_QUIET:
        log.error("Failed %s times in a row: %s", count, what, exc_info=problem)
    else:
        log.warning("Failed: %s", what, exc_info=problem if count < MAX_QUIET else None)
