"""What changed, told to the pages of the one person it concerns, through a stream in Redis.

Losing the stream loses nothing: every page can ask again. So a Redis that is away is no error
here, and nobody waits for it: events leave on a thread of their own.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from django.template.loader import render_to_string
from redis import RedisError

from generations.jobs import line
from generations.jobs.models import Batch, Generation, Status
from generations.library.models import Image
from generations.upstreams import broker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generations.teams.models import Membership

log = logging.getLogger(__name__)

P = ParamSpec("P")

STREAM = "sdweb:changes"
PAGES_WAIT = 0.2  # seconds: better without live news than late
KEPT = 5_000  # events; at a full engine about a minute
_sender = ThreadPoolExecutor(1, "events")


def wait_until_sent() -> None:
    """Return once every event so far has left, or was given up."""
    _sender.submit(int).result()


def newest() -> str:
    """The id of the newest event, for a page that is about to be rendered; "" if Redis is away."""
    try:
        entries: Any = broker.client(PAGES_WAIT).xrevrange(STREAM, count=1)
    except RedisError:
        return ""
    return str(entries[0][0], "ascii") if entries else "0-0"


def _beside_the_work(tell: Callable[P, None]) -> Callable[P, None]:
    """News that cannot be told is logged and lost; whoever paid for a picture still gets it."""

    @wraps(tell)
    def told(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            tell(*arguments, **named)
        except Exception:  # a broken template must not break the engine
            log.exception("Open pages were not told of a change; they ask again")

    return told


@_beside_the_work
def generation_changed(pk: uuid.UUID) -> None:
    """Send the tile of one generation, and what is left to spend, to its owner's pages."""
    row = Generation.objects.select_related("member__user", "member__team", "member__wallet", "batch").get(
        pk=pk
    )
    if row.member.user_id is None:
        return
    _send(row.member, "tile", render_to_string("jobs/tile.html", tile_context(row)))
    if row.status != Status.RUNNING:
        wallet_changed(row.member)


@_beside_the_work
def many_changed(member: Membership) -> None:
    """Let the person's pages ask again for what they show: cheaper than a tile for each."""
    if member.user_id is not None:
        _send(member, "resync", "")
        wallet_changed(member)


@_beside_the_work
def batch_made(batch: Batch) -> None:
    """Send a new batch to the other pages of the one who made it."""
    if batch.member.user_id is None:
        return
    rows = list(batch.generations.select_related("member__user", "member__team").order_by("position"))
    places = line.places(rows)
    tiles = [
        {"generation": row, "image": None, "place": places.get(row.pk), "member": batch.member}
        for row in rows
    ]
    _send(
        batch.member,
        "batch",
        render_to_string("jobs/batch.html", {"batch": batch, "tiles": tiles, "member": batch.member}),
    )
    wallet_changed(batch.member)


@_beside_the_work
def wallet_changed(member: Membership) -> None:
    """Send what is left to spend."""
    member.wallet.refresh_from_db()
    _send(member, "wallet", render_to_string("jobs/balance.html", {"member": member}))


@_beside_the_work
def places_changed(places: Mapping[tuple[int, int], Mapping[str, Any]]) -> None:
    """Send each (user, team) where its waiting generations stand in line."""
    for (user, team), mine in places.items():
        _post({"user": user, "team": team, "kind": "places", "data": json.dumps(mine)})


def tile_context(row: Generation) -> dict[str, Any]:
    """All that templates/jobs/tile.html needs to draw a generation."""
    image = (
        Image.objects.filter(generation=row.pk).order_by("position").first()
        if row.status == Status.SUCCEEDED
        else None
    )
    return {"generation": row, "image": image, "place": line.place(row), "member": row.member}


def _send(member: Membership, kind: str, data: str) -> None:
    _post({"user": member.user_id, "team": member.team_id, "kind": kind, "data": data})


def _post(event: dict[Any, Any]) -> None:
    _sender.submit(_add, event)


def _add(event: dict[Any, Any]) -> None:
    try:
        broker.client().xadd(STREAM, event, maxlen=KEPT, approximate=True)
    except RedisError as problem:
        log.info("A change was not told to open pages, which will ask again: %s", problem)
