"""Whether what the portal stands on answers, asked so that no page waits long for it."""

from __future__ import annotations

from dataclasses import dataclass

from redis import RedisError

from generations.jobs.engine import heartbeats
from generations.jobs.engine.heartbeats import Worker
from generations.jobs.monitoring import readiness

_storage = readiness.Readiness({"storage": readiness.check_storage}, patience=0.5, good_for=5.0)


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
        seen = heartbeats.known_workers()
    except RedisError:
        return Pulse(redis=False, storage=storage_answers(), workers=[])
    return Pulse(redis=True, storage=storage_answers(), workers=seen)


def storage_answers() -> bool:
    """Whether object storage does; what takes long counts as no, and is asked on beside the page."""
    [part] = _storage.parts()
    return not part.problem
