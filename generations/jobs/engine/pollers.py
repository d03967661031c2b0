"""The threads of a worker that poll tasks: one that claims what is due, and a few that ask.

Tasks of which a provider tells together are asked for with one question; those that it says have ended, one
by one. Most answers say nothing new. These are recorded by the first thread, in one statement for all, so
that such a poll takes no connection to the database.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import half_done, poll
from generations.jobs.engine.failures import guarded
from generations.jobs.models import Attempt

log = logging.getLogger(__name__)

INTERVAL = 0.25  # seconds between two looks for due tasks
REST_INTERVAL = 1.0  # the same while there are no tasks
THREADS = 16
CLAIMED_AT_ONCE = 32  # under the lease of a claim, whatever the providers' pace

_waiting: dict[int, Attempt] = {}  # claimed and not begun, by primary key
_unchanged: list[tuple[Attempt, poll.GoesOn]] = []  # polled, and not yet recorded
_under_way = 0
_lock = threading.Lock()
_threads = ThreadPoolExecutor(THREADS, "polls")


def start(*, ended: Callable[[], None]) -> None:
    """Poll tasks while this process runs; `ended` is called when an account may have a free place again."""
    threading.Thread(target=_claim_forever, args=[ended], name="poller", daemon=True).start()


def stop() -> None:
    """Give back what was not begun, and wait for the rest."""
    _give_back()
    _threads.shutdown(wait=True, cancel_futures=True)
    half_done.stop()
    _give_back()  # tasks of a list that had ended, and were to be asked for by themselves
    record_unchanged()


def _give_back() -> None:
    with _lock:
        unbegun = list(_waiting.values())
        _waiting.clear()
    poll.release(unbegun)


def claim_round(ended: Callable[[], None]) -> int:
    """Claim what is due and hand it to the threads; how many."""
    with _lock:
        places = CLAIMED_AT_ONCE - len(_waiting) - _under_way
    found = poll.claim_due(places) if places > 0 else []
    for attempts in poll.together(found):
        _hand_over(attempts, ended)
    return len(found)


def record_unchanged() -> None:
    """Record when the tasks are polled next that go on as before; they are kept if that fails."""
    with _lock:
        answers = _unchanged.copy()
    if answers:
        poll.postpone_all(answers)
    with _lock:
        del _unchanged[: len(answers)]


def _claim_forever(ended: Callable[[], None]) -> None:
    while not engine_claim.stopping.is_set():
        are_tasks = True
        with guarded("record tasks that go on"):
            record_unchanged()
        with guarded("claim tasks that are due"):
            are_tasks = claim_round(ended) > 0 or poll.are_under_way()
        engine_claim.release_connection()
        time.sleep(INTERVAL if are_tasks else REST_INTERVAL)


def _hand_over(attempts: list[Attempt], ended: Callable[[], None]) -> None:
    """Let a thread ask for these with one question, or for one by itself."""
    with _lock:
        _waiting.update({attempt.pk: attempt for attempt in attempts})
    try:
        _threads.submit(_poll, [attempt.pk for attempt in attempts], ended)
    except RuntimeError:  # this worker stops
        with _lock:
            for attempt in attempts:
                _waiting.pop(attempt.pk, None)
        poll.release(attempts)


def _poll(pks: list[int], ended: Callable[[], None]) -> None:
    global _under_way  # noqa: PLW0603  one count per process, as there is one pool of threads
    with _lock:
        attempts = [each for pk in pks if (each := _waiting.pop(pk, None))]  # some may have been given back
        _under_way += len(attempts)
    try:
        if len(attempts) > 1:
            _ask_together(attempts, ended)
        for attempt in attempts if len(attempts) == 1 else []:
            with guarded(f"poll generation {attempt.generation_id}"):
                _record(attempt, poll.ask(attempt), ended)
    finally:
        engine_claim.release_connection()
        with _lock:
            _under_way -= len(attempts)


def _ask_together(attempts: list[Attempt], ended: Callable[[], None]) -> None:
    answers: dict[int, poll.Answer | poll.GoesOn] | None = {}
    with guarded(f"poll tasks of {attempts[0].upstream.name} together"):
        answers = poll.ask_many(attempts)
    if answers is None:  # no permit
        return
    for attempt in attempts:
        if attempt.pk not in answers:
            _hand_over([attempt], ended)
    for attempt in attempts:
        if answer := answers.get(attempt.pk):
            with guarded(f"record generation {attempt.generation_id}"):
                _record(attempt, answer, ended)


def _record(attempt: Attempt, answer: poll.Answer | poll.GoesOn | None, ended: Callable[[], None]) -> None:
    if isinstance(answer, poll.GoesOn):
        with _lock:
            _unchanged.append((attempt, answer))
        return
    if answer is not None:
        poll.record(attempt, answer)
    if engine_claim.is_limited(attempt.upstream, attempt.generation.model) and poll.has_ended(attempt):
        ended()
