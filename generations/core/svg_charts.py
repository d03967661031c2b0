"""Figures as numbers for SVG: stacked bars with their grid, sparklines, gauges. No style and no script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HEIGHT = 160  # pixels from the lowest line of a bar chart's grid to the highest
STEPS = (1, 2, 2.5, 5, 10)  # between two lines of a grid, times a power of ten
SPARK_WIDTH, SPARK_HEIGHT = 88, 24
CELLS, CELL_WIDTH = 50, 8  # of a gauge


@dataclass(frozen=True)
class Grid:
    """The lines of a bar chart from the highest down, each a value and its y in pixels."""

    lines: tuple[tuple[int, float], ...]

    @property
    def high(self) -> int:
        """The value of the highest line."""
        return self.lines[0][0]

    @property
    def scale(self) -> float:
        """Pixels for 1."""
        return HEIGHT / (self.high - self.lines[-1][0])


@dataclass(frozen=True)
class Segment:
    """One series' part of a stacked bar: x and width in per cent, y and height in pixels."""

    series: str
    x: str
    width: str
    y: float
    height: float
    is_end: bool


@dataclass(frozen=True)
class Gauge:
    """The x of filled cells, of empty cells, and of a mark."""

    filled: list[int]
    empty: list[int]
    mark: float


@dataclass(frozen=True)
class Sparkline:
    """The points of a polyline, and the last of them."""

    points: str

    @property
    def end(self) -> list[str]:
        """x and y of the last point."""
        return self.points.rpartition(" ")[2].split(",")


def grid(bars: Iterable[Iterable[int]], *, lines: int, smallest_step: int = 1) -> Grid:
    """Return about `lines` grid lines at round values that enclose zero and all stacked bars."""
    stacks = [list(bar) for bar in bars]
    most = max((sum(part for part in bar if part > 0) for bar in stacks), default=0)
    least = min((sum(part for part in bar if part < 0) for bar in stacks), default=0)
    wanted = max((most - least) / lines, smallest_step)
    power = 10.0 ** math.floor(math.log10(wanted))
    step = int(next(power * each for each in STEPS if power * each >= wanted))
    low, high = math.floor(least / step) * step, max(math.ceil(most / step), 1) * step
    scale = HEIGHT / (high - low)
    return Grid(tuple((value, round((high - value) * scale, 1)) for value in range(high, low - 1, -step)))


def stacked_bar(parts: Mapping[str, int], grid: Grid, *, index: int, of: int) -> tuple[Segment, ...]:
    """Bar `index` of `of`, two thirds of its slot wide: parts by series, the first at the foot.

    Positive parts go upwards from zero, negative ones downwards, one pixel apart; zero has no segment.
    """
    x, width = f"{100 / of * (index + 1 / 6):.3f}%", f"{100 / of * 2 / 3:.3f}%"
    segments = []
    for sign in (1, -1):
        shown = [(series, part) for series, part in parts.items() if part * sign > 0]
        foot = 0
        for number, (series, part) in enumerate(shown, 1):
            y = round((grid.high - max(foot, foot + part)) * grid.scale, 2)
            height = round(max(abs(part) * grid.scale - 1, 1), 2)
            segments.append(Segment(series, x, width, y, height, number == len(shown)))
            foot += part
    return tuple(segments)


def gauge(value: int, limit: int, mark: float) -> Gauge:
    """How much of a limit is used, with a mark at that share of it (0 to 1)."""
    filled = min(CELLS, math.ceil(CELLS * value / limit))
    cells = [cell * CELL_WIDTH for cell in range(CELLS)]
    end = CELLS * CELL_WIDTH
    return Gauge(cells[:filled], cells[filled:], min(round(end * mark, 1), end - 2))


def sparkline(values: Sequence[int]) -> Sparkline:
    """A line through these values, from 0 to their largest."""
    most = max(*values, 1)
    step = (SPARK_WIDTH - 4) / max(len(values) - 1, 1)
    heights = (SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 5) * value / most for value in values)
    return Sparkline(" ".join(f"{1 + index * step:.1f},{y:.1f}" for index, y in enumerate(heights)))
