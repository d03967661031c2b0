"""Orders whose answer has not reached the client: the same request of the same token joins them.

Clients repeat a request whose connection broke, whose time was over, or which a restart of the portal cut
off. Most of them send no Idempotency-Key. Without this they would buy a second image beside one that is drawn
and paid for. An order is recorded with its generations and deleted once its answer was delivered, so a
process that is killed forgets nothing. While a call waits for it, nobody joins: the same request twice at
once, or again after an answer, is two orders.

Whether a call waits is known in its own process; others know it by a lease, which that process renews.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from generations.api.models import UndeliveredOrder
from generations.jobs.models import Batch
from generations.teams.models import Token

log = logging.getLogger(__name__)

JOINED_FOR = timedelta(minutes=10)  # since the last call that waited for it
LEASE = timedelta(seconds=8)
RENEW_INTERVAL = 2.0  # seconds
RENEWED_AT_ONCE = 500  # in one UPDATE: SQLite takes conditions of up to 1,000 terms

_lock = threading.Lock()
_waiting: set[uuid.UUID] = set()  # calls of this process
_renewer: threading.Thread | None = None


class Undecided(Exception):
    """Another process may still wait for an equal order, or was killed: look again in a moment."""


@dataclass(frozen=True)
class Delivery:
    """What one call has to deliver: the batch, and the row that is there until it did."""

    batch: uuid.UUID
    row: uuid.UUID
    call: uuid.UUID


class Search:
    """The search of one request for an order to join."""

    def __init__(self, token: Token, fingerprint: str) -> None:
        self._rows = UndeliveredOrder.objects.filter(token=token, fingerprint=fingerprint)
        self._first: dict[uuid.UUID, datetime] | None = None  # the leases at the first look

    def take(self) -> Delivery | None:
        """Take over the oldest order that no call waits for; None if there is none.

        Each is taken once, so that of two repeated requests each gets its own order.
        Raises Undecided, for at most the time of a lease: until then each lease has ended or was renewed.
        """
        leases: dict[uuid.UUID, datetime] = {}
        rows = self._rows.filter(held_until__gte=Now() - JOINED_FOR).annotate(is_over=Q(held_until__lt=Now()))
        for row in rows.order_by("pk"):
            if is_waiting(row.call):
                continue
            if not row.is_over:
                leases[row.pk] = row.held_until
            elif delivery := _take_over(row):
                return delivery
        if self._first is None:
            self._first = leases
        if leases.items() & self._first.items():
            raise Undecided
        return None


def record(token: Token, fingerprint: str, submit: Callable[[], Batch]) -> tuple[Batch, Delivery]:
    """Submit an order and record that it is undelivered, in one transaction. Raises what `submit` raises."""
    call = _begin()
    try:
        with transaction.atomic():
            batch = submit()
            row = UndeliveredOrder.objects.create(
                token=token, fingerprint=fingerprint, batch=batch.pk, call=call, held_until=Now() + LEASE
            )
    except BaseException:
        _end(call)
        raise
    return batch, Delivery(batch.pk, row.pk, call)


def delivered(delivery: Delivery) -> None:
    """Delete the record: the client has its answer."""
    try:
        _row(delivery).delete()
    finally:
        _end(delivery.call)


def lost(delivery: Delivery) -> None:
    """Let the next equal request join: the client did not get the answer."""
    _end(delivery.call)
    _row(delivery).update(held_until=Now())


def delete_expired() -> int:
    """Delete records that nobody can join any more; return their number."""
    return UndeliveredOrder.objects.filter(held_until__lt=Now() - JOINED_FOR).delete()[0]


def is_waiting(call: uuid.UUID) -> bool:
    """Whether it is a call of this process that waits for its order."""
    with _lock:
        return call in _waiting


def renew_all() -> None:
    """Renew the leases of the calls of this process."""
    with _lock:
        calls = list(_waiting)
    for start in range(0, len(calls), RENEWED_AT_ONCE):
        rows = UndeliveredOrder.objects.filter(call__in=calls[start : start + RENEWED_AT_ONCE])
        rows.update(held_until=Now() + LEASE)


def _take_over(row: UndeliveredOrder) -> Delivery | None:
    delivery = Delivery(row.batch, row.pk, _begin())
    free = UndeliveredOrder.objects.filter(pk=row.pk, call=row.call, held_until__lt=Now())
    if free.update(call=delivery.call, held_until=Now() + LEASE):
        return delivery
    _end(delivery.call)
    return None


def _row(delivery: Delivery) -> QuerySet[UndeliveredOrder]:
    return UndeliveredOrder.objects.filter(pk=delivery.row, call=delivery.call)


def _begin() -> uuid.UUID:
    """The id of a call that waits from now on."""
    global _renewer  # noqa: PLW0603  one thread per process, started with the first call
    call = uuid.uuid4()
    with _lock:
        _waiting.add(call)
        if _renewer is None:
            _renewer = threading.Thread(target=_renew_forever, name="undelivered", daemon=True)
            _renewer.start()
    return call


def _end(call: uuid.UUID) -> None:
    with _lock:
        _waiting.discard(call)


def _renew_forever() -> None:
    while True:
        time.sleep(RENEW_INTERVAL)
        try:
            renew_all()
        except Exception:  # whatever it is, other processes must not take these calls for lost
            log.exception("Leases of waiting calls were not renewed; next try in %.0f s", RENEW_INTERVAL)
        finally:
            connection.close()
