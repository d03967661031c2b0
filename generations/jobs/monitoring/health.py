"""Whether Redis, object storage and workers respond, checked with short timeouts for pages."""

from __future__ import annotations

from dataclasses import dataclass

from redis import RedisError

from generations.jobs.engine import heartbeats
from generations.jobs.engine.heartbeats import Worker
from generations.jobs.monitoring import readiness

_redis = readiness.Readiness({"redis": readiness.check_redis}, timeout=0.5, cached_for=5.0)
_storage = readiness.Readiness({"storage": readiness.check_storage}, timeout=0.5, cached_for=5.0)


@dataclass(frozen=True)
class Health:
    """Which services respond, and workers with a recent heartbeat. The database answered before.

    `writes`: Redis takes writes; without, it answers and nobody is called.
    """

    redis: bool
    storage: bool
    workers: list[Worker]
    writes: bool = True

    @property
    def alive(self) -> int:
        """The number of workers that are alive."""
        return sum(worker.is_alive for worker in self.workers)

    @property
    def low_on_space(self) -> list[Worker]:
        """Living workers whose spool is full or nearly full."""
        return [worker for worker in self.workers if worker.is_alive and worker.is_low_on_space]


def check() -> Health:
    """Check every service."""
    try:
        workers = heartbeats.known_workers()
    except RedisError:
        return Health(redis=False, storage=storage_answers(), workers=[])
    [part] = _redis.parts()
    return Health(redis=True, storage=storage_answers(), workers=workers, writes=not part.problem)


def storage_answers() -> bool:
    """Whether object storage responds within half a second; a slow check goes on in the background."""
    [part] = _storage.parts()
    return not part.problem
