"""Calls of the prompt helper: claim, call a chat model, and record its words with the charge.

A call takes a permit as every other does, and is charged in the transaction that stores its answer. One whose
answer was lost is not made again: a press of the button costs less than the doubt.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.core.prepared_queries import PreparedQuery
from generations.credits import ledger
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import member_reasons, outcomes, prompt_help_text
from generations.jobs.engine import run as engine_run
from generations.jobs.models import HelpStatus, Outcome, PromptHelp
from generations.providers.base import Busy, ModelUnavailable, ProviderError, Unavailable, Unknown
from generations.providers.catalogue.registry import PROMPT_HELPER
from generations.providers.chat.text import TextAnswer
from generations.upstreams import accounts, blocks
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

CALL_SECONDS = 60.0
LEASE = timedelta(seconds=CALL_SECONDS + 30)
WAITS = timedelta(minutes=2)  # after the press; then there is no answer
BUSY_PAUSE = timedelta(seconds=5)
MAX_WAKES = 8
MAX_LOOKED_AT = 20  # calls, of which the first ones may cost more by now than was agreed
KEPT = timedelta(days=1)  # prompts and answers
PAID = (Outcome.OK, Outcome.UNKNOWN)

_some_open = PreparedQuery(
    lambda: PromptHelp.objects.filter(status__in=[HelpStatus.QUEUED, HelpStatus.RUNNING]).values_list("pk")[
        :1
    ]
)


def run_next() -> bool:
    """Make the first call that an account takes now and has a slot for; whether one was made."""
    accounts_now = [] if engine_claim.stopping.is_set() else _open_accounts()
    for row in PromptHelp.objects.ready()[:MAX_LOOKED_AT] if accounts_now else ():
        for upstream in _affordable(row, accounts_now):
            try:
                permit = upstreams_rate_limit.reserve(upstream)
            except RedisError as problem:
                log.warning("Redis is unreachable, so no provider is called: %s", problem)
                return False
            if permit:
                engine_claim.release_connection()
                time.sleep(permit.delay)
                return _run(row.pk, upstream, permit)
    return False


def _open_accounts() -> list[Upstream]:
    now = timezone.now()
    return [
        each
        for each in accounts.helping_with_prompts()
        if each.blocked_until is None or each.blocked_until <= now
    ]


def _affordable(row: PromptHelp, upstreams: Iterable[Upstream]) -> list[Upstream]:
    """Those of the accounts that cost no more than the member has agreed to."""
    return [each for each in upstreams if each.helper_price <= row.price]


def _run(pk: uuid.UUID, upstream: Upstream, permit: upstreams_rate_limit.Permit) -> bool:
    row = _claim(pk, upstream)
    if row is None:
        return False
    with log_context.bind(prompt_help=str(row.pk), upstream=upstream.name):
        if row.member.ended_at:
            _fail(row, _("This membership has ended."), None, cost=0)
            return True
        if not upstreams_rate_limit.confirm(permit):
            PromptHelp.objects.move(row, to=HelpStatus.QUEUED, lease_until=None, called_at=None)
            return True
        engine_claim.release_connection()
        result = _call(row, upstream)
        engine_run.retry_on_db_error(record, row, upstream, result)
        if isinstance(result, TextAnswer):
            accounts.open_model(upstream, PROMPT_HELPER)
    return True


@transaction.atomic
def _claim(pk: uuid.UUID, upstream: Upstream) -> PromptHelp | None:
    """The call, claimed; None if another worker has it, or the account works on as much as it takes."""
    if upstream.max_in_flight is not None:
        Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
        if engine_claim.count_in_flight(upstream) >= upstream.max_in_flight:
            return None
    claimed = PromptHelp.objects.filter(pk=pk, status=HelpStatus.QUEUED).update(
        status=HelpStatus.RUNNING,
        attempt=F("attempt") + 1,
        upstream=upstream,
        unit=upstream.unit,
        lease_until=Now() + LEASE,
        called_at=Now(),
        outcome="",
        cost=0,
    )
    return PromptHelp.objects.select_related("member__team").get(pk=pk) if claimed else None


def _call(row: PromptHelp, upstream: Upstream) -> TextAnswer | ProviderError:
    began = time.monotonic()
    result: TextAnswer | ProviderError
    try:
        chat = accounts.text_chat(upstream)
        instruction = prompt_help_text.INSTRUCTIONS[row.task]
        result = chat.ask(upstream.helper_model, instruction, row.text, timeout=CALL_SECONDS)
    except ProviderError as problem:
        result = problem
    except Exception as problem:  # whatever it is, the call may have been paid for
        log.exception("A call of the prompt helper failed in an unexpected way")
        result = Unknown(type(problem).__name__)
    fields = {"status": result.status or 0, "seconds": round(time.monotonic() - began, 3)}
    log.info("helped" if isinstance(result, TextAnswer) else "gave no help", extra=fields)
    return result


def record(row: PromptHelp, upstream: Upstream, result: TextAnswer | ProviderError) -> None:
    """Record how a call ended: with an answer that is charged, with another try, or with neither."""
    match result:
        case TextAnswer():
            _answered(row, upstream, result)
        case ModelUnavailable():
            accounts.close_model(upstream, PROMPT_HELPER, result)
            _again_or_fail(row, result, timedelta())
        case Unavailable():
            accounts.pause(upstream, result)
            _again_or_fail(row, result, timedelta())
        case Busy() if result.limited:
            blocks.after_call(upstream, result.retry_after)
            _again_or_fail(row, result, timedelta())
        case Busy():
            _again_or_fail(row, result, BUSY_PAUSE)
        case _:
            _fail(row, reason_of(result), result, cost=upstream.helper_cost)


@transaction.atomic
def _answered(row: PromptHelp, upstream: Upstream, result: TextAnswer) -> None:
    """Store the answers and settle the hold together. Answers that say nothing are not charged."""
    answers = prompt_help_text.answers_of(row.task, row.text, result.text)
    if not answers:
        reason = _("The answer holds nothing that can be used.")
        _fail(row, reason, Unknown(reason, result.status), cost=upstream.helper_cost)
        return
    erased = PromptHelp.objects.filter(pk=row.pk, text="").exists()  # meanwhile, with the member's data
    moved = PromptHelp.objects.move(
        row,
        to=HelpStatus.SUCCEEDED,
        answers=[] if erased else answers,
        ended_at=Now(),
        lease_until=None,
        outcome=Outcome.OK,
        status_code=result.status,
        cost=upstream.helper_cost,
    )
    if moved:
        ledger.settle(reference=row.pk)
        transaction.on_commit(partial(log.info, "settled", extra={"charged": row.price}))


def _again_or_fail(row: PromptHelp, error: ProviderError, pause: timedelta) -> None:
    """Queue the call again, which was not paid for, if an account will take it in time; else fail it."""
    ends = row.created_at + WAITS
    later = [
        each
        for each in _affordable(row, accounts.helping_with_prompts())
        if each.blocked_until is None or each.blocked_until < ends
    ]
    if later and timezone.now() + pause < ends:
        PromptHelp.objects.move(
            row,
            to=HelpStatus.QUEUED,
            not_before=timezone.now() + pause,
            lease_until=None,
            reason=reason_of(error)[:400],
            outcome=outcomes.outcome_of(error),
            status_code=error.status,
        )
    else:
        _fail(row, reason_of(error), error, cost=0)


@transaction.atomic
def _fail(row: PromptHelp, reason: str, error: ProviderError | None, *, cost: int) -> None:
    """End a call without an answer, and release its hold; not if another writer has ended it."""
    outcome = outcomes.outcome_of(error) if error else row.outcome
    moved = PromptHelp.objects.move(
        row,
        to=HelpStatus.FAILED,
        reason=reason[:400],
        ended_at=Now(),
        lease_until=None,
        outcome=outcome,
        status_code=error.status if error else row.status_code,
        cost=cost if outcome in PAID else 0,
    )
    if moved:
        ledger.release(reference=row.pk)


def reason_of(error: ProviderError) -> str:
    """Why there is no answer, as members read it."""
    if isinstance(error, Busy) and error.limited:
        return _("The provider asked us to wait.")
    if isinstance(error, Unknown):
        return error.reason if error.status == 200 else _("The provider's answer did not arrive.")
    return member_reasons.of_error(error)


def sweep() -> int:
    """End calls that nobody answered in time or whose worker is lost; how many workers to wake."""
    if not _some_open.rows():
        return 0
    for row in PromptHelp.objects.filter(status=HelpStatus.QUEUED, created_at__lt=Now() - WAITS):
        _fail(row, row.reason or _("Nobody answered within two minutes."), None, cost=0)
    for row in PromptHelp.objects.filter(status=HelpStatus.RUNNING, lease_until__lt=Now()):
        log.warning("The lease of a call of the prompt helper expired", extra={"prompt_help": str(row.pk)})
        cost = row.upstream.helper_cost if row.upstream else 0
        reason = _("The portal's worker was interrupted.")
        _fail(row, reason, Unknown(reason), cost=cost)
    return min(PromptHelp.objects.ready().count(), MAX_WAKES)


def end_of(member: int) -> None:
    """End what waits of a member who has left the team."""
    waiting: QuerySet[PromptHelp] = PromptHelp.objects.filter(member=member, status=HelpStatus.QUEUED)
    for row in waiting:
        _fail(row, _("This membership has ended."), None, cost=0)


def forget() -> int:
    """Blank prompts and answers that are a day old; of how many calls."""
    old = PromptHelp.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(text="", answers=[])
    return old.exclude(status__in=[HelpStatus.QUEUED, HelpStatus.RUNNING]).update(text="", answers=[])
