"""Our connections to Redis, which keeps the pace, carries the rings, and tells open pages what changed."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client(seconds: float = 2.0) -> redis.Redis:
    """A client that waits so long for an answer, and asks once more over a new connection."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 1),
    )
