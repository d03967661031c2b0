"""What changed, told to the pages of the one person it concerns, through a stream in Redis.

An event names a row; `news` draws it for whoever has a page open. Losing the stream loses nothing:
every page can ask again. So a Redis that is away is no error here, and nobody waits for it: events
leave on a thread of their own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from django.db import DatabaseError
from redis import RedisError

from generations.core import redis_client

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Mapping

    from generations.jobs.models import Batch, Generation
    from generations.teams.models import Membership

log = logging.getLogger(__name__)

P = ParamSpec("P")

STREAM = "sdweb:changes"
ENDED = "ended"  # the kind that names generations, and wakes the calls that wait for them
PAGES_WAIT = 0.2  # seconds: better without live news than late
KEPT = 5_000  # events; at a full engine about a minute
_sender = ThreadPoolExecutor(1, "events")


def wait_until_sent() -> None:
    """Return once every event so far has left, or was given up."""
    _sender.submit(int).result()


def newest() -> str:
    """The id of the newest event, for a page that is about to be rendered; "" if Redis is away."""
    try:
        entries: Any = redis_client.client(PAGES_WAIT).xrevrange(STREAM, count=1)
    except RedisError:
        return ""
    return str(entries[0][0], "ascii") if entries else "0-0"


def _beside_the_work(tell: Callable[P, None]) -> Callable[P, None]:
    """News that cannot be told is logged and lost; whoever paid for a picture still gets it."""

    @wraps(tell)
    def told(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            tell(*arguments, **named)
        except DatabaseError:
            log.exception("Open pages were not told of a change; they ask again")

    return told


@_beside_the_work
def generation_changed(row: Generation) -> None:
    """Let its owner's pages show the generation, and what is left to spend, as they are now."""
    _send(row.member, "tile", str(row.pk))


@_beside_the_work
def generation_ended(row: Generation) -> None:
    """As above, and wake whoever waits for it: a program's call is no page, and hears of nothing else."""
    _ended([row.pk])
    _send(row.member, "tile", str(row.pk))


@_beside_the_work
def many_canceled(member: Membership, generations: Collection[uuid.UUID]) -> None:
    """Let the person's pages ask again for what they show: cheaper than a tile for each."""
    _ended(generations)
    _send(member, "resync", "")
    _send(member, "wallet", "")


@_beside_the_work
def batch_made(batch: Batch) -> None:
    """Let the other pages of the one who made it show the new batch."""
    _send(batch.member, "batch", str(batch.pk))


@_beside_the_work
def wallet_changed(member: Membership) -> None:
    """Let the person's pages show what is left to spend."""
    _send(member, "wallet", "")


def places_changed(places: Mapping[tuple[int, int], Mapping[str, Any]]) -> None:
    """Tell each (user, team) where its waiting generations stand in line."""
    for (user, team), mine in places.items():
        _sender.submit(_add, {"user": user, "team": team, "kind": "places", "data": json.dumps(mine)})


def _ended(generations: Collection[uuid.UUID]) -> None:
    """Addressed to nobody: only the generations that calls wait for count."""
    names = " ".join(map(str, generations))
    _sender.submit(_add, {"user": 0, "team": 0, "kind": ENDED, "data": names})


def _send(member: Membership, kind: str, data: str) -> None:
    if member.user_id is not None:  # a program has no pages
        event = {"user": member.user_id, "team": member.team_id, "kind": kind, "data": data}
        _sender.submit(_add, event)


def _add(event: dict[Any, Any]) -> None:
    try:
        redis_client.client().xadd(STREAM, event, maxlen=KEPT, approximate=True)
    except RedisError as problem:
        log.info("A change was not told to open pages, which will ask again: %s", problem)
