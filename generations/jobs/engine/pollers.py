"""The threads of a worker that poll tasks: one that claims what is due, and a few that ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import poll
from generations.jobs.engine.failures import guarded
from generations.jobs.models import Attempt

log = logging.getLogger(__name__)

INTERVAL = 0.25  # seconds between two looks for due tasks
THREADS = 16
CLAIMED_AT_ONCE = 32  # under the lease of a claim, whatever the providers' pace

_waiting: dict[int, Attempt] = {}  # claimed and not begun, by primary key
_under_way = 0
_lock = threading.Lock()
_threads = ThreadPoolExecutor(THREADS, "polls")


def start(*, ended: Callable[[], None]) -> None:
    """Poll tasks while this process runs; `ended` is called when an account may have a free place again."""
    threading.Thread(target=_claim_forever, args=[ended], name="poller", daemon=True).start()


def stop() -> None:
    """Give back what was not begun, and wait for the rest."""
    with _lock:
        unbegun = list(_waiting.values())
        _waiting.clear()
    poll.release(unbegun)
    _threads.shutdown(wait=True, cancel_futures=True)


def claim_round(ended: Callable[[], None]) -> int:
    """Claim what is due and hand it to the threads; how many."""
    with _lock:
        places = CLAIMED_AT_ONCE - len(_waiting) - _under_way
    found = poll.claim_due(places) if places > 0 else []
    for attempt in found:
        with _lock:
            _waiting[attempt.pk] = attempt
        _threads.submit(_poll, attempt.pk, ended)
    return len(found)


def _claim_forever(ended: Callable[[], None]) -> None:
    while not engine_claim.stopping.is_set():
        with guarded("claim tasks that are due"):
            claim_round(ended)
        engine_claim.release_connection()
        time.sleep(INTERVAL)


def _poll(pk: int, ended: Callable[[], None]) -> None:
    global _under_way  # noqa: PLW0603  one count per process, as there is one pool of threads
    with _lock:
        attempt = _waiting.pop(pk, None)
        _under_way += attempt is not None
    if attempt is None:  # given back
        return
    try:
        with guarded(f"poll generation {attempt.generation_id}"):
            poll.run(attempt)
            if attempt.upstream.max_in_flight is not None and poll.has_ended(attempt):
                ended()
    finally:
        engine_claim.release_connection()
        with _lock:
            _under_way -= 1
