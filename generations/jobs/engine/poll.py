"""Poll the tasks that providers have accepted, and fetch results that are given by address.

State is in the attempt: when it is polled next, and what the client needs for it. Any worker takes what is
due, many at once under a short lease (`poll_at` is moved ahead), so that no thread waits for a task. Whatever
goes wrong, a task is polled again, more slowly each time, until the provider has said its last word or the
task expires: it is bought and never requested again.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.jobs import events
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import member_reasons, outcomes, persist, spool, task_text
from generations.jobs.engine.claim import release_connection
from generations.jobs.engine.run import retry_on_db_error
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.providers import fetch_result
from generations.providers.base import (
    Accepted,
    Busy,
    Done,
    Output,
    ProviderError,
    Refused,
    Unavailable,
    Unknown,
)
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.encryption import Undecryptable
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

TIMEOUT = 60.0  # seconds for a poll in all, the picture included if it is done
LEASE = timedelta(seconds=150)  # for a poll, or for fetching several results
AFTER_A_DEATH = timedelta(seconds=15)  # no provider wants to be asked for a task less often
HORIZON = 5.0  # seconds that a poll may wait for its permit
NO_PERMIT = 1.0  # seconds after which a poll without a permit tries again
MAX_POLLS_A_SECOND = 50  # of all tasks together; if there are more, each is polled less often
COUNT_INTERVAL = 5.0  # seconds for which the number of open tasks is remembered
FIRST_RETRY, LAST_RETRY = 10.0, 300.0  # seconds after a failed poll, doubled each time

_counted = (-math.inf, 0)  # when open tasks were counted, and how many there were


def release(attempts: Iterable[Attempt]) -> None:
    """Give back claimed attempts that were not polled."""
    for attempt in attempts:
        _postpone(attempt, 0.0)


def release_of(workers: Iterable[str]) -> int:
    """Poll soon what workers that died had claimed last, or ordered; how many attempts.

    Not at once: the worker may have polled a moment before it died, and providers are not asked too often.
    """
    soon = Now() + AFTER_A_DEATH
    left = Attempt.objects.filter(poll_at__gt=soon, worker__in=workers, outcome=Outcome.ACCEPTED)
    return left.update(poll_at=soon)


def claim_due(limit: int) -> list[Attempt]:
    """Claim up to `limit` attempts whose task is due, those that wait longest first."""
    unblocked = Q(upstream__blocked_until__isnull=True) | Q(upstream__blocked_until__lte=Now())
    due = Attempt.objects.filter(unblocked, poll_at__lte=Now()).order_by("poll_at")
    if not (due.exists() and spool.has_room()):
        return []
    with transaction.atomic():
        joined = due.select_related("upstream", "generation__batch", "generation__member__team")
        found = list(joined.select_for_update(skip_locked=True, of=("self",))[:limit])
        claimed = Attempt.objects.filter(pk__in=[each.pk for each in found])
        claimed.update(poll_at=Now() + LEASE, worker=spool.WORKER)
    return found


def run(attempt: Attempt) -> None:
    """Poll one claimed task once, or fetch its results, and record what came of it."""
    row = attempt.generation
    about = log_context.bind(generation=str(row.pk), attempt=row.attempt, upstream=attempt.upstream.name)
    with about, engine_leases.renewing(row.pk, row.attempt, TIMEOUT):
        if row.status != Status.SUBMITTED or row.attempt != attempt.number:
            Attempt.objects.filter(pk=attempt.pk).update(poll_at=None)
            return
        result = _next_result(attempt)
        if result is not None and retry_on_db_error(_record, row, attempt, result):
            retry_on_db_error(persist.store, row)


def has_ended(attempt: Attempt) -> bool:
    """Return whether the task is not polled any more."""
    return not Attempt.objects.filter(pk=attempt.pk, poll_at__isnull=False).exists()


def _next_result(attempt: Attempt) -> Done | Accepted | ProviderError | None:
    """What the provider says, or the fetched results; None if there was no permit to ask."""
    try:
        kept = task_text.read(attempt.task)
        if isinstance(kept, Done):
            release_connection()
            return _fetched(attempt, kept)
        if not _may_poll(attempt.upstream):
            _postpone(attempt, NO_PERMIT)
            return None
        return accounts.provider(attempt.upstream).poll(kept, timeout=TIMEOUT)
    except ProviderError as problem:
        return problem
    except Undecryptable as problem:
        return Unknown(str(problem), code="undecryptable")
    except Exception:  # a fault of ours; the task is polled again
        log.exception("A task of upstream %s could not be polled", attempt.upstream.name)
        return Unknown(_("The provider's answer could not be read."))


def _may_poll(upstream: Upstream) -> bool:
    counts_as_call = accounts.provider(upstream).polls_count_as_calls
    release_connection()
    try:
        permit = upstreams_rate_limit.reserve_poll(upstream, horizon=HORIZON, counts_as_call=counts_as_call)
    except RedisError as problem:
        log.warning("Redis is unreachable, so no task is polled: %s", problem)
        return False
    if permit is None:
        return False
    time.sleep(permit.delay)
    return upstreams_rate_limit.confirm(permit)


def _record(row: Generation, attempt: Attempt, result: Done | Accepted | ProviderError) -> bool:
    """Record the result of a poll; True if images are now in the spool."""
    match result:
        case Accepted():
            _go_on(row, attempt, result)
        case Done() if any(output.url for output in result.kept):
            outcomes.accept_addresses(row, attempt.upstream, result)
        case Done():
            return outcomes.record(row, attempt.upstream, result)
        case Refused():
            outcomes.record(row, attempt.upstream, result)
        case Unknown(code="result_lost"):
            outcomes.give_up_task(row, result)
        case _:
            _retry_later(row, attempt, result)
    return False


def _go_on(row: Generation, attempt: Attempt, accepted: Accepted) -> None:
    if _is_over(attempt):
        outcomes.give_up_task(row, Unknown(_("The provider did not finish in time."), code="task_expired"))
        return
    said = {"progress": accepted.progress, "message": accepted.message[:200]}
    changes = {name: value for name, value in said.items() if getattr(attempt, name) != value}
    _postpone(
        attempt,
        max(accepted.poll_after, _crowded()),
        failed_polls=0,
        task=task_text.of_task(accepted.task),
        **changes,
    )
    if changes:
        events.generation_changed(row)


def _crowded() -> float:
    """The seconds between two polls of a task at which all together are polled as often as they may be."""
    global _counted  # noqa: PLW0603  one per process
    at, tasks = _counted
    if time.monotonic() - at > COUNT_INTERVAL:
        tasks = Attempt.objects.filter(poll_at__isnull=False).count()
        _counted = time.monotonic(), tasks
    return tasks / MAX_POLLS_A_SECOND


def _retry_later(row: Generation, attempt: Attempt, error: ProviderError) -> None:
    """Poll again, whatever failed; a 429 blocks the account, a refused key pauses it."""
    log.warning("A poll of upstream %s failed: %s", attempt.upstream.name, error)
    if isinstance(error, Busy) and error.limited:
        accounts.block(attempt.upstream, error.retry_after)
    if isinstance(error, Unavailable) and error.status == 401:
        accounts.pause(attempt.upstream, error)
    if _is_over(attempt):
        outcomes.give_up_task(row, Unknown(member_reasons.of_error(error), error.status, code="task_expired"))
        return
    seconds = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(attempt.failed_polls, 10))
    _postpone(attempt, seconds, failed_polls=F("failed_polls") + 1)


def _postpone(attempt: Attempt, seconds: float, **changes: object) -> None:
    open_task = Attempt.objects.filter(pk=attempt.pk, outcome=Outcome.ACCEPTED, poll_at__isnull=False)
    open_task.update(poll_at=Now() + timedelta(seconds=seconds), **changes)


def _is_over(attempt: Attempt) -> bool:
    return attempt.expires_at is None or attempt.expires_at <= timezone.now()


def _fetched(attempt: Attempt, done: Done) -> Done | ProviderError:
    """The results with their bytes. One that cannot be fetched any more does not cost the others."""
    fetched: list[Output] = []
    failure: fetch_result.FetchFailed | None = None
    for output in done.outputs:
        try:
            fetched.append(_fetch(output, attempt.upstream) if output.url else output)
        except fetch_result.FetchFailed as problem:
            log.warning("A result of upstream %s was not fetched: %s", attempt.upstream.name, problem)
            if problem.again and not _is_over(attempt):
                return Unknown(str(problem), code="not_fetched")
            failure = problem
    if not fetched and failure is not None:
        reason = _("The result could not be fetched from the provider: %(reason)s") % {"reason": failure}
        return Unknown(reason, code="result_lost")
    return replace(done, outputs=tuple(fetched), broken=done.broken + len(done.outputs) - len(fetched))


def _fetch(output: Output, upstream: Upstream) -> Output:
    hosts = accounts.result_hosts(upstream)
    return fetch_result.fetch(
        output, hosts=hosts, allow_private=upstream.private_results, proxy=upstream.proxy_address
    )
