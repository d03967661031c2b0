"""Which workers are there, and how their spools are: each of them says so every two seconds, in Redis."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from redis import RedisError

from generations.core import redis_client
from generations.jobs.engine import spool

log = logging.getLogger(__name__)

LIST = "sdweb:workers"
FRESH = 10.0  # seconds since it was last heard in which a worker is taken to be there
MISSED = 120.0  # seconds for which one that went silent is still listed
PAGES_WAIT = 0.5  # seconds
SCARCE = 5 * spool.ROOM  # bytes left on the disk at which operators are told


@dataclass(frozen=True)
class Worker:
    """What a worker said of itself last: when, how many images wait in its spool, what its disk takes."""

    name: str
    heard_at: float
    waiting: int
    free: int
    has_room: bool

    @property
    def is_there(self) -> bool:
        """Whether it was heard a moment ago."""
        return time.time() - self.heard_at < FRESH

    @property
    def is_short(self) -> bool:
        """Whether its disk is nearly full, or has stopped it already."""
        return not self.has_room or self.free < SCARCE


def report() -> None:
    """Say that this worker is there. A Redis that is away is no error here."""
    waiting, free = spool.state()
    said = {"heard_at": time.time(), "waiting": waiting, "free": free, "has_room": spool.has_room()}
    try:
        redis_client.client().hset(LIST, spool.WORKER, json.dumps(said))
    except RedisError as problem:
        log.info("This worker could not say that it is there: %s", problem)


def leave() -> None:
    """This worker stops, and is not missed."""
    try:
        redis_client.client().hdel(LIST, spool.WORKER)
    except RedisError as problem:
        log.info("This worker could not say that it stops: %s", problem)


def seen() -> list[Worker]:
    """Those that are there, and those that went silent a moment ago. Raises RedisError."""
    redis = redis_client.client(PAGES_WAIT)
    said: Any = redis.hgetall(LIST)
    known = [Worker(name.decode(), **json.loads(facts)) for name, facts in said.items()]
    gone = [worker.name for worker in known if time.time() - worker.heard_at > MISSED]
    if gone:
        redis.hdel(LIST, *gone)
    return sorted((worker for worker in known if worker.name not in gone), key=lambda worker: worker.name)
