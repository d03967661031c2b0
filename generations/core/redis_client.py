"""Connections to Redis: the rate limiter, Celery's wake-ups, live page updates and API counters."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client(seconds: float = 2.0) -> redis.Redis:
    """Return a client that waits this long for an answer and retries once over a new connection."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 1),
    )
