"""Leases of the generations that this process works on, renewed until the work ends or the process dies."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models import DurationField
from django.db.models.functions import Now

from generations.core.prepared_queries import Param
from generations.core.prepared_writes import PreparedUpdate
from generations.jobs.models import Generation, Status

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
ENDED = -timedelta(milliseconds=1)  # a lease that is given up; the clock of SQLite has milliseconds
RENEW_INTERVAL = 5.0  # seconds
RENEWED_AT_ONCE = 40  # in one UPDATE: psycopg parses one of more than 50 parameters anew each time
CALL_TIMEOUT = 120.0  # seconds for a whole call to a provider, where its model does not say
EXTRA_SECONDS = (
    30.0  # after these and the call's own a lease is not renewed any more: its thread must be stuck
)

_renewal = PreparedUpdate(
    lambda: Generation.objects.filter(
        attempt=Param("attempt"),
        pk__in=[Param(f"pk{number}") for number in range(RENEWED_AT_ONCE)],
        status__in=[Status.RUNNING, Status.STORING],
    ),
    lease_until=Now() + Param("lease", DurationField()),
)
_lock = threading.Lock()
_held: dict[tuple[uuid.UUID, int], float] = {}  # (generation, attempt): until when it is renewed
_renewer: threading.Thread | None = None


@contextmanager
def renewing(generation: uuid.UUID, attempt: int, seconds: float = CALL_TIMEOUT) -> Iterator[None]:
    """Renew the lease of a claimed generation while the block runs, which takes that long at most."""
    _start_renewer()
    with _lock:
        _held[generation, attempt] = time.monotonic() + seconds + EXTRA_SECONDS
    try:
        yield
    finally:
        with _lock:
            _held.pop((generation, attempt), None)


def renew_all() -> int:
    """Renew the leases of this process; the number of generations that it still holds."""
    now = time.monotonic()
    held = defaultdict(list)
    with _lock:
        for (pk, attempt), until in _held.items():
            if now < until:
                held[attempt].append(pk)
    return sum(_renew(attempt, pks) for attempt, pks in held.items())


def count_held() -> int:
    """The number of generations that this process works on."""
    with _lock:
        return len(_held)


def _renew(attempt: int, pks: list[uuid.UUID]) -> int:
    """Renew the leases of generations in this attempt; how many are still held.

    One statement for any number: it has the same parameters always, the last row again for those too many.
    """
    renewed = 0
    for start in range(0, len(pks), RENEWED_AT_ONCE):
        piece = pks[start : start + RENEWED_AT_ONCE]
        piece += piece[-1:] * (RENEWED_AT_ONCE - len(piece))
        named = {f"pk{number}": pk for number, pk in enumerate(piece)}
        renewed += _renewal.run(attempt=attempt, lease=LEASE, **named)
    return renewed


def renew_if_held(row: Generation) -> bool:
    """Renew the lease of a running generation; False if it was given to another worker."""
    held = Generation.objects.filter(pk=row.pk, attempt=row.attempt, status=Status.RUNNING)
    return held.update(lease_until=Now() + LEASE) == 1


def _start_renewer() -> None:
    global _renewer  # noqa: PLW0603  one thread per process, started with the first lease
    with _lock:
        if _renewer is None or not _renewer.is_alive():
            _renewer = threading.Thread(target=_renew_forever, name="leases", daemon=True)
            _renewer.start()


def _renew_forever() -> None:
    while True:
        time.sleep(RENEW_INTERVAL)
        try:
            renew_all()
        except Exception:  # whatever it is, the calls of this worker must not be given to others
            log.exception("Leases were not renewed; next try in %.0f s", RENEW_INTERVAL)
            connection.close()
