"""Stacked bar charts of a month: the numbers, and their coordinates in an SVG. Colours are CSS classes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

HEIGHT = 160  # pixels from the lowest line of the grid to the highest
LINES = 4  # of the grid above its lowest, at most
SERIES = 4  # that have a colour of their own; the rest are "other"
LOOKS = ("d1", "d2", "d3", "d4")
OTHER = "d5"
ROUND = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Series:
    """One colour: what it stands for, and how much in all."""

    look: str
    title: str
    total: int


@dataclass(frozen=True)
class Piece:
    """One series' part of one bar: x and width in per cent, y and height in pixels."""

    look: str
    x: str
    width: str
    y: float
    height: float
    is_end: bool


@dataclass(frozen=True)
class Slot:
    """The horizontal position of a bar, which takes two thirds of its share of the width."""

    place: int
    of: int

    @property
    def x(self) -> str:
        """The left edge, in per cent."""
        return f"{100 / self.of * (self.place + 1 / 6):.3f}%"

    @property
    def width(self) -> str:
        """The width, in per cent."""
        return f"{100 / self.of * 2 / 3:.3f}%"


@dataclass(frozen=True)
class Row:
    """One day: an amount for each series, their sum, and how it is drawn."""

    day: date
    amounts: tuple[int, ...]
    total: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Chart:
    """A month. `grid` are its lines from the highest down, each an amount and a y."""

    series: tuple[Series, ...]
    rows: tuple[Row, ...]
    total: int
    grid: tuple[tuple[int, float], ...]


def leading(sums: Counter[Any]) -> list[Any]:
    """The keys that get a colour of their own: those with the largest sums."""
    return [key for key, _sum in sorted(sums.items(), key=lambda pair: (-pair[1], str(pair[0])))][:SERIES]


def stacked(
    amounts: Counter[tuple[date, Any]],
    whole: Counter[date],
    days: Sequence[date],
    titles: Mapping[Any, str],
    other: str,
) -> Chart:
    """Bars for all those days, the largest series at the foot; what `whole` has beyond them is other.

    A day on which more was refunded than charged reaches below zero.
    """
    keys = list(titles)
    table = {day: [amounts[day, key] for key in keys] for day in days}
    for day, row in table.items():
        row.append(whole[day] - sum(row))
    looks, named = [*LOOKS[: len(keys)], OTHER], [*titles.values(), other]
    if not any(row[-1] for row in table.values()):
        looks, named = looks[:-1], named[:-1]
    rows = {day: tuple(row[: len(looks)]) for day, row in table.items()}
    low, step, high = _grid(list(rows.values()))
    scale = HEIGHT / (high - low)
    return Chart(
        series=tuple(
            Series(look, title, sum(row[place] for row in rows.values()))
            for place, (look, title) in enumerate(zip(looks, named, strict=True))
        ),
        rows=tuple(
            Row(day, row, sum(row), _pieces(row, looks, Slot(place, len(days)), high, scale))
            for place, (day, row) in enumerate(rows.items())
        ),
        total=sum(map(sum, rows.values())),
        grid=tuple((line, round((high - line) * scale, 1)) for line in range(high, low - 1, -step)),
    )


def _grid(rows: Sequence[Sequence[int]]) -> tuple[int, int, int]:
    """The lowest line, the way to the next, and the highest: round numbers that all bars fit between."""
    most = max((sum(part for part in row if part > 0) for row in rows), default=0)
    least = min((sum(part for part in row if part < 0) for row in rows), default=0)
    wanted = max((most - least) / LINES, 25)
    size = 10.0 ** math.floor(math.log10(wanted))
    step = int(next(size * each for each in ROUND if size * each >= wanted))
    return math.floor(least / step) * step, step, max(math.ceil(most / step), 1) * step


def _pieces(
    row: Sequence[int], looks: Sequence[str], slot: Slot, high: int, scale: float
) -> tuple[Piece, ...]:
    """Positive parts upwards from zero, negative ones downwards, one pixel between them."""
    pieces = []
    for sign in (1, -1):
        parts = [(look, part) for look, part in zip(looks, row, strict=True) if part * sign > 0]
        foot = 0
        for number, (look, part) in enumerate(parts):
            top = max(foot, foot + part)
            height = max(abs(part) * scale - 1, 1)
            y = round((high - top) * scale, 2)
            pieces.append(Piece(look, slot.x, slot.width, y, round(height, 2), number == len(parts) - 1))
            foot += part
    return tuple(pieces)
