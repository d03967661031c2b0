"""The same key and the same call give the same answer for 24 hours, also at once and from many clients.

    call = idempotency.begin(member, key, idempotency.fingerprint("POST", path, body))
    batch = submission.submit(..., submission=call.submission)      # whoever is first makes it
    answer = idempotency.finish(call, Answer(202, body))            # all get what the first got

What makes the deed happen once is `submission`, which the database keeps unique; so nobody waits for a lock,
and a process that dies halfway leaves nothing behind that stops the next try. A call that was refused is
`release`d: it did nothing, so its key may be used again, mended.
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
KEPT = timedelta(hours=24)
PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")


class BadKey(Exception):
    """It is empty, too long, or not printable."""

    def __init__(self) -> None:
        super().__init__(_("Idempotency-Key has 1 to 255 printable ASCII characters."))


class KeyReused(Exception):
    """The key was used for something else within 24 hours."""

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for another call. Use a new key for a new call."))


@dataclass(frozen=True)
class Answer:
    """What is answered to whoever asks with that key: a status, a short text, headers worth repeating."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeated: bool = False


@dataclass(frozen=True)
class Call:
    """What was asked, and by which UUID its deed happens once. `answer` is there if it was given before."""

    pk: uuid.UUID | None
    fingerprint: str
    submission: uuid.UUID
    answer: Answer | None = None


def fingerprint(method: str, path: str, *parts: bytes) -> str:
    """SHA-256 of a call, hex; no two different ones have the same text, however they are cut into parts."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode("utf-8", "surrogatepass"), *parts):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def begin(member: Membership, key: str | None, asked: str) -> Call:
    """The call of that key, new or known; without a key one that happens for itself.

    Raises BadKey, and KeyReused if the key stands for another call.
    """
    if key is None:
        return Call(None, asked, uuid.uuid4())
    if not PRINTABLE.fullmatch(key):
        raise BadKey
    row = _new(member, key, asked) or _known(member, key, asked)
    return Call(row.pk, asked, _submission(row, asked), _answer(row))


def finish(call: Call, answer: Answer) -> Answer:
    """Keep the answer if it is the first; whichever is kept."""
    if call.pk is None:
        return answer
    mine = IdempotentCall.objects.filter(pk=call.pk, fingerprint=call.fingerprint)
    kept = {"status": answer.status, "body": answer.body, "headers": dict(answer.headers)}
    if mine.filter(status=None).update(**kept):
        return answer
    row = mine.first()  # gone if it took a day
    return (row and _answer(row)) or answer


def release(call: Call) -> None:
    """The call was refused and did nothing, so the key is free again; unless it was answered meanwhile."""
    if call.pk is not None:
        mine = IdempotentCall.objects.filter(pk=call.pk, fingerprint=call.fingerprint, status=None)
        mine.update(fingerprint="")


@contextmanager
def released_if_refused(call: Call) -> Iterator[None]:
    """Release the call if what the block does for it fails, whatever the reason: then it did nothing."""
    try:
        yield
    except Exception:
        release(call)
        raise


def forget(member: Membership, key: str | None) -> None:
    """What the call had made was taken back, so the key stands for another try; unless it was answered."""
    IdempotentCall.objects.filter(membership=member, key=key or "", status=None).delete()


def forget_old() -> int:
    """Forget what is older than 24 hours; how many calls."""
    return IdempotentCall.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _new(member: Membership, key: str, asked: str) -> IdempotentCall | None:
    """The row, if nobody has used the key."""
    row = IdempotentCall(membership=member, key=key, fingerprint=asked)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return None
    return row


def _known(member: Membership, key: str, asked: str) -> IdempotentCall:
    """The row that has the key: for the same call, or free, or too old to count."""
    rows = IdempotentCall.objects.filter(membership=member, key=key)
    rows.filter(created_at__lt=timezone.now() - KEPT).delete()
    row = rows.first() or _new(member, key, asked) or rows.get()
    if row.fingerprint == asked:
        return row
    if not IdempotentCall.objects.filter(pk=row.pk, fingerprint="").update(fingerprint=asked):
        row.refresh_from_db()
        if row.fingerprint != asked:
            raise KeyReused
    return row


def _submission(row: IdempotentCall, asked: str) -> uuid.UUID:
    """Of the call and not of the key alone: what one call made is never taken for what another asked."""
    return uuid.uuid5(row.pk, asked)


def _answer(row: IdempotentCall) -> Answer | None:
    return None if row.status is None else Answer(row.status, row.body, row.headers, is_repeated=True)
