"""What each answer of a provider does to the row, the attempt, the credits and the account."""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.credits import ledger
from generations.jobs import events
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import spool
from generations.jobs.models import BLOCKED, PAUSED, Attempt, Generation, Outcome, Status
from generations.providers.base import Busy, Done, ProviderError, Refused, Unavailable, Unknown
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

MAX_BUSY_CALLS = 6  # calls answered busy; a 429 costs none
MAX_UNKNOWN_CALLS = 2  # calls that may have been bought: the first, and one further
LONGEST_WAIT = 60.0  # seconds between two busy_calls
PATIENCE = timedelta(minutes=15)  # from the first call on, blocks and pauses apart


def record(row: Generation, upstream: Upstream, answer: Done | ProviderError) -> bool:
    """Write down how a call ended and move the row on; True if images now lie in the spool.

    A writer whose row was given to another in the meantime changes nothing but its attempt.
    """
    match answer:
        case Done(filtered=True):
            _filtered(row, upstream, answer)
        case Done():
            return _received(row, upstream, answer)
        case Refused():
            _refused(row, answer)
        case Unavailable():
            accounts.pause(upstream, answer)
            _unavailable(row, answer)
        case Busy() if answer.limited:
            accounts.block(upstream, answer.retry_after)
            _limited(row, answer)
        case Busy():
            _busy(row, answer)
        case _:
            lost(row, answer)
    return False


def name(answer: Done | ProviderError) -> Outcome:
    """What a call's answer is called in attempts."""
    if isinstance(answer, Done):
        return Outcome.FILTERED if answer.filtered else Outcome.OK
    kinds = {Refused: Outcome.REFUSED, Unavailable: Outcome.UNAVAILABLE, Busy: Outcome.BUSY}
    return next((kinds[kind] for kind in kinds if isinstance(answer, kind)), Outcome.UNKNOWN)


def hand_back(row: Generation, seconds: float = 0.0) -> None:
    """Undo a claim whose call was never sent: no attempt, no try, the same place in line."""
    with transaction.atomic():
        if _requeue(row, seconds):
            Attempt.objects.filter(generation=row, number=row.attempt).delete()


def interrupted(row: Generation) -> None:
    """Its worker is gone: what it had received is adopted; else its call may have been bought."""
    if spool.read(row.pk, row.attempt):
        received(row, lease=timedelta())
    else:
        lost(row, Unknown(_("The portal's worker was interrupted.")))


@transaction.atomic
def call_off(row: Generation, reason: str, *, code: str) -> None:
    """End a claimed row whose call could never be sent: no attempt, no charge."""
    if end(row, Status.FAILED, reason, code=code):
        Attempt.objects.filter(generation=row, number=row.attempt).delete()


@transaction.atomic
def lost(row: Generation, problem: ProviderError) -> None:
    """Sent, and nothing usable came back: it may have been bought. One further call, then the end."""
    _close_attempt(row, Outcome.UNKNOWN, problem)
    unknown_calls = row.unknown_calls + 1
    if unknown_calls >= MAX_UNKNOWN_CALLS:
        reason = _("The provider's answer was lost twice: %(reason)s") % {"reason": problem.reason}
        end(row, Status.FAILED, reason, code="unknown", unknown_calls=unknown_calls)
    else:
        wait(row, _jitter(2.0), problem.reason, unknown_calls=unknown_calls)


@transaction.atomic
def end(row: Generation, to: Status, reason: str, *, code: str = "", **changes: Any) -> bool:
    """End a row without an image: what was held for it is its member's again."""
    moved = Generation.objects.move(
        row.pk, fence=row.attempt, to=to, reason=reason[:400], code=code[:60], ended_at=Now(), **changes
    )
    if moved:
        ledger.release(reference=row.pk)
        said = {"generation": str(row.pk), "status": to.value, "code": code}
        transaction.on_commit(partial(log.info, "ended without a charge", extra=said))
        transaction.on_commit(partial(events.generation_ended, row))
    return moved


def wait(row: Generation, seconds: float, reason: str, *, code: str = "busy", **changes: Any) -> None:
    """Put a row back in line for later, unless its patience is over."""
    called = row.first_called_at or timezone.now()
    if timezone.now() - called - (row.excused_wait or timedelta()) > PATIENCE:
        text = _("The provider did not deliver within 15 minutes. The last answer was: %(reason)s")
        end(row, Status.FAILED, text % {"reason": reason}, code="patience", **changes)
    elif _requeue(row, seconds, reason=reason[:400], code=code, **changes) and code not in (BLOCKED, PAUSED):
        _pay_for_the_slot(row)


