"""Cut paper: sheets with ever larger holes, each throwing a soft shadow on the one below."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting, blurred, shifted
from generations.sandbox.art.palette import Array, colour, hexadecimal, mix, ramp

SHEETS = 6
SHADE = np.array([0.82, 0.92, 0.86], dtype=np.float32)


def paint(painting: Painting) -> None:
    """Sheets from the bright one at the bottom to the dark one on top."""
    colours = sheet_colours(painting)
    texture = noise.cloud(painting.random, painting.size, 0.8)[..., None] * 0.012
    texture = texture + noise.cloud(painting.random, painting.size, 2.4)[..., None] * 0.012
    painting.rgb[:] = colours[0] * (1 + texture)
    depth = depth_field(painting)
    wobbles = [noise.cloud(painting.random, painting.size, 4.4, 0.7, 0.7) for _ in range(2)]
    for sheet in range(1, SHEETS + 1):
        shares = painting.random.normal(0, 0.02 + 0.005 * sheet, 2).astype(np.float32)
        edge = depth + wobbles[0] * shares[0] + wobbles[1] * shares[1]
        level = 0.06 + 0.135 * sheet**1.06
        lay_sheet(painting, edge - level, colours[sheet] * (1 + texture), sheet / SHEETS)


def sheet_colours(painting: Painting) -> Array:
    """From the light through the warm accents to the dark."""
    palette = painting.palette
    outermost = hexadecimal(mix(colour(palette.sky[0]), colour(palette.sky[1]), 0.6))
    if palette.night:
        codes = (palette.light, palette.sky[-1], palette.sky[-2], palette.sky[-3], palette.near)
    else:
        codes = (palette.light, palette.sky[-1], palette.accents[0], palette.sky[-2], outermost)
    return ramp(codes, SHEETS + 1)


def depth_field(painting: Painting) -> Array:
    """Distance from an off-centre opening, bent by slow noise."""
    random = painting.random
    middle = (random.uniform(0.36, 0.6), random.uniform(0.34, 0.5))
    across = (painting.x - middle[0] * painting.width) / painting.unit * random.uniform(0.95, 1.25)
    down = (painting.y - middle[1] * painting.height) / painting.unit * random.uniform(0.85, 1.05)
    slow = noise.cloud(random, painting.size, 5.0, 0.8 * painting.width / painting.unit, 0.8)
    result: Array = (np.sqrt(across**2 + down**2) * 1.28 + slow * 0.1).astype(np.float32)
    return result


def lay_sheet(painting: Painting, inside: Array, paint: Array, nearness: float) -> None:
    """Shadow first, then the sheet, then the light that catches its cut edge."""
    unit = painting.unit
    mask = np.clip(inside * unit * 0.8 + 0.5, 0, 1)
    close = shifted(blurred(mask, unit * 0.016), int(unit * 0.011))
    wide = shifted(blurred(mask, unit * 0.05), int(unit * 0.035))
    painting.rgb *= 1 - ((close + wide) * 0.32)[..., None] * SHADE
    painting.lay(mask, paint, nearness)
    rim = np.clip(1 - np.abs(inside * unit - 1.2) / 1.3, 0, 1) * 0.35
    painting.lay(rim, np.clip(mix(paint[0, 0], colour("ffffff"), 0.5), 0, 1))
