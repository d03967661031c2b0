"""What the result of a call changes: the generation, its attempt, the held credits, and the account."""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import DurationField, F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.core.one_message import write_together
from generations.core.prepared_queries import Param
from generations.core.prepared_writes import PreparedUpdate
from generations.jobs import events
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import member_reasons, spool, task_text, transitions
from generations.jobs.models import (
    BLOCKED,
    NO_ACCOUNT,
    PAUSED,
    Attempt,
    Generation,
    Outcome,
    PreparedMove,
    Status,
)
from generations.providers.base import (
    Accepted,
    Busy,
    Done,
    ModelUnavailable,
    ProviderError,
    Refused,
    Unavailable,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import accounts, blocks
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

MAX_BUSY_CALLS = 6  # a 429 is not counted
MAX_UNKNOWN_CALLS = 2  # each may have been charged by the provider
MAX_INTERRUPTED_CALLS = 4  # our own crash is no reason to let a member wait in vain: three further calls
TASK_SECONDS = 3600.0  # in which a task must be done, where its model does not say
ADDRESS_SECONDS = (
    600.0  # in which results are fetched: the shortest life of an address (docs/providers/flux.md, "Tasks")
)
MAX_RETRY_DELAY = 60.0  # seconds until a busy provider is called again

_to_storing = PreparedMove(
    Status.STORING, lease_until=Now() + Param("lease", DurationField()), worker=Param("worker")
)


def _prepared_close(*, overwrite_unknown: bool) -> PreparedUpdate[Attempt]:
    """`transitions.close_attempt` of a call whose images are in the spool."""
    return PreparedUpdate(
        lambda: transitions.open_attempt(
            Param("generation"), Param("number"), overwrite_unknown=overwrite_unknown
        ),
        outcome=Outcome.OK,
        ended_at=Param("ended_at"),
        status_code=Param("status"),
        request_id=Param("request_id"),
        cost=Param("cost"),
        seed=Param("seed"),
        reason="",
        code="",
        poll_at=None,
        task="",
    )


_close_open, _close_also_unknown = (_prepared_close(overwrite_unknown=also) for also in (False, True))


def record(row: Generation, upstream: Upstream, result: Done | Accepted | ProviderError) -> bool:
    """Record how a call ended and move the generation on; True if its images are now in the spool.

    A task, and results that are given by address, are left to `poll`. If another worker has claimed the
    generation since, only the attempt of this call changes.
    """
    match result:
        case Accepted():
            accept(row, upstream, result)
        case Done() if any(output.url for output in result.kept):
            accept_addresses(row, upstream, result)
        case Done(filtered=True):
            _filtered(row, upstream, result)
        case Done():
            return _received(row, upstream, result)
        case Refused():
            _refused(row, result)
        case ModelUnavailable():
            accounts.close_model(upstream, row.model, result)
            _model_unavailable(row, result)
        case Unavailable():
            accounts.pause(upstream, result)
            _unavailable(row, result)
        case Busy() if result.limited:
            blocks.after_order(upstream, row.model, result)
            _limited(row, result)
        case Busy():
            _busy(row, result)
        case _:
            record_unknown(row, result)
    return False


def outcome_of(result: Done | Accepted | ProviderError) -> Outcome:
    """The outcome of an attempt with that result."""
    if isinstance(result, Accepted):
        return Outcome.ACCEPTED
    if isinstance(result, Done):
        return Outcome.FILTERED if result.filtered else Outcome.OK
    kinds: dict[type[ProviderError], Outcome] = {
        Refused: Outcome.REFUSED,
        Unavailable: Outcome.UNAVAILABLE,
        ModelUnavailable: Outcome.UNAVAILABLE,
        Busy: Outcome.BUSY,
    }
    return next((kinds[kind] for kind in kinds if isinstance(result, kind)), Outcome.UNKNOWN)


def settle_interrupted(row: Generation) -> None:
    """Settle a running generation whose worker died: use the spooled image, or else have it called again."""
    if spool.read(row.pk, row.attempt):
        mark_received(row, lease=engine_leases.ENDED)
    else:
        _interrupted(row, Unknown(_("The portal's worker was interrupted."), code="interrupted"))


@transaction.atomic
def record_unknown(row: Generation, error: ProviderError) -> None:
    """Record a call without a usable answer, which may have been charged; it is repeated once."""
    transitions.close_attempt(row, Outcome.UNKNOWN, error)
    unknown_calls = row.unknown_calls + 1
    if unknown_calls >= MAX_UNKNOWN_CALLS:
        text = _("The provider's answer was lost twice: %(reason)s")
        reason = text % {"reason": member_reasons.of_error(error)}
        transitions.end_call(row, Status.FAILED, reason, code="unknown", unknown_calls=unknown_calls)
    else:
        transitions.requeue(row, _jitter(2.0), member_reasons.of_error(error), unknown_calls=unknown_calls)


@transaction.atomic
def _interrupted(row: Generation, error: Unknown) -> None:
    """Record a call that our own crash cut off. It may have been charged, so reconciliation lists it too."""
    transitions.close_attempt(row, Outcome.UNKNOWN, error)
    calls = row.interrupted_calls + 1
    if calls >= MAX_INTERRUPTED_CALLS:
        reason = _("The portal's worker was interrupted %(count)s times.") % {"count": calls}
        transitions.end_call(row, Status.FAILED, reason, code="interrupted", interrupted_calls=calls)
    else:
        transitions.requeue(row, _jitter(2.0), error.reason, code="interrupted", interrupted_calls=calls)


def accept(row: Generation, upstream: Upstream, accepted: Accepted) -> None:
    """Record a task that the provider has accepted. From now on it is bought, and polled by any worker."""
    declared = catalogue_registry.MODELS.get(row.model)
    _submitted(
        row,
        upstream,
        accepted,
        task=task_text.of_task(accepted.task),
        poll_after=accepted.poll_after,
        seconds=(declared and declared.task_seconds) or TASK_SECONDS,
        remote_id=accepted.task.remote_id[:128],
        progress=accepted.progress,
        message=accepted.message[:200],
    )


def accept_addresses(row: Generation, upstream: Upstream, done: Done) -> None:
    """Record results that are still to be fetched from their addresses, within ADDRESS_SECONDS."""
    text = task_text.of_done(done)
    _submitted(row, upstream, done, task=text, poll_after=0.0, seconds=ADDRESS_SECONDS, to_fetch=True)


@transaction.atomic
def _submitted(
    row: Generation,
    upstream: Upstream,
    result: Done | Accepted,
    *,
    task: str,
    poll_after: float,
    seconds: float,
    **fields: Any,
) -> None:
    moved = Generation.objects.move(
        row.pk, fence=row.attempt, to=Status.SUBMITTED, lease_until=None, worker="", reason="", code=""
    )
    cost = result.cost if isinstance(result, Done) else None
    fields |= {"reason": "", "code": ""}
    if moved or row.status == Status.SUBMITTED:
        now = timezone.now()
        fields |= {
            "task": task,
            "poll_at": now + timedelta(seconds=poll_after),
            "expires_at": now + timedelta(seconds=seconds),
        }
    replaced = ["", Outcome.ACCEPTED, Outcome.UNKNOWN]
    Attempt.objects.filter(generation=row, number=row.attempt, outcome__in=replaced).update(
        outcome=Outcome.ACCEPTED,
        status_code=result.status,
        request_id=result.request_id[:128],
        cost=list_cost(row, upstream) if cost is None else cost,
        **fields,
    )
    if moved:
        row.status = Status.SUBMITTED
        transaction.on_commit(partial(events.generation_changed, row))


@transaction.atomic
def give_up_task(row: Generation, error: Unknown) -> None:
    """End a task without a result, not by the provider's word. It was bought, so it keeps its cost."""
    transitions.close_attempt(row, Outcome.UNKNOWN, error, cost=F("cost"))
    transitions.end_uncharged(row, Status.FAILED, error.reason, code=error.code)


def list_cost(row: Generation, upstream: Upstream) -> int:
    """What a call for the generation costs at the account, where the answer does not say."""
    declared = catalogue_registry.MODELS.get(row.model)
    images = row.batch.inputs.count() if declared and declared.image_cost else 0
    return upstream.cost(row.model, row.parameters, images)


def _received(row: Generation, upstream: Upstream, done: Done) -> bool:
    facts = {
        "attempt": row.attempt,
        "upstream": upstream.name,
        "status": done.status,
        "request_id": done.request_id,
        "cost": list_cost(row, upstream) if done.cost is None else done.cost,
        "total": len(done.outputs) + done.broken,
    }
    spool.write(row.pk, row.attempt, done, facts)
    return mark_received(row)


def mark_received(row: Generation, lease: timedelta = engine_leases.LEASE) -> bool:
    """Move a generation whose image is in the spool to STORING; False if another writer moved it first.

    Also after its lease expired. If it has been claimed again since, the attempt is marked, so that nobody
    buys one more while the image is in some spool.
    """
    facts = spool.read(row.pk, row.attempt)[0].facts
    moved = write_together(
        [
            _to_storing.write(row, lease=lease, worker=spool.WORKER),
            _close_also_unknown.write(**_received_values(row, facts)),
        ]
    )
    if not moved:
        with transaction.atomic():
            _close_open.run(**_received_values(row, facts))
            _mark_late(row)
    return moved


def _mark_late(row: Generation) -> None:
    reason = _("The image came after the portal had called again.")
    late = Attempt.objects.filter(generation=row, number=row.attempt, outcome=Outcome.UNKNOWN)
    late.update(code=transitions.LATE_IMAGE, reason=reason)
    # If that call has ended already, nobody else may claim it before this worker's upkeep uses the image.
    waiting = Generation.objects.filter(pk=row.pk, status=Status.QUEUED, attempt__gt=row.attempt)
    waiting.update(not_before=Now() + timedelta(seconds=transitions.LATE_IMAGE_WAIT))


def _received_values(row: Generation, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "generation": row.pk,
        "number": row.attempt,
        "ended_at": timezone.now(),
        "request_id": facts["request_id"][:128],
        **{name: facts[name] for name in ("status", "cost", "seed")},
    }


@transaction.atomic
def use_earlier_attempt(row: Generation, number: int, lease: timedelta = engine_leases.LEASE) -> bool:
    """Move a generation that waits or is claimed to STORING with the images of an earlier attempt.

    They arrived while a later attempt was under way, which then brought none. The call of a claim is not
    sent. False if another writer moved the generation first.
    """
    facts = spool.read(row.pk, number)[0].facts
    moved = Generation.objects.move(
        row.pk,
        fence=row.attempt,
        to=Status.STORING,
        attempt=number,
        lease_until=Now() + lease,
        worker=spool.WORKER,
    )
    if moved:
        if row.status == Status.RUNNING:
            Attempt.objects.filter(generation=row, number=row.attempt).delete()
        row.attempt = number
        _close_also_unknown.run(**_received_values(row, facts))
    return moved


@transaction.atomic
def _filtered(row: Generation, upstream: Upstream, done: Done) -> None:
    # Not known whether the provider charges for it (docs/providers/stability.md, "Answers"): assume so.
    cost = list_cost(row, upstream) if done.cost is None else done.cost
    transitions.close_attempt(row, Outcome.FILTERED, done, cost=cost)
    transitions.end_call(row, Status.FILTERED, _filtered_reason(row.model), code="filtered")


def _filtered_reason(model: str) -> str:
    declared = catalogue_registry.MODELS.get(model)
    if declared is None or any(field.name == "seed" for field in declared.fields):
        return _(
            "The provider's filter withheld or blurred this picture, so it was not kept. Try a new seed."
        )
    return _("The provider's filter withheld this picture, so it was not kept. Try other words.")


@transaction.atomic
def _refused(row: Generation, error: Refused) -> None:
    transitions.close_attempt(row, Outcome.REFUSED, error, cost=0)
    transitions.end_call(row, Status.FAILED, member_reasons.of_error(error), code=error.code or "refused")


@transaction.atomic
def _unavailable(row: Generation, error: Unavailable) -> None:
    transitions.close_attempt(row, Outcome.UNAVAILABLE, error, cost=0)
    transitions.requeue(row, 0, _("The provider's account cannot be used at the moment."), code=PAUSED)


@transaction.atomic
def _model_unavailable(row: Generation, error: ModelUnavailable) -> None:
    transitions.close_attempt(row, Outcome.UNAVAILABLE, error, cost=0)
    if accounts.takes_soon(row.model):
        text = _("The provider account does not have this model at the moment.")
        transitions.requeue(row, 0, text, code=NO_ACCOUNT)
    else:
        transitions.fail_without_account(row)


@transaction.atomic
def _limited(row: Generation, error: Busy) -> None:
    transitions.close_attempt(row, Outcome.BUSY, error, cost=0)
    transitions.requeue(row, 0, _("The provider asked us to wait."), code=BLOCKED)


@transaction.atomic
def _busy(row: Generation, error: Busy) -> None:
    transitions.close_attempt(row, Outcome.BUSY, error, cost=0)
    busy_calls = row.busy_calls + 1
    if busy_calls >= MAX_BUSY_CALLS:
        reason = _("Tried %(count)s times. The last answer was: %(reason)s") % {
            "count": busy_calls,
            "reason": member_reasons.of_error(error),
        }
        transitions.end_call(row, Status.FAILED, reason, code="busy", busy_calls=busy_calls)
    else:
        pause = error.retry_after or _jitter(min(MAX_RETRY_DELAY, 2.0**busy_calls))
        transitions.requeue(row, pause, member_reasons.of_error(error), busy_calls=busy_calls)


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311  spreads retries, not a secret