def _received(row: Generation, upstream: Upstream, done: Done) -> bool:
    facts = {
        "attempt": row.attempt,
        "upstream": upstream.name,
        "status": done.status,
        "finish_reason": done.finish_reason,
        "request_id": done.request_id,
        "cost": upstream.cost(row.model, row.parameters),
    }
    spool.write(row.pk, row.attempt, done, facts)
    return received(row)


@transaction.atomic
def received(row: Generation, lease: timedelta = engine_leases.LEASE) -> bool:
    """What the spool has of this attempt is paid for: from here the row is only ever stored.

    That holds even if its worker was thought dead, as long as the row was not given to another since.
    """
    facts = spool.read(row.pk, row.attempt)[0].facts
    done = Done(
        (), finish_reason=facts["finish_reason"], request_id=facts["request_id"], status=facts["status"]
    )
    kept = Generation.objects.move(
        row.pk, fence=row.attempt, to=Status.STORING, lease_until=Now() + lease, worker=spool.WORKER
    )
    told = {"cost": facts["cost"], "seed": facts["seed"], "reason": "", "code": ""}
    _close_attempt(row, Outcome.OK, done, reopened=kept, **told)
    return kept


@transaction.atomic
def _filtered(row: Generation, upstream: Upstream, done: Done) -> None:
    # Whether the provider charges it is not known (docs/providers/stability.md, "Answers"): count it.
    _close_attempt(row, Outcome.FILTERED, done, cost=upstream.cost(row.model, row.parameters))
    end(
        row,
        Status.FILTERED,
        _("The provider's filter blurred this picture, so it was not kept."),
        code="filtered",
    )


@transaction.atomic
def _refused(row: Generation, problem: Refused) -> None:
    _close_attempt(row, Outcome.REFUSED, problem, cost=0)
    end(row, Status.FAILED, problem.reason, code=problem.code or "refused")


@transaction.atomic
def _unavailable(row: Generation, problem: Unavailable) -> None:
    _close_attempt(row, Outcome.UNAVAILABLE, problem, cost=0)
    wait(row, 0, _("The provider's account cannot be used at the moment."), code=PAUSED)


@transaction.atomic
def _limited(row: Generation, problem: Busy) -> None:
    _close_attempt(row, Outcome.BUSY, problem, cost=0)
    wait(row, 0, _("The provider asked us to wait."), code=BLOCKED)


@transaction.atomic
def _busy(row: Generation, problem: Busy) -> None:
    _close_attempt(row, Outcome.BUSY, problem, cost=0)
    busy_calls = row.busy_calls + 1
    if busy_calls >= MAX_BUSY_CALLS:
        reason = _("The provider was busy %(count)s times: %(reason)s") % {
            "count": busy_calls,
            "reason": problem.reason,
        }
        end(row, Status.FAILED, reason, code="busy", busy_calls=busy_calls)
    else:
        pause = problem.retry_after or _jitter(min(LONGEST_WAIT, 2.0**busy_calls))
        wait(row, pause, problem.reason, busy_calls=busy_calls)


def _pay_for_the_slot(row: Generation) -> None:
    """A call that failed used a slot: its member, not the others, waits one longer for the rest."""
    Generation.objects.shift_behind(row, 1)
    Generation.objects.filter(pk=row.pk, status=Status.QUEUED).update(
        virtual_start=F("virtual_start") + row.virtual_cost
    )


def _requeue(row: Generation, seconds: float, **changes: Any) -> bool:
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


def _close_attempt(
    row: Generation,
    outcome: Outcome,
    answer: Done | ProviderError,
    *,
    cost: int | None = None,
    reopened: bool = False,
    **facts: Any,
) -> None:
    """Write down how the call ended; over an unknown end only if it is `reopened`."""
    if isinstance(answer, ProviderError):
        facts |= {"reason": answer.reason[:400], "code": answer.code[:60]}
    open_ends = ["", Outcome.UNKNOWN] if reopened else [""]
    Attempt.objects.filter(generation=row, number=row.attempt, outcome__in=open_ends).update(
        outcome=outcome,
        ended_at=timezone.now(),
        status_code=answer.status,
        request_id=answer.request_id[:128],
        cost=cost,
        **facts,
    )


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311  spreads retries, guards nothing
