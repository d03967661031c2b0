"""Dunes at a low sun: clean crests, one side lit, the other in shadow."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import Array, colour, hexadecimal, mix

LAYERS = 4


def paint(painting: Painting) -> None:
    """A clear sky, then dune behind dune."""
    random, palette = painting.random, painting.palette
    horizon = float(random.uniform(0.42, 0.5))
    painting.fill_sky((*palette.sky[:-1], hexadecimal(mix(palette.haze, colour("fff8e8"), 0.35))), horizon)
    centre = (float(random.uniform(0.15, 0.85)), horizon * float(random.uniform(0.6, 0.86)))
    if palette.night:
        painting.stars(int(painting.unit * 0.5), horizon)
    painting.glow(centre, 0.5, colour(palette.light), 0.5)
    painting.lay(painting.disc(centre, 0.036, 1.6), colour(palette.light), 0.05)
    for layer in range(LAYERS):
        add_dune(painting, layer / (LAYERS - 1), horizon)


def add_dune(painting: Painting, nearness: float, horizon: float) -> None:
    """One dune: its crest, its two sides, ripples of wind, and haze over far ones."""
    shape = crest(painting, nearness)
    tall = painting.unit * (0.08 + 0.22 * nearness)
    base = painting.height * (horizon + 0.035 + (0.97 - horizon) * nearness**1.25 * 0.86)
    line = (base - tall * (shape - 0.25)).astype(np.float32)
    mask, top = painting.below(line, 1.2)
    depth = painting.y[top:] - line[None, :]
    painting.lay(mask, sides(painting, line, depth, nearness), 0.15 + 0.8 * nearness, top)


def crest(painting: Painting, nearness: float) -> Array:
    """Heights 0..1 with sharp peaks: a long way up, a short way down."""
    random = painting.random
    spacing = (1.25 - 0.65 * (1 - nearness)) * painting.unit / painting.width
    places, heights = [random.uniform(-1.0, -0.2)], [0.0]
    while places[-1] < 1.2:
        rise = spacing * random.uniform(0.6, 1.0)
        places += [places[-1] + rise, places[-1] + rise * random.uniform(1.45, 2.0)]
        heights += [random.uniform(0.5, 1.0), random.uniform(0.0, 0.2)]
    across = painting.x[0] / painting.width
    index = np.clip(np.searchsorted(places, across) - 1, 0, len(places) - 2)
    start, end = np.array(places)[index], np.array(places)[index + 1]
    share = (across - start) / (end - start)
    rising = np.array(heights)[index] < np.array(heights)[index + 1]
    eased = np.where(rising, share**1.3, 1 - (1 - share) ** 1.35)
    result: Array = np.array(heights)[index] * (1 - eased) + np.array(heights)[index + 1] * eased
    return result


def sides(painting: Painting, line: Array, depth: Array, nearness: float) -> Array:
    """Light or shade by the crest's slope, carried down along a curve from each peak."""
    palette = painting.palette
    slope = np.gradient(line) * painting.width / painting.unit
    bend = np.clip(depth, 0, None) * 0.5 + np.sqrt(np.clip(depth, 0, None) * painting.unit) * 0.12
    columns = np.clip(painting.x + bend, 0, painting.width - 1).astype(int)
    shaded = np.clip(slope[columns] * 6 + 0.5, 0, 1) * np.clip(1.15 - depth / (painting.unit * 0.55), 0.25, 1)
    sand = mix(colour(palette.accents[2]), colour(palette.light), 0.3)
    lit = mix(palette.haze, sand, 0.35 + 0.65 * nearness)
    shadow = mix(
        palette.haze, mix(colour(palette.near), colour(palette.accents[0]), 0.42), 0.3 + 0.62 * nearness
    )
    ripples = noise.cloud(painting.random, (painting.width, depth.shape[0]), 1.5, 0.3, 1.0)
    tone = 1 + ripples * 0.018 * (0.4 + nearness) - np.clip(depth / painting.unit, 0, 1) * 0.12
    result: Array = (lit + (shadow - lit) * shaded[..., None]) * tone[..., None]
    return result.astype(np.float32)
