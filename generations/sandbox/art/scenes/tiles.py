"""Glazed tiles with a motif that meets its neighbours, in the manner of azulejos."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import Array, colour, mix


def paint(painting: Painting) -> None:
    """One motif, repeated, each tile glazed a little differently."""
    random = painting.random
    side = max(24, int(painting.unit / float(random.choice([3, 4, 5]))))
    motif, relief = draw_motif(painting, side)
    rows, columns = -(-painting.height // side), -(-painting.width // side)
    glaze = 1 + random.normal(0, 0.035, (rows, columns, 1)).astype(np.float32)
    spread = np.repeat(np.repeat(glaze, side, axis=0), side, axis=1)[: painting.height, : painting.width]
    covered = np.tile(motif, (rows, columns, 1))[: painting.height, : painting.width]
    uneven = noise.cloud(random, painting.size, 2.4)[..., None] * 0.02
    painting.rgb[:] = covered * spread * (1 + uneven)
    painting.nearness[:] = np.tile(relief, (rows, columns))[: painting.height, : painting.width]
    painting.glow((0.2, 0.05), 0.8, colour("ffffff"), 0.12)


def draw_motif(painting: Painting, side: int) -> tuple[Array, Array]:
    """The tile's colours and its relief, by rings, petals and corners."""
    random, palette = painting.random, painting.palette
    at = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = at[None, :], at[:, None]
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    corner = np.hypot(1 - np.abs(x), 1 - np.abs(y))
    white, dark = colour("f5f0e4"), mix(colour(palette.near), colour(palette.accents[3]), 0.45)
    tones = [colour(code) for code in (palette.accents[3], palette.accents[2], palette.accents[0])]
    petals = int(random.choice([6, 8, 12]))
    wave, turned = np.cos(angle * petals), np.cos(angle * petals + np.pi)
    layers: list[tuple[Array, Array]] = [
        (0.46 - corner, tones[1]),
        (0.36 - corner, white),
        (0.27 - corner, tones[2]),
        (0.12 - corner, tones[0]),
        (0.9 - distance, dark),
        (0.84 - distance, white),
        (0.53 + 0.22 * wave - distance, tones[0]),
        (0.44 + 0.2 * wave - distance, mix(tones[0], white, 0.55)),
        (0.38 + 0.16 * turned - distance, tones[1]),
        (0.27 + 0.05 * turned - distance, dark),
        (0.22 - distance, tones[2]),
        (0.1 - distance, white),
    ]
    rgb = np.broadcast_to(tones[1] * 0.5 + white * 0.5, (side, side, 3)).copy()
    relief = np.full((side, side), 0.2, dtype=np.float32)
    for place, (inside, tone) in enumerate(layers):
        mask = np.clip(inside * side * 0.5 + 0.5, 0, 1)
        rgb += (tone - rgb) * mask[..., None]
        relief += (0.25 + 0.06 * place - relief) * mask
    joint = np.clip((np.maximum(np.abs(x), np.abs(y)) - 0.965) * side * 0.4, 0, 1)[..., None]
    return rgb * (1 - joint) + colour("8f887c") * joint, relief
