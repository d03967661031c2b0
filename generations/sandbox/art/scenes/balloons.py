"""Hot-air balloons over misty ridges."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art.painting import Painting, Pen, Polygon
from generations.sandbox.art.palette import Array, colour, mix
from generations.sandbox.art.scenes import ridges

GORES = 12


def paint(painting: Painting) -> None:
    """The ridges, then balloons from far to near."""
    ridges.paint(painting)
    random = painting.random
    pen = painting.pen()
    count = int(random.integers(4, 7))
    places = random.permutation(np.linspace(0.12, 0.88, count))
    for order, place in enumerate(places):
        size = 0.03 + 0.12 * ((order + 1) / count) ** 2.2
        height = float(random.uniform(0.12, 0.36)) + 0.1 * order / count
        add_balloon(painting, pen, (float(place), height), size * painting.unit, (order + 1) / count)
    pen.finish()


def add_balloon(
    painting: Painting, pen: Pen, place: tuple[float, float], radius: float, nearness: float
) -> None:
    """One balloon in coloured gores, paler the farther it is."""
    random, palette = painting.random, painting.palette
    x, y = place[0] * painting.width, place[1] * painting.height
    cream = colour("f6ead2")
    tones = [colour(palette.accents[int(index)]) for index in random.permutation(4)[:2]]
    fade = 0.55 * (1 - nearness)
    for gore in range(GORES):
        start, end = (np.pi * (part / GORES - 0.5) for part in (gore, gore + 1))
        middle = (start + end) / 2
        tone = (tones[0], cream, tones[1], cream)[gore % 4]
        lit = tone * float(0.72 + 0.34 * np.cos(middle + 0.6))
        shape = gore_outline(x, y, radius, float(start), float(end))
        pen.polygon(shape, mix(np.clip(lit, 0, 1), palette.haze, fade), 0.5 + 0.45 * nearness)
    add_basket(pen, (x, y), radius, mix(colour("5a3a26"), palette.haze, fade), 0.5 + 0.45 * nearness)


def gore_outline(x: float, y: float, radius: float, start: float, end: float) -> Polygon:
    """The strip of the envelope between two meridians."""
    down = np.linspace(0, 1, 24)
    upper = np.sqrt(np.clip(1 - (1 - down / 0.43) ** 2, 0, 1))
    lower = 0.17 + 0.83 * np.cos(np.clip((down - 0.43) / 0.57, 0, 1) * np.pi / 2) ** 1.2
    wide = np.where(down < 0.43, upper, lower) * radius
    rows = y - radius + down * radius * 2.35
    left = [(x + float(w * np.sin(start)), float(r)) for w, r in zip(wide, rows, strict=True)]
    right = [(x + float(w * np.sin(end)), float(r)) for w, r in zip(wide, rows, strict=True)]
    return [*left, *right[::-1]]


def add_basket(pen: Pen, place: tuple[float, float], radius: float, tone: Array, nearness: float) -> None:
    """The basket and its four ropes, seen as two."""
    x, y = place
    top, foot, half = y + radius * 1.62, y + radius * 1.84, radius * 0.13
    for side in (-1, 1):
        rope = [(x + side * radius * 0.19, y + radius * 1.34), (x + side * half, top)]
        pen.line(rope, tone, max(0.6, radius * 0.012), nearness)
    pen.polygon(
        [(x - half, top), (x + half, top), (x + half * 0.85, foot), (x - half * 0.85, foot)], tone, nearness
    )
