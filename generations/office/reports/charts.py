"""Stacked bar charts of a month: the numbers, and their coordinates in an SVG. Colours are CSS classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from generations.core import svg_charts

LINES = 4  # of the grid above its lowest, at most
SMALLEST_STEP = 25  # hundredths of a credit between two lines
COLOURS = ("d1", "d2", "d3", "d4")  # classes of the largest series
OTHER = "d5"  # of all others together


@dataclass(frozen=True)
class Series:
    """One colour: its class, its title, and its total."""

    look: str
    title: str
    total: int


@dataclass(frozen=True)
class Row:
    """One day: an amount for each series, their sum, and the segments of its bar."""

    day: date
    amounts: tuple[int, ...]
    total: int
    pieces: tuple[svg_charts.Segment, ...]


@dataclass(frozen=True)
class Chart:
    """A month. `grid` are its lines from the highest down, each an amount and a y."""

    series: tuple[Series, ...]
    rows: tuple[Row, ...]
    total: int
    grid: tuple[tuple[int, float], ...]


def leading(sums: Counter[Any]) -> list[Any]:
    """The keys with the largest sums, which get a colour of their own."""
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [key for key, _sum in ordered][: len(COLOURS)]


def stacked(
    amounts: Counter[tuple[date, Any]],
    whole: Counter[date],
    days: Sequence[date],
    titles: Mapping[Any, str],
    other: str,
) -> Chart:
    """Bars for all those days, the largest series at the foot; what `whole` has beyond them is `other`.

    A day with more refunds than charges reaches below zero.
    """
    keys = list(titles)
    table = {day: [amounts[day, key] for key in keys] for day in days}
    for day, row in table.items():
        row.append(whole[day] - sum(row))
    looks, named = [*COLOURS[: len(keys)], OTHER], [*titles.values(), other]
    if not any(row[-1] for row in table.values()):
        looks, named = looks[:-1], named[:-1]
    rows = {day: dict(zip(looks, row, strict=False)) for day, row in table.items()}
    grid = svg_charts.grid((row.values() for row in rows.values()), lines=LINES, smallest_step=SMALLEST_STEP)
    return Chart(
        series=tuple(
            Series(look, title, sum(row[look] for row in rows.values()))
            for look, title in zip(looks, named, strict=True)
        ),
        rows=tuple(
            Row(
                day,
                tuple(row.values()),
                sum(row.values()),
                svg_charts.stacked_bar(row, grid, index=index, of=len(days)),
            )
            for index, (day, row) in enumerate(rows.items())
        ),
        total=sum(sum(row.values()) for row in rows.values()),
        grid=grid.lines,
    )
