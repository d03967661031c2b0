"""What open pages are told, drawn as they are told: nobody draws for a page that nobody has open."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.template.loader import render_to_string

from generations.jobs.engine import queue_position
from generations.jobs.live import feed
from generations.jobs.models import Batch, Generation, Status
from generations.library.models import Image
from generations.teams.models import Membership, Role, Visibility

if TYPE_CHECKING:
    from typing import Any

log = logging.getLogger(__name__)

WHO = ("member__user", "member__team", "member__wallet")


@dataclass(frozen=True)
class Change:
    """One entry of the stream: whom it concerns, what kind it is, and what it is about."""

    key: bytes
    user: int
    team: int
    kind: str
    data: str

    @classmethod
    def read(cls, key: bytes, entry: dict[bytes, bytes]) -> Change:
        """An entry as Redis hands it over."""
        texts = (entry[name].decode() for name in (b"kind", b"data"))
        return cls(key, int(entry[b"user"]), int(entry[b"team"]), *texts)

    @property
    def address(self) -> tuple[int, int]:
        """The person in the team whose pages hear of it."""
        return self.user, self.team

    def frame(self, data: str) -> bytes:
        """It in the wire format of server-sent events; its data may have many lines."""
        return b"id: " + self.key + b"\n" + frame(self.kind, data)


def frame(kind: str, data: str) -> bytes:
    """An event in that wire format without an id, so that a page that lost it is told nothing twice."""
    lines = b"".join(b"data: " + line + b"\n" for line in data.encode().splitlines() or [b""])
    return b"event: " + kind.encode() + b"\n" + lines + b"\n"


@dataclass(frozen=True)
class Rows:
    """Generations that changed and what was drawn for them, whatever their number in two queries."""

    generations: dict[uuid.UUID, Generation] = field(default_factory=dict)
    images: dict[uuid.UUID | None, Image] = field(default_factory=dict)

    @classmethod
    def read(cls, pks: Collection[str]) -> Rows:
        """Those of these ids that there are."""
        if not pks:
            return cls()
        rows = Generation.objects.select_related(*WHO, "batch").in_bulk(pks)
        done = [pk for pk, row in rows.items() if row.status == Status.SUCCEEDED]
        kept = (
            Image.objects.filter(generation__in=done, trashed_at=None).order_by("-position") if done else ()
        )
        return cls(rows, {image.generation: image for image in kept if _is_seen(image, rows)})


def _is_seen(image: Image, rows: Mapping[uuid.UUID, Generation]) -> bool:
    """Whether its maker may see it: who is a viewer by now sees the team's alone."""
    made = image.generation and rows.get(image.generation)
    return image.visibility == Visibility.TEAM or bool(made and made.member.role != Role.VIEWER)


def draw(changes: Iterable[Change]) -> list[tuple[tuple[int, int], bytes]]:
    """Frames for these changes with their addresses, in order; of several about one tile only the last.

    What cannot be drawn (its row is gone, the database is away) makes the page ask again.
    """
    newest = {(change.address, change.kind, change.data): change for change in changes}
    ordered = sorted(newest.values(), key=lambda change: tuple(map(int, change.key.split(b"-"))))
    try:
        rows = _read([change.data for change in ordered if change.kind == "tile"])
        return [(change.address, _drawn(change, rows)) for change in ordered]
    finally:
        connection.close()


def tile_context(row: Generation) -> dict[str, Any]:
    """All that templates/jobs/tile.html needs to draw a generation."""
    seen = Image.objects.visible_to(row.member).filter(generation=row.pk)
    return _context(row, seen.order_by("position").first() if row.status == Status.SUCCEEDED else None)


def _context(row: Generation, image: Image | None) -> dict[str, Any]:
    return {"generation": row, "image": image, "place": queue_position.position_of(row), "member": row.member}


def _read(pks: Collection[str]) -> Rows:
    try:
        return Rows.read(pks)
    except (DatabaseError, ValidationError):
        log.exception("What changed could not be read; open pages ask again")
        return Rows()


def _drawn(change: Change, rows: Rows) -> bytes:
    try:
        return DRAWERS.get(change.kind, _as_it_is)(change, rows)
    except Exception:  # neither a broken template nor a database that is away may end the stream
        log.exception("A change could not be shown to open pages; they ask again")
        return b"id: " + change.key + b"\n" + frame("resync", "")


def _tile(change: Change, rows: Rows) -> bytes:
    """The tile, and before it what is left to spend, which changed with it."""
    row = rows.generations[uuid.UUID(change.data)]
    tile = change.frame(render_to_string("jobs/tile.html", _context(row, rows.images.get(row.pk))))
    return tile if row.status == Status.RUNNING else _balance(row.member) + tile


def _batch(change: Change, _rows: Rows) -> bytes:
    batch = Batch.objects.select_related(*WHO, "start_image").get(pk=uuid.UUID(change.data))
    [shown] = feed.entries_of(batch.member, [batch])
    context = {"batch": batch, "tiles": shown.tiles, "member": batch.member}
    return _balance(batch.member) + change.frame(render_to_string("jobs/batch.html", context))


def _wallet(change: Change, _rows: Rows) -> bytes:
    mine = Membership.objects.select_related("team", "wallet")
    return change.frame(_balance_html(mine.get(user=change.user, team=change.team)))


def _as_it_is(change: Change, _rows: Rows) -> bytes:
    return change.frame(change.data)


def _balance(member: Membership) -> bytes:
    return frame("wallet", _balance_html(member))


def _balance_html(member: Membership) -> str:
    return render_to_string("jobs/balance.html", {"member": member})


DRAWERS: dict[str, Callable[[Change, Rows], bytes]] = {"tile": _tile, "batch": _batch, "wallet": _wallet}
