"""One large blossom: rings of petals, the inner ones shading the outer."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import Array, colour, hexadecimal, mix, ramp

RINGS = 9


def paint(painting: Painting) -> None:
    """A dark ground and the rings from the outside in."""
    random, palette = painting.random, painting.palette
    ground = mix(colour(palette.near), colour("12332c"), 0.6)
    texture = noise.cloud(random, painting.size, 2.6)[..., None]
    painting.rgb[:] = ground * (1 + 0.06 * texture)
    centre = (0.5 + float(random.uniform(-0.05, 0.05)), 0.5 + float(random.uniform(-0.04, 0.04)))
    x, y = painting.x - centre[0] * painting.width, painting.y - centre[1] * painting.height
    distance = np.hypot(x, y) / painting.unit
    angle = np.arctan2(y, x).astype(np.float32)
    glow = hexadecimal(mix(colour(palette.light), colour(palette.accents[0]), 0.35))
    tones = ramp((palette.sky[1], palette.accents[0], palette.accents[0], glow), RINGS)[::-1]
    count, pointed = int(random.integers(13, 22)), float(random.uniform(0.55, 1.0))
    extent = 0.47 * min(painting.size) / painting.unit
    for ring in range(RINGS):
        outer = extent * (1 - ring / RINGS) ** 0.92 + 0.004
        petals = max(5, round(count * (0.55 + 0.45 * (1 - ring / RINGS))))
        add_ring(
            painting,
            distance=distance,
            angle=angle,
            outer=outer,
            petals=petals,
            pointed=pointed,
            tone=tones[ring],
            nearness=ring / RINGS,
        )
    painting.lay(painting.disc(centre, 0.018 * extent / 0.47, 3), tones[-1] * 0.8, 0.95)
    painting.rgb *= 1 + 0.02 * noise.cloud(random, painting.size, 1.4)[..., None]


def add_ring(
    painting: Painting,
    *,
    distance: Array,
    angle: Array,
    outer: float,
    petals: int,
    pointed: float,
    tone: Array,
    nearness: float,
) -> None:
    """Two staggered sets of petals of one ring, painted pixel by pixel where the ring lies."""
    tip = mix(tone, colour("fff4e0"), 0.35)
    pixels = np.flatnonzero((distance < outer * 1.12 + 0.006) & (distance > outer * 0.5 - 0.02))
    near, turn = distance.ravel()[pixels], angle.ravel()[pixels]
    under, nearness_under = painting.rgb.reshape(-1, 3), painting.nearness.reshape(-1)
    for half in (0, 1):
        reach = outer * (1.0 - 0.06 * half)
        place = (turn / (2 * np.pi) * petals + half * 0.5 + painting.random.uniform(0, 0.2)) % 1 - 0.5
        shape = np.clip(1 - (2 * np.abs(place)) ** (2.4 - pointed), 0, 1)
        shape = np.sqrt(shape)
        edge = reach * (1 + 0.05 * np.sin(turn * 3 + outer * 40)) * (0.66 + 0.34 * shape)
        inside = edge - near
        shadow = np.clip(1 + inside / (outer * 0.14 + 0.006), 0, 1) ** 2 * 0.55
        along = np.clip(near / np.maximum(edge, 1e-4), 0, 1)
        light = 0.5 + 0.62 * along**2 - 1.36 * place**2 * (0.3 + 0.7 * along)
        light += 0.05 * np.cos(place * 40) * along + 0.1 * np.cos(turn + 2.2)
        body = (tone + (tip - tone) * (along**3)[:, None]) * light[:, None]
        mask = np.clip(inside * painting.unit * 0.9 + 0.5, 0, 1)
        below = under[pixels] * (1 - shadow)[:, None]
        under[pixels] = below + (body - below) * mask[:, None]
        depth = nearness_under[pixels]
        nearness_under[pixels] = depth + (0.35 + 0.6 * nearness + 0.02 * half - depth) * mask
