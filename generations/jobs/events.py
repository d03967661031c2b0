"""Changes for the live pages of one user in one team, sent through a Redis stream.

An event names a row; `live.render` renders it for those who have a page open. Events may be lost: every page
can ask again. So an unreachable Redis is logged, not raised, and events are sent by a thread of their own.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, ParamSpec

from django.db import DatabaseError
from redis import RedisError

from generations.core import redis_client
from generations.jobs.models import Batch, Generation
from generations.teams.models import Membership

log = logging.getLogger(__name__)

P = ParamSpec("P")
Event = dict[Any, Any]

STREAM = "sdweb:changes"
ENDED = "ended"  # the kind of event that names finished generations, for API calls that wait for them
PAGE_TIMEOUT = 0.2  # seconds that a page waits for Redis
MAX_EVENTS = 5_000  # kept in the stream: about a minute at full speed
_sender = ThreadPoolExecutor(1, "events")


def flush() -> None:
    """Return once every event so far has been sent, or failed."""
    _sender.submit(int).result()


def newest_id() -> str:
    """The id of the newest event, for a page that is about to be rendered; "" if Redis is unreachable."""
    try:
        entries: Any = redis_client.client(PAGE_TIMEOUT).xrevrange(STREAM, count=1)
    except RedisError:
        return ""
    return str(entries[0][0], "ascii") if entries else "0-0"


def _database_errors_logged(send: Callable[P, None]) -> Callable[P, None]:
    """Log a DatabaseError instead of raising it: the work that the event reports is already committed."""

    @wraps(send)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            send(*arguments, **named)
        except DatabaseError:
            log.exception("An event was not sent; open pages will ask again")

    return wrapped


@_database_errors_logged
def generation_changed(row: Generation) -> None:
    """Update the tile of a generation, and the balance, on its member's pages."""
    _submit(*_of(row.member, "tile", str(row.pk)))


@_database_errors_logged
def generation_ended(row: Generation) -> None:
    """Update its member's pages, and wake API calls that wait for the generation."""
    _submit(_ended([row.pk]), *_of(row.member, "tile", str(row.pk)))


@_database_errors_logged
def generations_canceled(member: Membership, generations: Collection[uuid.UUID]) -> None:
    """Have the member's pages reload their tiles, which is cheaper than an event for each."""
    _submit(_ended(generations), *_of(member, "resync"), *_of(member, "wallet"))


@_database_errors_logged
def generations_requeued(member: Membership) -> None:
    """Have the member's pages load again what waits anew."""
    _submit(*_of(member, "resync"), *_of(member, "wallet"))


@_database_errors_logged
def batch_created(batch: Batch) -> None:
    """Show a new batch on the other open pages of its member."""
    _submit(*_of(batch.member, "batch", str(batch.pk)))


@_database_errors_logged
def notices_changed(pages: Iterable[tuple[int, int]]) -> None:
    """Have the pages of each (user, team) ask again for what the user should know."""
    _submit(*({"user": user, "team": team, "kind": "notices", "data": ""} for user, team in pages))


def positions_changed(positions: Mapping[tuple[int, int], Mapping[str, Any]]) -> None:
    """Send each (user, team) the queue positions of its waiting generations."""
    _submit(
        *(
            {"user": user, "team": team, "kind": "places", "data": json.dumps(mine)}
            for (user, team), mine in positions.items()
        )
    )


def _ended(generations: Collection[uuid.UUID]) -> Event:
    """The event that generations ended, without a user or team: any API call may wait for them."""
    return {"user": 0, "team": 0, "kind": ENDED, "data": " ".join(map(str, generations))}


def _of(member: Membership, kind: str, data: str = "") -> list[Event]:
    """The event for the member's pages; none for programs, which have no pages."""
    if member.user_id is None:
        return []
    return [{"user": member.user_id, "team": member.team_id, "kind": kind, "data": data}]


def _submit(*events: Event) -> None:
    if events:
        _sender.submit(_add, events)


def _add(events: Collection[Event]) -> None:
    """Add events to the stream in one round trip."""
    pipeline = redis_client.client().pipeline(transaction=False)
    for event in events:
        pipeline.xadd(STREAM, event, maxlen=MAX_EVENTS, approximate=True)
    try:
        pipeline.execute()
    except RedisError as problem:
        log.info("Events were not sent; open pages will ask again: %s", problem)
