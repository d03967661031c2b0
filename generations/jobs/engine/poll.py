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
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeGuard

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.core.prepared_queries import PreparedQuery
from generations.jobs import events
from generations.jobs.engine import half_done, member_reasons, outcomes, persist, spool, task_text
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine.claim import release_connection
from generations.jobs.engine.run import retry_on_db_error
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.providers import fetch_result
from generations.providers.base import (
    Accepted,
    Busy,
    Done,
    ListsTasks,
    Output,
    ProviderError,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.upstreams import accounts, blocks
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

Answer = Done | Accepted | ProviderError


@dataclass(frozen=True)
class GoesOn:
    """The answer to most polls: the task goes on, and nothing about it is new."""

    poll_after: float


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
    if not (_some_due.rows() and spool.has_room()):
        return []
    with transaction.atomic():
        found = _first_due(limit).all()
        claimed = Attempt.objects.filter(pk__in=[each.pk for each in found])
        claimed.update(poll_at=Now() + LEASE, worker=spool.WORKER)
    upstreams = Upstream.objects.in_bulk({each.upstream_id for each in found})
    for attempt in found:
        attempt.upstream = upstreams[attempt.upstream_id]
    return found


def are_under_way() -> bool:
    """Whether there are tasks at all, due or not."""
    return bool(_some.rows())


def together(attempts: Iterable[Attempt]) -> list[list[Attempt]]:
    """Return claimed attempts whose tasks one question tells of together, and each of the others alone."""
    groups: dict[tuple[int, str], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        name = _list_of(attempt)
        groups[(attempt.upstream_id, name) if name else (attempt.pk, "")].append(attempt)
    return list(groups.values())


def ask_many(attempts: list[Attempt]) -> dict[int, Answer | GoesOn] | None:
    """Ask once how claimed tasks of one list are; the answers by primary key, without recording them.

    What is not told of is left to `ask`, as what has ended is. None if there was no permit.
    """
    upstream = attempts[0].upstream
    kept = {each.pk: (each, task_text.read(each.task)) for each in attempts if _is_current(each)}
    asked = {pk: (each, task) for pk, (each, task) in kept.items() if isinstance(task, Task)}
    provider = accounts.provider(upstream)
    if not (asked and isinstance(provider, ListsTasks)):
        return {}
    if not _may_poll(upstream):
        for attempt in attempts:
            _postpone(attempt, NO_PERMIT)
        return None
    try:
        found = provider.poll_many([task for _attempt, task in asked.values()], timeout=TIMEOUT)
    except ProviderError as problem:
        return dict.fromkeys(asked, problem)
    answers: dict[int, Answer | GoesOn] = {}
    now = time.time()
    for pk, (attempt, task) in asked.items():
        if answer := found.get(task.remote_id):
            in_step = replace(answer, poll_after=_in_step(answer.poll_after, now))
            answers[pk] = _condensed(in_step, attempt, task)
    return answers


def run(attempt: Attempt) -> None:
    """Poll one claimed task once, or fetch its results, and record what came of it."""
    if (answer := ask(attempt)) is not None:
        record(attempt, answer)


def ask(attempt: Attempt) -> Answer | GoesOn | None:
    """Return what the provider says about a claimed task, or its fetched results, without recording it.

    None if it was not asked: there was no permit, or the task is over.
    """
    with _logged(attempt):
        if not _is_current(attempt):
            Attempt.objects.filter(pk=attempt.pk).update(poll_at=None)
            return None
        return _next_result(attempt)


def postpone_all(answers: Iterable[tuple[Attempt, GoesOn]]) -> None:
    """Record for many at once when each task is polled next."""
    by_delay: dict[float, list[int]] = defaultdict(list)
    crowded = _crowded()
    for attempt, answer in answers:
        by_delay[max(answer.poll_after, crowded)].append(attempt.pk)
    for seconds, pks in by_delay.items():
        _open_tasks().filter(pk__in=pks).update(poll_at=Now() + timedelta(seconds=seconds))


def record(attempt: Attempt, answer: Answer | GoesOn) -> None:
    """Record an answer, and store the images that it brought."""
    if isinstance(answer, GoesOn):
        postpone_all([(attempt, answer)])
        return
    with _logged(attempt), engine_leases.renewing(attempt.generation_id, attempt.number, TIMEOUT):
        if row := retry_on_db_error(_record, attempt.generation, attempt, answer):
            retry_on_db_error(persist.store, row)


def has_ended(attempt: Attempt) -> bool:
    """Return whether the task is not polled any more."""
    return not Attempt.objects.filter(pk=attempt.pk, poll_at__isnull=False).exists()


def _due() -> QuerySet[Attempt]:
    """Tasks that it is time for. A blocked account is not asked; fetching a result does not ask it."""
    blocked_until = "upstream__polls_blocked_until"
    unblocked = Q(**{f"{blocked_until}__isnull": True}) | Q(**{f"{blocked_until}__lte": Now()})
    return Attempt.objects.filter(unblocked | Q(to_fetch=True), poll_at__lte=Now()).order_by("poll_at")


_some_due = PreparedQuery(lambda: _due().values_list("pk")[:1])
_some = PreparedQuery(lambda: Attempt.objects.filter(poll_at__isnull=False).values_list("pk")[:1])


@lru_cache(maxsize=64)
def _first_due(limit: int) -> PreparedQuery[Attempt]:
    """Up to `limit` due attempts, locked, with no more of their generations than a poll needs.

    Most polls find a task as it was: reading whole rows for them cost more than the polls.
    """
    read = [field.name for field in Attempt._meta.concrete_fields]
    few = _due().select_related("generation").only(*read, "generation__status", "generation__attempt")
    return PreparedQuery(lambda: few.select_for_update(skip_locked=True, of=("self",))[:limit])


def _logged(attempt: Attempt) -> AbstractContextManager[None]:
    return log_context.bind(
        generation=str(attempt.generation_id), attempt=attempt.number, upstream=attempt.upstream.name
    )


def _next_result(attempt: Attempt) -> Answer | GoesOn | None:
    """What the provider says, or the fetched results; None if there was no permit to ask."""
    try:
        kept = task_text.read(attempt.task)
        if isinstance(kept, Done):
            release_connection()
            return _fetched(attempt, kept)
        if not _may_poll(attempt.upstream):
            _postpone(attempt, NO_PERMIT)
            return None
        answer = accounts.provider(attempt.upstream).poll(kept, timeout=TIMEOUT)
        return _condensed(answer, attempt, kept)
    except ProviderError as problem:
        return problem
    except Undecryptable as problem:
        return Unknown(str(problem), code="undecryptable")
    except Exception:  # a fault of ours; the task is polled again
        log.exception("A task of provider account %s could not be polled", attempt.upstream.name)
        return Unknown(_("The provider's answer could not be read."))


def _is_current(attempt: Attempt) -> bool:
    row = attempt.generation
    return row.status == Status.SUBMITTED and row.attempt == attempt.number


def _list_of(attempt: Attempt) -> str:
    """The list that tells of the task; "" if it is polled by itself, which says what is wrong with it."""
    try:
        provider = accounts.provider(attempt.upstream)
        kept = task_text.read(attempt.task) if isinstance(provider, ListsTasks) else None
        return provider.list_of(kept) if isinstance(kept, Task) and isinstance(provider, ListsTasks) else ""
    except (ProviderError, Undecryptable):
        return ""


def _in_step(seconds: float, now: float) -> float:
    """So many seconds from now, and up to a third more until many tasks of a list are due together.

    Else they would stay as scattered as they were ordered, and a question would tell of one or two.
    """
    step = max(seconds / 3, 0.1)
    return math.ceil((now + seconds) / step) * step - now


def _condensed(answer: Done | Accepted, attempt: Attempt, task: Task) -> Done | Accepted | GoesOn:
    """The answer, or `GoesOn` in place of one that says nothing new."""
    if isinstance(answer, Accepted) and answer.half_done:
        half_done.follow(attempt, answer.half_done)
    return GoesOn(answer.poll_after) if _says_nothing_new(answer, attempt, task) else answer


def _says_nothing_new(answer: Done | Accepted, attempt: Attempt, task: Task) -> TypeGuard[Accepted]:
    if not isinstance(answer, Accepted) or answer.task != task:
        return False
    return not (attempt.failed_polls or _is_over(attempt) or _news(attempt, answer))


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
    return permit.is_fresh or upstreams_rate_limit.confirm(permit)


def _record(known: Generation, attempt: Attempt, result: Answer) -> Generation | None:
    """Record the result of a poll; return the generation if images of it are now in the spool."""
    row = Generation.objects.select_related("batch", "member__team").get(pk=known.pk)
    row.attempt = attempt.number  # the fence: it may have been claimed since
    match result:
        case Accepted():
            _go_on(row, attempt, result)
        case Done() if any(output.url for output in result.kept):
            outcomes.accept_addresses(row, attempt.upstream, result)
        case Done():
            return row if outcomes.record(row, attempt.upstream, result) else None
        case Refused():
            outcomes.record(row, attempt.upstream, result)
        case Unknown(code="result_lost"):
            outcomes.give_up_task(row, result)
        case _:
            _retry_later(row, attempt, result)
    return None


def _go_on(row: Generation, attempt: Attempt, accepted: Accepted) -> None:
    if _is_over(attempt):
        outcomes.give_up_task(row, Unknown(_("The provider did not finish in time."), code="task_expired"))
        return
    changes = _news(attempt, accepted)
    _postpone(
        attempt,
        max(accepted.poll_after, _crowded()),
        failed_polls=0,
        task=task_text.of_task(accepted.task),
        **changes,
    )
    if changes:
        events.generation_changed(row)


def _news(attempt: Attempt, accepted: Accepted) -> dict[str, Any]:
    """What the provider says about a task that it has not said before."""
    said = {"progress": accepted.progress, "message": accepted.message[:200]}
    return {name: value for name, value in said.items() if getattr(attempt, name) != value}


def _crowded() -> float:
    """The seconds between two polls of a task at which all together are polled as often as they may be."""
    global _counted  # noqa: PLW0603  one per process
    at, tasks = _counted
    if time.monotonic() - at > COUNT_INTERVAL:
        tasks = Attempt.objects.filter(poll_at__isnull=False).count()
        _counted = time.monotonic(), tasks
    return tasks / MAX_POLLS_A_SECOND


def _retry_later(row: Generation, attempt: Attempt, error: ProviderError) -> None:
    """Poll again, whatever failed; a 429 blocks polls of the account, a refused key pauses it."""
    log.warning("A poll of upstream %s failed: %s", attempt.upstream.name, error)
    if isinstance(error, Busy) and error.limited:
        blocks.after_poll(attempt.upstream, error.retry_after)
    if isinstance(error, Unavailable) and error.status == 401:
        accounts.pause(attempt.upstream, error)
    if _is_over(attempt):
        outcomes.give_up_task(row, Unknown(member_reasons.of_error(error), error.status, code="task_expired"))
        return
    seconds = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(attempt.failed_polls, 10))
    _postpone(attempt, seconds, failed_polls=F("failed_polls") + 1)


def _postpone(attempt: Attempt, seconds: float, **changes: object) -> None:
    _open_tasks().filter(pk=attempt.pk).update(poll_at=Now() + timedelta(seconds=seconds), **changes)


def _open_tasks() -> QuerySet[Attempt]:
    return Attempt.objects.filter(outcome=Outcome.ACCEPTED, poll_at__isnull=False)


def _is_over(attempt: Attempt) -> bool:
    return attempt.expires_at is None or attempt.expires_at <= timezone.now()


def _fetched(attempt: Attempt, done: Done) -> Done | ProviderError:
    """The results with their bytes. One that cannot be fetched any more does not cost the others."""
    fetched: list[Output] = []
    failure: fetch_result.FetchFailed | None = None
    for output in done.outputs:
        try:
            fetched.append(accounts.fetch(attempt.upstream, output) if output.url else output)
        except fetch_result.FetchFailed as problem:
            host = fetch_result.host_of(output.url)
            log.warning("A result of upstream %s at %s was not fetched: %s", attempt.upstream, host, problem)
            if problem.again and not _is_over(attempt):
                return Unknown(str(problem), code="not_fetched")
            failure = problem
    if not fetched and failure is not None:
        reason = _("The result could not be fetched from the provider: %(reason)s") % {"reason": failure}
        return Unknown(reason, code="result_lost")
    return replace(done, outputs=tuple(fetched), broken=done.broken + len(done.outputs) - len(fetched))
