"""What leads a generation back into the queue or to an end without a charge, and closes its attempt."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param
from generations.credits import ledger
from generations.jobs import events
from generations.jobs.engine import spool
from generations.jobs.models import BLOCKED, NO_ACCOUNT, PAUSED, Attempt, Generation, Outcome, Status
from generations.providers.base import Done, ProviderError

log = logging.getLogger(__name__)

MAX_DELIVERY_TIME = timedelta(minutes=15)  # from the first call on, without excused waits
LATE_IMAGE = "late_image"  # the code of an attempt whose image came after the generation was called again
LATE_IMAGE_WAIT = 60.0  # seconds until what has such an image on another machine is called once more


def unclaim(row: Generation, seconds: float = 0.0) -> None:
    """Undo a claim whose call was not sent: the attempt is deleted, and the queue position stays."""
    with transaction.atomic():
        if _move_to_queue(row, seconds):
            Attempt.objects.filter(generation=row, number=row.attempt).delete()


def fail_without_account(row: Generation) -> bool:
    """Fail a generation whose model no account has; False if another writer moved it first."""
    return end_uncharged(
        row, Status.FAILED, _("No provider account has this model at the moment."), code=NO_ACCOUNT
    )


@transaction.atomic
def fail_unsent(row: Generation, reason: str, *, code: str) -> None:
    """Fail a claimed generation whose call cannot be sent; the attempt is deleted, nothing is charged."""
    if end_uncharged(row, Status.FAILED, reason, code=code):
        Attempt.objects.filter(generation=row, number=row.attempt).delete()


@transaction.atomic
def end_uncharged(row: Generation, to: Status, reason: str, *, code: str = "", **changes: Any) -> bool:
    """End a generation without an image and release its hold; False if another writer ended it first."""
    moved = Generation.objects.move(
        row.pk, fence=row.attempt, to=to, reason=reason[:400], code=code[:60], ended_at=Now(), **changes
    )
    if moved:
        ledger.release(reference=row.pk)
        fields = {"generation": str(row.pk), "status": to.value, "code": code}
        transaction.on_commit(partial(log.info, "ended without a charge", extra=fields))
        transaction.on_commit(partial(events.generation_ended, row))
    return moved


def end_call(row: Generation, to: Status, reason: str, *, code: str = "", **changes: Any) -> None:
    """End a generation whose call brought no image, unless an earlier one has: then it waits for that."""
    seconds = _wait_for_late_image(row)
    if seconds is None:
        end_uncharged(row, to, reason, code=code, **changes)
    else:
        _move_to_queue(row, seconds, **changes)


def _wait_for_late_image(row: Generation) -> float | None:
    """Seconds until a claim may use the image of an earlier attempt, or buy one; None if none has come.

    On this machine the next claim finds it. On another one, that machine's worker takes the generation from
    the queue; it is called again only if that machine stays away.
    """
    if row.attempt == 1:
        return None
    if spool.earlier_attempt(row.pk, row.attempt) is not None:
        return 0.0
    late = Attempt.objects.filter(generation=row, number__lt=row.attempt, code=LATE_IMAGE)
    return LATE_IMAGE_WAIT if late.exists() else None


def requeue(row: Generation, seconds: float, reason: str, *, code: str = "busy", **changes: Any) -> None:
    """Put a generation back into the queue for later, or fail it if MAX_DELIVERY_TIME is over."""
    called = row.first_called_at or timezone.now()
    if timezone.now() - called - (row.excused_wait or timedelta()) > MAX_DELIVERY_TIME:
        text = _("The provider did not deliver within 15 minutes. The last answer was: %(reason)s")
        end_call(row, Status.FAILED, text % {"reason": reason}, code="patience", **changes)
        return
    seconds = max(seconds, _wait_for_late_image(row) or 0.0)
    moved = _move_to_queue(row, seconds, reason=reason[:400], code=code, **changes)
    if moved and code not in (BLOCKED, PAUSED):
        _charge_slot(row)
    if moved and code == PAUSED:
        _let_others_try_first(row)


def _charge_slot(row: Generation) -> None:
    """Charge the virtual time of a failed call to its member, so that other members do not wait longer."""
    Generation.objects.shift_behind(row, 1)
    Generation.objects.filter(pk=row.pk, status=Status.QUEUED).update(
        virtual_start=F("virtual_start") + row.virtual_cost
    )


def _let_others_try_first(row: Generation) -> None:
    """Put a generation whose call paused the account behind the first of every member and model that wait.

    It may be the only one that the account does not take. Once the account is called again, what comes first
    must not be what would pause it again.
    """
    waiting = Generation.objects.filter(status=Status.QUEUED)
    groups = waiting.exclude(pk=row.pk).order_by().values("member", "model")
    last = groups.annotate(first=Min("virtual_start")).aggregate(last=Max("first"))["last"]
    if last is not None:
        mine = waiting.filter(pk=row.pk)
        mine.update(priority=0)
        mine.filter(virtual_start__lte=last).update(virtual_start=last + 1)


def _move_to_queue(row: Generation, seconds: float, **changes: Any) -> bool:
    moved = Generation.objects.move(
        row.pk,
        fence=row.attempt,
        to=Status.QUEUED,
        not_before=Now() + timedelta(seconds=seconds),
        lease_until=None,
        worker="",
        **changes,
    )
    if moved:
        transaction.on_commit(partial(events.generation_changed, row))
    return moved


def close_attempt(
    row: Generation,
    outcome: Outcome,
    result: Done | ProviderError,
    *,
    cost: int | F | None = None,
    overwrite_unknown: bool = False,
    **fields: Any,
) -> None:
    """Record how a call or its task ended. An attempt that has ended stays so, unless `overwrite_unknown`."""
    if isinstance(result, ProviderError):
        fields |= {"reason": result.reason[:400], "code": result.code[:60]}
    open_attempt(row.pk, row.attempt, overwrite_unknown=overwrite_unknown).update(
        outcome=outcome,
        ended_at=timezone.now(),
        status_code=result.status,
        request_id=result.request_id[:128],
        cost=cost,
        poll_at=None,
        task="",
        **fields,
    )


def open_attempt(
    generation: uuid.UUID | Param, number: int | Param, *, overwrite_unknown: bool
) -> QuerySet[Attempt]:
    """The attempt if it has not ended; with `overwrite_unknown` also if its answer was lost."""
    replaced = ["", Outcome.ACCEPTED, *([Outcome.UNKNOWN] if overwrite_unknown else [])]
    return Attempt.objects.filter(Q(generation=generation, number=number), outcome__in=replaced)
