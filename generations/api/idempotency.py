"""Idempotency keys: for 24 hours the same key and request get the same response, also concurrently.

    call = idempotency.begin(member, key, idempotency.fingerprint("POST", path, body))
    batch = submission.submit(..., submission=call.submission)           # the first call creates it
    response = idempotency.finish(call, StoredResponse(202, body))       # every call gets the first response

The database allows each `submission` id once, so concurrent calls need no lock, and a process that dies
between the steps does not block the next try. A refused call changed nothing, so `release` frees its key
for a corrected request.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.api.models import IdempotentCall
from generations.teams.models import Membership

HEADER = "Idempotency-Key"
RETENTION = timedelta(hours=24)
PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")


class BadKey(Exception):
    """The key is empty, too long, or not printable ASCII."""

    def __init__(self) -> None:
        super().__init__(_("Idempotency-Key must have 1 to 255 printable ASCII characters."))


class KeyReused(Exception):
    """The key was used for another request within 24 hours."""

    def __init__(self) -> None:
        super().__init__(
            _("This Idempotency-Key was used for another request. Use a new key for a new request.")
        )


@dataclass(frozen=True)
class StoredResponse:
    """The response to every call with a key: status, body, and the headers that are repeated."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeated: bool = False


@dataclass(frozen=True)
class Call:
    """A call: `submission` identifies what it creates, `response` is set if an earlier call has finished."""

    pk: uuid.UUID | None
    fingerprint: str
    submission: uuid.UUID
    response: StoredResponse | None = None


def fingerprint(method: str, path: str, *parts: bytes) -> str:
    """Return the SHA-256 of a request in hex. Each part is hashed with its length."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode("utf-8", "surrogatepass"), *parts):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def begin(member: Membership, key: str | None, request_fingerprint: str) -> Call:
    """Return the call of a key, new or known; without a key a call that is not stored.

    Raises BadKey, and KeyReused if the key was used for another request.
    """
    if key is None:
        return Call(None, request_fingerprint, uuid.uuid4())
    if not PRINTABLE.fullmatch(key):
        raise BadKey
    row = _new(member, key, request_fingerprint) or _known(member, key, request_fingerprint)
    return Call(row.pk, request_fingerprint, _submission(row.pk, request_fingerprint), _response(row))


def finish(call: Call, response: StoredResponse) -> StoredResponse:
    """Store the response if it is the first for its key, and return the one that is stored."""
    if call.pk is None:
        return response
    rows = IdempotentCall.objects.filter(pk=call.pk, fingerprint=call.fingerprint)
    values = {"status": response.status, "body": response.body, "headers": dict(response.headers)}
    if rows.filter(status=None).update(**values):
        return response
    row = rows.first()  # None if the call took longer than the retention
    return (row and _response(row)) or response


def release(call: Call) -> None:
    """Free the key of a refused call, unless another call with the key has finished meanwhile."""
    if call.pk is not None:
        rows = IdempotentCall.objects.filter(pk=call.pk, fingerprint=call.fingerprint, status=None)
        rows.update(fingerprint="")


@contextmanager
def released_if_refused(call: Call) -> Iterator[None]:
    """Release the call if the block raises: its transaction was rolled back, so nothing has changed."""
    try:
        yield
    except Exception:  # whatever it is: it is raised again
        release(call)
        raise


def discard(member: Membership, key: str | None) -> None:
    """Delete the key of a call whose changes were undone, unless it has finished."""
    IdempotentCall.objects.filter(membership=member, key=key or "", status=None).delete()


def delete_expired() -> int:
    """Delete keys that are older than 24 hours; return their number."""
    return IdempotentCall.objects.filter(created_at__lt=timezone.now() - RETENTION).delete()[0]


def _new(member: Membership, key: str, request_fingerprint: str) -> IdempotentCall | None:
    """Insert and return the row of an unused key; None if the key exists."""
    row = IdempotentCall(membership=member, key=key, fingerprint=request_fingerprint)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return None
    return row


def _known(member: Membership, key: str, request_fingerprint: str) -> IdempotentCall:
    """Return the row of a used key: of the same request, or freed, or expired. Raises KeyReused."""
    rows = IdempotentCall.objects.filter(membership=member, key=key)
    rows.filter(created_at__lt=timezone.now() - RETENTION).delete()
    row = rows.first() or _new(member, key, request_fingerprint) or rows.get()
    if row.fingerprint == request_fingerprint:
        return row
    if not IdempotentCall.objects.filter(pk=row.pk, fingerprint="").update(fingerprint=request_fingerprint):
        row.refresh_from_db()
        if row.fingerprint != request_fingerprint:
            raise KeyReused
    return row


def _submission(pk: uuid.UUID, request_fingerprint: str) -> uuid.UUID:
    """Derived from the request too: a freed key must not find what its first request created."""
    return uuid.uuid5(pk, request_fingerprint)


def _response(row: IdempotentCall) -> StoredResponse | None:
    if row.status is None:
        return None
    return StoredResponse(row.status, row.body, row.headers, is_repeated=True)
