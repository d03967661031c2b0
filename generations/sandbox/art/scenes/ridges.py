"""Layered mountain ridges in haze, with firs in front."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting, Polygon
from generations.sandbox.art.palette import Array, colour, mix

LAYERS = 7


def paint(painting: Painting) -> None:
    """Sky, a sun or moon, ridge behind ridge, and firs on the nearest two."""
    horizon = float(painting.random.uniform(0.5, 0.6))
    painting.fill_sky(painting.palette.sky, horizon)
    add_sun(painting, horizon)
    add_clouds(painting, horizon, float(painting.random.uniform(0, 0.3)))
    wash = noise.cloud(painting.random, painting.size, 2.2, 0.4, 1.0)
    steps = [layer / (LAYERS - 1) for layer in range(LAYERS)]
    lines = [ridge_line(painting, step, horizon) for step in steps]
    for layer, (step, line) in enumerate(zip(steps, lines, strict=True)):
        covered_from = lines[layer + 1].max() + 2 if layer + 1 < LAYERS else painting.height
        add_ridge(painting, step, line, min(painting.height, int(covered_from)), wash)


def add_sun(painting: Painting, horizon: float) -> None:
    """A pale disc low in the sky, with its light around it."""
    random, palette = painting.random, painting.palette
    centre = (float(random.uniform(0.2, 0.8)), horizon * float(random.uniform(0.5, 0.74)))
    light = colour(palette.light)
    if palette.night:
        painting.stars(int(painting.unit * 0.5), horizon)
    painting.glow(centre, 0.55, light, 0.45)
    painting.glow(centre, 0.16, light, 0.35)
    painting.lay(painting.disc(centre, float(random.uniform(0.045, 0.07)), 1.6) * 0.97, light, 0.06)


def add_clouds(painting: Painting, horizon: float, strength: float) -> None:
    """Thin bands of cloud that take the light of the horizon."""
    rows = int(painting.height * horizon)
    size = (painting.width, rows)
    bands = noise.cloud(painting.random, size, 2.6, 0.35, 1.0)
    fading = np.sin(np.linspace(0.1, 0.99, rows, dtype=np.float32) * np.pi) ** 1.5
    amount = np.clip(bands - 0.35, 0, 1.6) * fading[:, None] * strength
    light = mix(colour(painting.palette.light), painting.palette.haze, 0.4)
    painting.lay(np.clip(amount, 0, 0.8).astype(np.float32), light)


def add_ridge(painting: Painting, nearness: float, line: Array, bottom: int, wash: Array) -> None:
    """One ridge with fog at its feet, down to where the next one hides it; near ones carry firs."""
    trees = firs(painting, line, nearness) if nearness > 0.6 else []
    highest = min([float(line.min()), *(tree[0][1] for tree in trees)])
    top = int(np.clip(highest - 2, 0, painting.height - 1))
    mask = np.clip(painting.y[top:bottom] - line[None, :] + 0.5, 0, 1)
    if trees:
        np.maximum(mask, painting.polygons(trees, top, bottom), out=mask)
    painting.lay(
        mask, ridge_paint(painting, line, nearness, wash, slice(top, bottom)), 0.12 + 0.85 * nearness, top
    )


def ridge_line(painting: Painting, nearness: float, horizon: float) -> Array:
    """Heights in pixels: far ridges high and jagged, near ones low and rolling."""
    first = (1.0 + 1.6 * (1 - nearness)) * painting.width / painting.unit
    jagged = noise.profile(painting.random, painting.width, 2.45 + 0.2 * nearness, first)
    peaks = jagged ** (1.5 - 0.5 * nearness)
    base = horizon + (1.0 - horizon) * nearness**1.05 * 0.93
    tall = (0.36 - 0.2 * nearness) * min(1.0, painting.unit / painting.height * 1.15)
    line: Array = painting.height * (base - tall * (peaks - 0.25))
    return line.astype(np.float32)


def ridge_paint(painting: Painting, line: Array, nearness: float, wash: Array, rows: slice) -> Array:
    """The ridge's colour, fading downwards into fog, on paper that took the wash unevenly."""
    palette = painting.palette
    body = palette.distance(0.1 + 0.88 * nearness**1.25)
    fog = mix(palette.haze, body, 0.25 + 0.35 * nearness)
    reach = painting.height * (0.2 + 0.08 * nearness)
    depth = (painting.y[rows] - line[None, :]) * np.float32((0.85 - 0.25 * nearness) / reach)
    fading = np.clip(depth + wash[rows] * 0.07, 0, 1)
    tone = 1 + 0.022 * wash[rows]
    result: Array = body * tone[..., None] + (fog - body) * (fading * tone)[..., None]
    return result


def firs(painting: Painting, line: Array, nearness: float) -> list[Polygon]:
    """Fir trees along a ridge, in groves: taller where the grove is thick."""
    random = painting.random
    groves = noise.profile(random, painting.width, 1.8, 3)
    tallest = painting.unit * (0.045 + 0.13 * (nearness - 0.6) / 0.4)
    count = int(painting.width / (tallest * 0.16))
    places = np.sort(random.random(count)) * painting.width
    shapes = []
    for place in places:
        column = min(int(place), painting.width - 1)
        height = tallest * (0.25 + 1.0 * float(groves[column]) ** 1.6) * float(random.uniform(0.6, 1.15))
        shapes.append(fir(random, float(place), float(line[column]) + tallest * 0.12, height))
    return shapes


def fir(random: np.random.Generator, x: float, foot: float, height: float) -> Polygon:
    """One fir as a zigzag outline."""
    boughs = max(4, min(11, int(height / 6)))
    width = height * float(random.uniform(0.15, 0.21))
    reach = np.linspace(0.08, 1, boughs) * width * random.uniform(0.8, 1.15, boughs)
    levels = foot - height * (1 - np.linspace(0.06, 0.95, boughs))
    left: Polygon = []
    right: Polygon = []
    for level, extent in zip(levels, reach, strict=True):
        left += [(x - extent, level + height * 0.03), (x - extent * 0.42, level)]
        right += [(x + extent, level + height * 0.03), (x + extent * 0.42, level)]
    return [(x, foot - height), *left, (x - width * 0.2, foot), (x + width * 0.2, foot), *right[::-1]]
