"""Render events for open pages; nothing is rendered for a page that is not open."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.template.loader import render_to_string

from generations.jobs import follow_ups
from generations.jobs.engine import queue_position
from generations.jobs.live import feed, tiles
from generations.jobs.models import Attempt, Generation, Status
from generations.library.delivery.signed_urls import NO_SESSION
from generations.library.models import Image
from generations.teams.models import Membership, Role, Visibility

log = logging.getLogger(__name__)

MEMBER = ("member__user", "member__team", "member__wallet")


@dataclass(frozen=True)
class Change:
    """One event of the stream: its user and team, its kind, and its data (an id or JSON)."""

    key: bytes
    user: int
    team: int
    kind: str
    data: str

    @classmethod
    def from_entry(cls, key: bytes, entry: dict[bytes, bytes]) -> Change:
        """An entry of the Redis stream."""
        texts = (entry[name].decode() for name in (b"kind", b"data"))
        return cls(key, int(entry[b"user"]), int(entry[b"team"]), *texts)

    @property
    def address(self) -> tuple[int, int]:
        """(user, team) of the pages that receive it."""
        return self.user, self.team

    def frame(self, data: str) -> bytes:
        """The change as a server-sent event with its id; `data` may have many lines."""
        return b"id: " + self.key + b"\n" + frame(self.kind, data)


def frame(kind: str, data: str) -> bytes:
    """A server-sent event without an id, so that a page that reconnects does not take it for the last one."""
    lines = b"".join(b"data: " + line + b"\n" for line in data.encode().splitlines() or [b""])
    return b"event: " + kind.encode() + b"\n" + lines + b"\n"


@dataclass(frozen=True)
class Rows:
    """Generations that changed, their images, tasks and whose favourites these are; up to four queries."""

    generations: dict[uuid.UUID, Generation] = field(default_factory=dict)
    images: dict[uuid.UUID | None, list[Image]] = field(default_factory=dict)
    tasks: dict[uuid.UUID, Attempt] = field(default_factory=dict)
    liked: set[tuple[int, uuid.UUID]] = field(default_factory=set)

    @classmethod
    def load(cls, pks: Collection[str]) -> Rows:
        """Those of these ids that exist."""
        if not pks:
            return cls()
        rows = Generation.objects.select_related(*MEMBER, "batch").in_bulk(pks)
        done = [pk for pk, row in rows.items() if row.status == Status.SUCCEEDED]
        stored = Image.objects.filter(generation__in=done, trashed_at=None) if done else ()
        images = feed.by_generation(image for image in stored if _is_visible(image, rows))
        liked = feed.favourites(image for of_row in images.values() for image in of_row)
        return cls(rows, images, feed.open_tasks(rows.values()), liked)


def _is_visible(image: Image, rows: Mapping[uuid.UUID, Generation]) -> bool:
    """Whether its owner may see it: a viewer sees only images that are visible to the team."""
    row = image.generation and rows.get(image.generation)
    return image.visibility == Visibility.TEAM or bool(row and row.member.role != Role.VIEWER)


def render(changes: Iterable[Change]) -> list[tuple[tuple[int, int], bytes]]:
    """[((user, team), event)] of these changes in order; of several about one tile only the last.

    A change that cannot be rendered (deleted row, database error) becomes a `resync`.
    """
    newest = {(change.address, change.kind, change.data): change for change in changes}
    ordered = sorted(newest.values(), key=lambda change: tuple(map(int, change.key.split(b"-"))))
    try:
        rows = _load([change.data for change in ordered if change.kind == "tile"])
        return [(change.address, _rendered(change, rows)) for change in ordered]
    finally:
        connection.close()


def tile_context(row: Generation) -> dict[str, Any]:
    """The context of templates/jobs/live/tile.html."""
    visible = Image.objects.visible_to(row.member).filter(generation=row.pk)
    images = list(visible.order_by("position")) if row.status == Status.SUCCEEDED else []
    return _context(row, images, feed.open_tasks([row]).get(row.pk), feed.favourites(images))


def _context(
    row: Generation,
    images: Sequence[Image],
    task: Attempt | None,
    liked: set[tuple[int, uuid.UUID]],
) -> dict[str, Any]:
    return {
        "generation": row,
        **feed.results(images, follow_ups.of_images(row.member, images)),
        "is_favourite": feed.is_favourite(row.member, images, liked),
        "task": task,
        "queue_position": queue_position.position_of(row),
        "member": row.member,
    }


def _load(pks: Collection[str]) -> Rows:
    try:
        return Rows.load(pks)
    except (DatabaseError, ValidationError):
        log.exception("Changed generations could not be read; open pages will ask again")
        return Rows()


def _rendered(change: Change, rows: Rows) -> bytes:
    try:
        return RENDERERS.get(change.kind, _unchanged)(change, rows)
    except Exception:  # neither a broken template nor an unreachable database may end the stream
        log.exception("A change could not be rendered; open pages will ask again")
        return b"id: " + change.key + b"\n" + frame("resync", "")


def _tile(change: Change, rows: Rows) -> bytes:
    """The tile, and before it the balance if that changed."""
    row = rows.generations[uuid.UUID(change.data)]
    context = _context(row, rows.images.get(row.pk, []), rows.tasks.get(row.pk), rows.liked)
    drawn = tiles.html(context, NO_SESSION) or render_to_string("jobs/live/tile.html", context)
    tile = change.frame(drawn)
    return tile if row.status in (Status.RUNNING, Status.SUBMITTED) else _balance(row.member) + tile


def _batch(change: Change, _rows: Rows) -> bytes:
    batch = feed.batches().select_related(*MEMBER).get(pk=uuid.UUID(change.data))
    [entry] = feed.entries_of(batch.member, [batch])
    context = {"batch": batch, "tiles": entry.tiles, "member": batch.member}
    return _balance(batch.member) + change.frame(render_to_string("jobs/live/batch.html", context))


def _wallet(change: Change, _rows: Rows) -> bytes:
    mine = Membership.objects.select_related("team", "wallet")
    return change.frame(_balance_html(mine.get(user=change.user, team=change.team)))


def _unchanged(change: Change, _rows: Rows) -> bytes:
    return change.frame(change.data)


def _balance(member: Membership) -> bytes:
    return frame("wallet", _balance_html(member))


def _balance_html(member: Membership) -> str:
    return render_to_string("parts/balance.html", {"member": member})


RENDERERS: dict[str, Callable[[Change, Rows], bytes]] = {"tile": _tile, "batch": _batch, "wallet": _wallet}
