"""The figures of the queue page as numbers for SVG: no style, no script, the same on every browser."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CELLS = 50
CELL = 8  # units from one cell of the gauge to the next
SLOT, BAR = 10, 6.6  # units: of one minute, and of what is drawn in it
HEIGHT = 160
SPARK_WIDTH, SPARK_HEIGHT = 88, 24
LINES = 3  # of the grid above the axis


@dataclass(frozen=True)
class Gauge:
    """Cells filled, cells left, and where the mark stands."""

    filled: list[int]
    empty: list[int]
    mark: float


@dataclass(frozen=True)
class Piece:
    """One series' part of one bar."""

    series: str
    x: float
    y: float
    height: float


def gauge(calls: int, limit: int, kept_to: float) -> Gauge:
    """How much of the limit is used, and the share of it that we keep to."""
    filled = min(CELLS, math.ceil(CELLS * calls / limit))
    places = [cell * CELL for cell in range(CELLS)]
    return Gauge(places[:filled], places[filled:], min(round(CELLS * CELL * kept_to, 1), CELLS * CELL - 2))


def spark(counts: Sequence[int]) -> str:
    """The points of a line through these counts."""
    most = max(*counts, 1)
    step = (SPARK_WIDTH - 4) / max(len(counts) - 1, 1)
    heights = (SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 5) * count / most for count in counts)
    return " ".join(f"{1 + place * step:.1f},{height:.1f}" for place, height in enumerate(heights))


def ceiling(most: int) -> int:
    """A round number that most fits under, and that the grid divides."""
    if most <= LINES:
        return LINES
    size = 10.0 ** math.floor(math.log10(most / LINES))
    steps = (1, 2, 3, 4, 5, 6, 8, 10) if size >= 10 or most / LINES >= 1 else (1,)
    step = next(size * each for each in steps if size * each * LINES >= most)
    return math.ceil(step) * LINES


def bars(minutes: Sequence[Mapping[str, int]], series: Sequence[str], top: int) -> list[Piece]:
    """Bars of stacked series, the first at the foot, one unit between them."""
    pieces = []
    for place, counts in enumerate(minutes):
        foot = float(HEIGHT)
        for name in series:
            if not counts.get(name):
                continue
            height = max(HEIGHT * counts[name] / top, 1.0)
            shown = max(height - 1, 1.0)
            pieces.append(Piece(name, place * SLOT + 1.7, round(foot - shown, 2), round(shown, 2)))
            foot -= height
    return pieces
