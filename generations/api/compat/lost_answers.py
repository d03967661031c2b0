"""Orders whose answer did not reach the client: the same request of the same token joins them.

Clients repeat a request whose connection broke, whose time was over, or which a restart of the portal cut
off. Most of them send no Idempotency-Key. Without this they would buy a second image beside one that is drawn
and paid for. An order is remembered only when its answer was lost: the same request twice at once, or again
after an answer, is two orders.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from generations.api.models import IdempotentCall
from generations.teams.models import Token

log = logging.getLogger(__name__)

JOINED_FOR = timedelta(minutes=10)
MAX_EQUAL = 100  # lost orders of the same request that are remembered at the same time


def take(token: Token, fingerprint: str) -> uuid.UUID | None:
    """Return the oldest batch whose answer to this request was lost; None if there is none.

    Each is returned once, so that of two repeated requests each gets its own order.
    """
    since = timezone.now() - JOINED_FOR
    for row in _rows(token, fingerprint).filter(created_at__gte=since).order_by("created_at"):
        if IdempotentCall.objects.filter(pk=row.pk).delete()[0]:
            return uuid.UUID(row.body)
    return None


def remember(token: Token, fingerprint: str, batch: uuid.UUID) -> None:
    """Remember that the answer with the images of this batch was lost."""
    _rows(token, fingerprint).filter(created_at__lt=timezone.now() - JOINED_FOR).delete()
    # From anywhere on: a restart may lose the answers of many equal requests at the same time.
    keys, start = _keys(token, fingerprint), secrets.randbelow(MAX_EQUAL)
    for key in keys[start:] + keys[:start]:
        row = IdempotentCall(
            membership_id=token.membership_id, key=key, fingerprint=fingerprint, status=200, body=str(batch)
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            continue
        return
    log.warning("The answer of batch %s was lost, and too many of the same request are remembered", batch)


def _rows(token: Token, fingerprint: str) -> QuerySet[IdempotentCall]:
    return IdempotentCall.objects.filter(membership=token.membership_id, key__in=_keys(token, fingerprint))


def _keys(token: Token, fingerprint: str) -> list[str]:
    """Keys that no client can send, since a tab is not printable."""
    return [f"\t{token.pk}\t{fingerprint}\t{number}" for number in range(MAX_EQUAL)]
