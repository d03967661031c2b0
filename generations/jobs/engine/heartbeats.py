"""Heartbeats of workers: every two seconds each writes its spool's state to a hash in Redis."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from redis import RedisError

from generations.core import redis_client
from generations.jobs.engine import failures, spool

log = logging.getLogger(__name__)

KEY = "sdweb:workers"
FAILING_KEY = "sdweb:workers:failing"  # a hash of its own: workers of an older release read the other one
ALIVE_FOR = 10.0  # seconds after its last heartbeat
LISTED_FOR = 120.0  # seconds after its last heartbeat
PAGE_TIMEOUT = 0.5  # seconds that a page waits for Redis
LOW_DISK = 5 * spool.MIN_FREE_BYTES


@dataclass(frozen=True)
class Worker:
    """The last heartbeat of a worker: attempts waiting in its spool, and free bytes on the spool's disk."""

    name: str
    heard_at: float
    waiting: int
    free: int
    has_room: bool
    failing: tuple[str, ...] = ()  # repairs that failed three times or more in a row

    @property
    def is_alive(self) -> bool:
        """Whether its last heartbeat is recent."""
        return time.time() - self.heard_at < ALIVE_FOR

    @property
    def is_low_on_space(self) -> bool:
        """Whether its disk is nearly full, or its spool no longer accepts images."""
        return not self.has_room or self.free < LOW_DISK


def send() -> None:
    """Send this worker's heartbeat. Logged, not raised, if Redis is unreachable."""
    waiting, free = spool.usage()
    state = {"heard_at": time.time(), "waiting": waiting, "free": free, "has_room": spool.has_room()}
    failing = failures.reported()
    try:
        redis_client.client().hset(KEY, spool.WORKER, json.dumps(state))
        if failing:
            redis_client.client().hset(FAILING_KEY, spool.WORKER, json.dumps(failing))
        else:
            redis_client.client().hdel(FAILING_KEY, spool.WORKER)
    except RedisError as problem:
        log.info("The heartbeat was not sent: %s", problem)


def remove() -> None:
    """Remove this worker from the list, because it stops."""
    try:
        redis_client.client().hdel(KEY, spool.WORKER)
        redis_client.client().hdel(FAILING_KEY, spool.WORKER)
    except RedisError as problem:
        log.info("This worker could not be removed from the list of workers: %s", problem)


def known_workers() -> list[Worker]:
    """Workers with a heartbeat in the last two minutes, by name. Raises RedisError."""
    redis = redis_client.client(PAGE_TIMEOUT)
    states: Any = redis.hgetall(KEY)
    failing: Any = redis.hgetall(FAILING_KEY)
    workers = [
        Worker(name.decode(), **json.loads(state), failing=tuple(json.loads(failing.get(name, "[]"))))
        for name, state in states.items()
    ]
    gone = [worker.name for worker in workers if time.time() - worker.heard_at > LISTED_FOR]
    if gone:
        redis.hdel(KEY, *gone)
        redis.hdel(FAILING_KEY, *gone)
    return sorted((worker for worker in workers if worker.name not in gone), key=lambda worker: worker.name)
