"""Connections to Redis: the rate limiter, Celery's wake-ups, live page updates and API counters."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from generations.core import redis_url


@cache
def client(seconds: float = 2.0) -> redis.Redis:
    """Return a client that waits this long for an answer and retries once over a new connection."""
    return redis.Redis(
        **redis_url.read(settings.REDIS_URL).options,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 1),
    )


def async_client(*, seconds: float, connect_seconds: float) -> redis.asyncio.Redis:
    """Return a client for an event loop, with its time-outs of an answer and of connecting."""
    return redis.asyncio.Redis(
        **redis_url.read(settings.REDIS_URL).options,
        socket_timeout=seconds,
        socket_connect_timeout=connect_seconds,
        retry=AsyncRetry(NoBackoff(), 0),
    )
