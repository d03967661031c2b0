"""Which rows this process works on: their leases are renewed until it lets go, or dies."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Now

from generations.jobs.models import Generation, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
RENEWED_EVERY = 5.0
CALL_LIMIT = 120.0  # seconds a call may take in all
LONGEST = CALL_LIMIT + 30.0  # then a lease is no longer renewed: its thread must be stuck

_lock = threading.Lock()
_held: dict[tuple[uuid.UUID, int], float] = {}
_keeper: threading.Thread | None = None


@contextmanager
def keeping(generation: uuid.UUID, attempt: int) -> Iterator[None]:
    """Renew the lease of a claimed row while the block runs."""
    _start_keeper()
    with _lock:
        _held[generation, attempt] = time.monotonic()
    try:
        yield
    finally:
        with _lock:
            _held.pop((generation, attempt), None)


def renew() -> int:
    """Renew what this process holds, in one statement; how many rows were still its own."""
    now = time.monotonic()
    with _lock:
        mine = [key for key, since in _held.items() if now - since < LONGEST]
    if not mine:
        return 0
    rows = Q()
    for pk, attempt in mine:
        rows |= Q(pk=pk, attempt=attempt)
    working = Generation.objects.filter(rows, status__in=[Status.RUNNING, Status.STORING])
    return working.update(lease_until=Now() + LEASE)


def is_ours(row: Generation) -> bool:
    """Whether the claim still stands; its lease then begins anew."""
    mine = Generation.objects.filter(pk=row.pk, attempt=row.attempt, status=Status.RUNNING)
    return mine.update(lease_until=Now() + LEASE) == 1


def _start_keeper() -> None:
    global _keeper  # noqa: PLW0603  one thread per process, made when there is first something to keep
    with _lock:
        if _keeper is None or not _keeper.is_alive():
            _keeper = threading.Thread(target=_keep, name="leases", daemon=True)
            _keeper.start()


def _keep() -> None:
    while True:
        time.sleep(RENEWED_EVERY)
        try:
            renew()
        except DatabaseError:
            log.exception("Leases were not renewed; they are tried again in %.0f s", RENEWED_EVERY)
            connection.close()
