"""Ink in water, marble and silk: noise bent by noise that was bent by noise."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import Array, colour, hexadecimal, mix, shade

SHRINK = 2  # the field is smooth, so half the size is enough


def paint(painting: Painting) -> None:
    """The bent field as colours, with folds lit like cloth."""
    random, palette = painting.random, painting.palette
    field = bent_field(painting)
    bands = float(random.choice([1.0, 1.0, 2.2]))
    amounts = (field * bands) % 2
    amounts = np.where(amounts > 1, 2 - amounts, amounts)
    pale = hexadecimal(mix(colour(palette.sky[-1]), colour("fff9f0"), 0.4))
    codes = (palette.near, palette.sky[1], palette.accents[0], palette.sky[-2], pale)
    down, across = np.gradient(field)
    slope = (across * 0.6 + down * 0.8) * painting.unit
    fold = np.clip(slope * 0.05, -0.3, 0.3)
    painting.rgb[:] = shade(codes, amounts) * (1 + fold * 0.8)[..., None]
    painting.screen(np.clip(fold - 0.08, 0, 1) * 0.8, colour(palette.light))
    veins = np.clip(1 - np.abs(amounts - 0.52) * 60, 0, 1) * (0.5 if bands > 2 else 0)
    painting.lay(veins.astype(np.float32), mix(colour("e9c37a"), colour(palette.light), 0.3))
    painting.nearness[:] = np.floor(amounts * 6) / 6


def bent_field(painting: Painting) -> Array:
    """A field 0..1 over the painting."""
    random = painting.random
    width, height = painting.width // SHRINK, painting.height // SHRINK
    unit = float(np.sqrt(width * height))
    across, down = np.meshgrid(
        np.arange(width, dtype=np.float32) / unit, np.arange(height, dtype=np.float32) / unit
    )
    scale = noise.SIDE * float(random.uniform(0.3, 0.45))
    fields = [noise.pick(random, 4.2) for _ in range(5)]
    first = [look_up(field, across * scale, down * scale) for field in fields[:2]]
    pull = noise.SIDE * float(random.uniform(0.05, 0.09))
    second = [
        look_up(field, across * scale + first[0] * pull, down * scale + first[1] * pull)
        for field in fields[2:4]
    ]
    pull *= 1.5
    bent = look_up(fields[4], across * scale + second[0] * pull, down * scale + second[1] * pull)
    low, high = np.percentile(bent, (2, 98))
    return noise.resized(np.clip((bent - low) / (high - low), 0, 1), painting.size)


def look_up(field: Array, across: Array, down: Array) -> Array:
    """The tiling field at places between its points, mixed from the four around."""
    left, top = np.floor(across).astype(np.int32), np.floor(down).astype(np.int32)
    x, y = across - left, down - top
    left, top = left % noise.SIDE, top % noise.SIDE
    right, bottom = (left + 1) % noise.SIDE, (top + 1) % noise.SIDE
    upper = field[top, left] * (1 - x) + field[top, right] * x
    lower = field[bottom, left] * (1 - x) + field[bottom, right] * x
    result: Array = upper * (1 - y) + lower * y
    return result
