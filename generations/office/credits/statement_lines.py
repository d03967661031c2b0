"""The lines of a member's statement as people read them: with pictures and reasons, equal ones as one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from generations.credits.statement import RELEASED, StatementEntry
from generations.jobs.engine import member_reasons
from generations.jobs.models import Generation, Status
from generations.library.models import Image
from generations.providers.base import CONTENT_CODES
from generations.teams.models import Membership


@dataclass(frozen=True)
class ShownEntry:
    """An entry with the picture it is about, as far as there is one that the member may see."""

    entry: StatementEntry
    generation: Generation | None
    image: Image | None
    why: str  # it was not charged; empty for all others

    @property
    def key(self) -> object:
        """What entries that are read as one line have in common."""
        row = self.generation
        return (self.entry.state, row.batch_id, self.why) if row else self.entry.position


@dataclass(frozen=True)
class StatementLine:
    """Entries of one kind about the pictures of one batch, or a single entry."""

    entries: list[ShownEntry]

    @property
    def first(self) -> ShownEntry:
        """The newest of them."""
        return self.entries[0]

    @property
    def amount(self) -> int:
        """What they moved together, in hundredths."""
        return sum(each.entry.amount for each in self.entries)


def shown_entries(member: Membership, entries: Iterable[StatementEntry]) -> list[ShownEntry]:
    """Return the entries with their generations and pictures, in two queries."""
    entries = list(entries)
    generations = generations_of(entries)
    images: dict[uuid.UUID | None, Image] = {}
    rows = Image.objects.visible_to(member).filter(generation__in=generations.keys())
    for image in rows.order_by("-position"):
        images[image.generation] = image  # the first of several
    return [
        ShownEntry(entry, row, images.get(entry.reference) if row else None, why_not_charged(entry, row))
        for entry in entries
        for row in [generations.get(entry.reference)]
    ]


def generations_of(entries: Collection[StatementEntry]) -> dict[uuid.UUID, Generation]:
    """Return the generations that the entries are about, by id."""
    return Generation.objects.in_bulk([entry.reference for entry in entries if entry.generation])


def folded(entries: Iterable[ShownEntry]) -> list[StatementLine]:
    """Return entries of one kind, batch and reason as one line, at the place of the newest."""
    lines: dict[object, list[ShownEntry]] = {}
    for each in entries:
        lines.setdefault(each.key, []).append(each)
    return [StatementLine(group) for group in lines.values()]


def without_cut_line(entries: list[ShownEntry]) -> list[ShownEntry]:
    """Return the entries without the last ones that may belong to a line of the next page."""
    kept = list(entries)
    while kept and kept[-1].key == entries[-1].key:
        kept.pop()
    return kept or entries


def why_not_charged(entry: StatementEntry, generation: Generation | None) -> str:
    """Return why a hold was released; "" for other entries, and if the generation is not known."""
    if entry.state != RELEASED or generation is None:
        return ""
    if generation.status == Status.CANCELED:
        return _("canceled")
    if generation.status == Status.FILTERED:
        return _("filtered (content)")
    if generation.code in CONTENT_CODES:
        return _("refused (content)")
    return member_reasons.as_shown(generation)
