"""Whether what the portal stands on answers, asked so that no page waits long for it."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass

from redis import RedisError

from generations.jobs import workers
from generations.jobs.workers import Worker
from generations.library import storage

PATIENCE = 0.5  # seconds that a page waits for storage
REMEMBERED = 5.0  # seconds for which storage is not asked again

_asker = ThreadPoolExecutor(1, "storage")
_asked: tuple[float, Future[bool]] | None = None


@dataclass(frozen=True)
class Pulse:
    """Who answers; `workers` that are there or went silent a moment ago. The database was asked first."""

    redis: bool
    storage: bool
    workers: list[Worker]

    @property
    def present(self) -> int:
        """Workers that were heard a moment ago."""
        return sum(worker.is_there for worker in self.workers)

    @property
    def short(self) -> list[Worker]:
        """Workers whose disk is nearly full, or which stopped for it or for storage."""
        return [worker for worker in self.workers if worker.is_there and worker.is_short]


def feel() -> Pulse:
    """Ask everybody."""
    try:
        seen = workers.seen()
    except RedisError:
        return Pulse(redis=False, storage=storage_answers(), workers=[])
    return Pulse(redis=True, storage=storage_answers(), workers=seen)


def storage_answers() -> bool:
    """Whether object storage does; what takes long counts as no, and is asked on beside the page."""
    global _asked  # noqa: PLW0603  one question at a time for all pages of the process
    if _asked is None or (_asked[1].done() and time.monotonic() - _asked[0] > REMEMBERED):
        _asked = time.monotonic(), _asker.submit(storage.is_up)
    try:
        return _asked[1].result(PATIENCE)
    except TooLate:
        return False
