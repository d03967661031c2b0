"""A skyline across still water, windows lit, with long reflections."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art.painting import Painting, Pen
from generations.sandbox.art.palette import Array, colour, mix
from generations.sandbox.art.scenes.aurora import mirror
from generations.sandbox.art.scenes.ridges import add_clouds


def paint(painting: Painting) -> None:
    """Sky, sun or moon, three rows of buildings, and the water."""
    random, palette = painting.random, painting.palette
    shore = float(random.uniform(0.64, 0.72))
    painting.fill_sky(palette.sky, shore)
    centre = (float(random.uniform(0.2, 0.8)), shore * float(random.uniform(0.35, 0.7)))
    if palette.night:
        painting.stars(int(painting.unit * 0.4), shore * 0.8)
    painting.glow(centre, 0.5, colour(palette.light), 0.4)
    add_clouds(painting, shore, 0.4)
    painting.lay(painting.disc(centre, float(random.uniform(0.035, 0.06)), 1.6), colour(palette.light), 0.05)
    pen = painting.pen()
    for row in range(3):
        add_row(painting, pen, shore, row)
    pen.finish()
    painting.glow((0.5, shore), 0.35, colour(palette.light), 0.1)
    mirror(painting, shore)


def add_row(painting: Painting, pen: Pen, shore: float, row: int) -> None:
    """Buildings side by side, taller in the middle of the city, the back row paler."""
    random, foot = painting.random, painting.height * shore + 1
    body = painting.palette.distance((0.3, 0.58, 0.88)[row])
    x, middle = -0.02 * painting.width, random.uniform(0.35, 0.65)
    while x < painting.width:
        wide = painting.unit * float(random.uniform(0.03, 0.075)) * (0.8 + 0.25 * row)
        near = np.exp(-(((x / painting.width - middle) / 0.28) ** 2))
        tall = painting.unit * (0.07 + 0.3 * near * (1 - 0.24 * row)) * float(random.uniform(0.5, 1.1))
        add_building(painting, pen, (x, foot - tall, x + wide, foot), body, row)
        x += wide * float(random.uniform(0.85, 1.35))


def add_building(
    painting: Painting, pen: Pen, box: tuple[float, float, float, float], body: Array, row: int
) -> None:
    """One building: a body, a paler lit side, perhaps a spire, and its windows."""
    left, top, right, foot = box
    random, nearness = painting.random, 0.35 + 0.2 * row
    pen.polygon([(left, foot), (left, top), (right, top), (right, foot)], body, nearness)
    lit = mix(body, painting.palette.haze, 0.16)
    edge = left + (right - left) * float(random.uniform(0.25, 0.4))
    pen.polygon([(left, foot), (left, top), (edge, top), (edge, foot)], lit, nearness)
    roof = float(random.random())
    if roof < 0.3:
        inset, step = (right - left) * 0.22, painting.unit * 0.02
        pen.polygon(
            [
                (left + inset, top),
                (left + inset, top - step),
                (right - inset, top - step),
                (right - inset, top),
            ],
            body,
            nearness,
        )
    if roof < 0.16:
        middle = (left + right) / 2
        pen.line(
            [(middle, top), (middle, top - painting.unit * 0.06)], body, painting.unit * 0.0024, nearness
        )
    add_windows(painting, pen, box, body, row)


def add_windows(
    painting: Painting, pen: Pen, box: tuple[float, float, float, float], body: Array, row: int
) -> None:
    """A grid of windows of which some are lit; few on the far row."""
    left, top, right, foot = box
    random = painting.random
    pitch = painting.unit * (0.0085 + 0.0015 * row)
    columns, floors = int((right - left) / pitch) - 1, int((foot - top) / (pitch * 1.25)) - 1
    if columns < 1 or floors < 1:
        return
    lit = random.random((floors, columns)) < (0.16, 0.26, 0.34)[row] * (
        1.25 if painting.palette.night else 0.8
    )
    light, warm = colour(painting.palette.light), colour("ffcf7d")
    for floor, column in np.argwhere(lit):
        x, y = left + pitch * (0.75 + float(column)), top + pitch * 1.25 * (0.8 + float(floor))
        tone = mix(body, warm if random.random() < 0.6 else light, float(random.uniform(0.45, 0.95)))
        wide, high = pitch * 0.5, pitch * 0.66
        pen.polygon([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)], tone, 0.35 + 0.2 * row)
