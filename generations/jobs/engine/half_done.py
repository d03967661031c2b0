"""Half-done pictures of tasks under way: small, in Redis, for some minutes, and of no consequence.

The address comes from the provider and is fetched as a result's is, by threads of their own, so that no poll
waits for it. An address is fetched once, and for each task at most one in INTERVAL seconds. Whatever goes
wrong, the task goes on as if there were no such picture: it is no result, is not stored, and costs nothing.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from redis import RedisError

from generations.core import log_context, redis_client
from generations.jobs import events
from generations.jobs.engine.claim import release_connection
from generations.jobs.engine.failures import guarded
from generations.jobs.models import Attempt
from generations.library.delivery import thumbnails
from generations.library.imaging.decode import DecodingBusy, Unreadable
from generations.providers.base import Output, ProviderError
from generations.providers.fetch_result import FetchFailed, host_of
from generations.upstreams import accounts

log = logging.getLogger(__name__)

INTERVAL = 10  # seconds between two pictures of a task
TIMEOUT = 20.0  # seconds in which one is fetched
KEPT = 900  # seconds for which the newest is kept: longer than it takes until the next, or the result
ADDRESSES_KEPT = 7_200  # seconds for which is known what was fetched: longer than a task takes
MAX_SIZE = 256 * 1024  # bytes; a thumbnail has about 20 KB
THREADS, MAX_WAITING = 4, 8  # what comes when so many wait is left out: the next poll tells of it again

_places = threading.BoundedSemaphore(MAX_WAITING)
_threads = ThreadPoolExecutor(THREADS, "half-done")


def follow(attempt: Attempt, address: str) -> None:
    """Have the half-done picture at an address shown in the tile of a claimed attempt's generation."""
    if not _places.acquire(blocking=False):
        return
    try:
        _threads.submit(_follow, attempt, address)
    except RuntimeError:  # this worker stops
        _places.release()


def flush() -> None:
    """Return once all that is followed so far is shown, or failed."""
    for _ in range(MAX_WAITING):
        _places.acquire()
    for _ in range(MAX_WAITING):
        _places.release()


def stop() -> None:
    """Follow no more, and wait for what is under way."""
    _threads.shutdown(wait=True, cancel_futures=True)


def versions(generations: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return which half-done picture there is, of those generations that have one."""
    if not generations:
        return {}
    try:
        pipeline = redis_client.client(events.PAGE_TIMEOUT).pipeline(transaction=False)
        for pk in generations:
            pipeline.hget(_key(pk), "version")
        found: list[Any] = pipeline.execute()
    except RedisError as problem:
        log.info("Half-done pictures are not shown: %s", problem)
        return {}
    return {pk: str(each, "ascii") for pk, each in zip(generations, found, strict=True) if each}


def read(generation: uuid.UUID) -> bytes | None:
    """Return the newest half-done picture, a WebP; None if there is none."""
    try:
        kept: Any = redis_client.client(events.PAGE_TIMEOUT).hget(_key(generation), "picture")
    except RedisError as problem:
        log.info("A half-done picture is not shown: %s", problem)
        return None
    return kept or None


def _follow(attempt: Attempt, address: str) -> None:
    try:
        with log_context.bind(generation=str(attempt.generation_id)), guarded("show a half-done picture"):
            _fetch(attempt, address)
    finally:
        release_connection()
        _places.release()


def _fetch(attempt: Attempt, address: str) -> None:
    try:
        if _is_turn(attempt.generation_id, address):
            output = accounts.fetch(attempt.upstream, Output(url=address), timeout=TIMEOUT)
            _show(attempt, thumbnails.reduced(output.data))
    except (FetchFailed, Unreadable, DecodingBusy, ProviderError, RedisError) as problem:
        log.info("A half-done picture at %s is not shown: %s", host_of(address), problem)


def _is_turn(generation: uuid.UUID, address: str) -> bool:
    """Whether the address is fetched now, by this worker; then it never is again."""
    redis, key = redis_client.client(), _key(generation)
    known, digest = f"{key}:addresses", hashlib.sha256(address.encode()).hexdigest()
    if redis.sismember(known, digest) or not redis.set(f"{key}:turn", 1, nx=True, ex=INTERVAL):
        return False
    with redis.pipeline() as pipeline:
        pipeline.sadd(known, digest)
        pipeline.expire(known, ADDRESSES_KEPT)
        pipeline.execute()
    return True


def _show(attempt: Attempt, picture: bytes) -> None:
    if len(picture) > MAX_SIZE:
        return
    key = _key(attempt.generation_id)
    version = hashlib.sha256(picture).hexdigest()[:16]
    with redis_client.client().pipeline() as pipeline:
        pipeline.hset(key, mapping={"version": version, "picture": picture})
        pipeline.expire(key, KEPT)
        pipeline.execute()
    events.generation_changed(attempt.generation)


def _key(generation: uuid.UUID) -> str:
    return f"half-done:{generation}"
