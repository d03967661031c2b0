"""Open water under a low sun, whose light makes a path to the viewer."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import Array, colour, mix, ramp
from generations.sandbox.art.scenes.ridges import add_clouds


def paint(painting: Painting) -> None:
    """Sky, sun, clouds, perhaps a far coast, and the water."""
    random, palette = painting.random, painting.palette
    horizon = float(random.uniform(0.44, 0.56))
    sun = float(random.uniform(0.28, 0.72))
    light = colour(palette.light)
    painting.fill_sky(palette.sky, horizon)
    if palette.night:
        painting.stars(int(painting.unit * 0.5), horizon)
    centre = (sun, horizon - float(random.uniform(0.0, 0.13)))
    painting.glow(centre, 0.6, light, 0.4)
    add_clouds(painting, horizon, 0.45)
    painting.glow(centre, 0.15, light, 0.5)
    painting.lay(painting.disc(centre, float(random.uniform(0.04, 0.06)), 1.6), light, 0.05)
    if random.random() < 0.5:
        add_coast(painting, horizon)
    add_water(painting, horizon, sun)
    if random.random() < 0.6:
        add_boat(painting, horizon, sun)


def add_boat(painting: Painting, horizon: float, sun: float) -> None:
    """A small sailing boat, dark against the light, with a trace of itself in the water."""
    random = painting.random
    size = painting.unit * float(random.uniform(0.035, 0.075))
    x = (sun + float(random.choice([-1, 1]) * random.uniform(0.08, 0.2))) * painting.width
    y = painting.height * horizon + size * 0.55
    hull = [
        (x - size * 0.5, y),
        (x + size * 0.55, y),
        (x + size * 0.36, y + size * 0.16),
        (x - size * 0.36, y + size * 0.16),
    ]
    main = [
        (x + size * 0.03, y - size * 1.25),
        (x + size * 0.5, y - size * 0.08),
        (x + size * 0.03, y - size * 0.08),
    ]
    jib = [
        (x - size * 0.03, y - size * 1.05),
        (x - size * 0.45, y - size * 0.08),
        (x - size * 0.03, y - size * 0.08),
    ]
    dark = mix(colour(painting.palette.near), painting.palette.haze, 0.12)
    sail = mix(dark, colour(painting.palette.light), 0.42)
    trace = [(x + (px - x) * 0.8, y + size * 0.2 + (y - py) * 0.55) for px, py in main + jib[:2]]
    painting.lay(painting.polygons([trace]) * 0.22, dark)
    painting.lay(painting.polygons([main, jib]), sail, 0.9)
    painting.lay(painting.polygons([hull]), dark, 0.95)


def add_coast(painting: Painting, horizon: float) -> None:
    """A low coast that ends somewhere along the horizon."""
    rising = noise.profile(painting.random, painting.width, 2.6, 1.5)
    ending = np.clip((rising - 0.35) * 1.6, 0, 1)
    line = painting.height * horizon - painting.unit * 0.07 * ending
    mask, top = painting.below(line.astype(np.float32))
    painting.lay(mask, painting.palette.distance(0.35), 0.3, top)


def add_water(painting: Painting, horizon: float, sun: float) -> None:
    """Waves in perspective, coloured by the sky they mirror, with the sun's path."""
    top = int(painting.height * horizon)
    rows = painting.height - top
    near = ((np.arange(rows, dtype=np.float32) + 0.7) / rows)[:, None]
    waves = perspective_waves(painting, near, sun)
    slope = waves * (0.05 + 0.2 * near)
    mirrored = np.clip(0.9 - 0.8 * near**0.7 + slope, 0, 1)
    sky = ramp(painting.palette.sky, 256)[(mirrored * 255).astype(np.uint8)]
    deep = mix(colour(painting.palette.near), colour(painting.palette.sky[0]), 0.45)
    water = sky + (deep - sky) * (0.32 + 0.4 * near[..., None])
    painting.rgb[top:] = water * (1 + 0.16 * waves[..., None] * near[..., None] ** 0.5)
    painting.nearness[top:] = 0.45 + 0.5 * near
    add_path(painting, top, near, waves, sun)


def perspective_waves(painting: Painting, near: Array, sun: float) -> Array:
    """Tiling noise seen at a flat angle; far rows blur into evenness."""
    distance = 1 / (near + 0.012)
    across = (painting.x / painting.width - sun) * painting.width / painting.unit
    total = np.zeros((near.shape[0], painting.width), dtype=np.float32)
    for beta, scale, weight in ((2.6, 30.0, 0.4), (2.1, 75.0, 0.55), (1.7, 150.0, 0.35)):
        field = noise.pick(painting.random, beta)
        columns = (across * distance * scale).astype(np.int32) % noise.SIDE
        lines = (distance * scale * 3.2).astype(np.int32) % noise.SIDE
        total += field[lines, columns] * weight
    result: Array = total * np.clip(near * 14, 0.12, 1)
    return result


def add_path(painting: Painting, top: int, near: Array, waves: Array, sun: float) -> None:
    """Glints where waves turn the sun towards us, wider and sparser nearby."""
    away = (painting.x / painting.width - sun) * painting.width / painting.unit
    within = np.exp(-((away / (0.045 + 0.16 * near)) ** 2))
    glint = np.clip(waves * 0.9 + 1.2 * within - 0.72 - 0.25 * near, 0, 1) * within
    sheen = within * 0.28 * (1 - near * 0.6)
    light = np.clip(glint * 1.9 + sheen, 0, 0.96)[..., None]
    painting.rgb[top:] += (colour(painting.palette.light) - painting.rgb[top:]) * light
