"""A banded planet with rings or a moon before stars and thin nebulae."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting
from generations.sandbox.art.palette import Array, colour, mix, shade

LAMP = np.array([-0.72, -0.38, 0.58], dtype=np.float32)


def paint(painting: Painting) -> None:
    """Space, then the far half of the ring, the planet, and the near half of the ring."""
    random = painting.random
    add_space(painting)
    centre = (float(random.uniform(0.4, 0.6)), float(random.uniform(0.42, 0.58)))
    radius = painting.unit * float(random.uniform(0.17, 0.23))
    tilt = float(random.uniform(-0.5, 0.5))
    across, down = turned(painting, centre, radius, tilt)
    ringed = bool(random.random() < 0.7)
    opening = float(random.uniform(0.2, 0.34))
    ring = ring_light(painting, across, down / opening) if ringed else None
    if ring is not None:
        painting.lay(ring * (down < 0), ring_paint(painting, across, down / opening), 0.5)
    add_globe(painting, across, down, tilt, radius)
    if ring is not None:
        painting.lay(ring * (down >= 0), ring_paint(painting, across, down / opening), 0.95)
    add_moon(painting)


def add_space(painting: Painting) -> None:
    """Near black with slow colour, and stars."""
    palette = painting.palette
    deep = mix(colour(palette.sky[0]), colour("04040d"), 0.82)
    haze = noise.shaded_cloud(painting.random, painting.size)
    veil = mix(colour(palette.accents[1]), colour(palette.sky[1]), 0.4)
    painting.rgb[:] = deep + veil * (haze**3)[..., None] * 0.32
    painting.stars(int(painting.unit * 1.5), 1.0)


def turned(
    painting: Painting, centre: tuple[float, float], radius: float, tilt: float
) -> tuple[Array, Array]:
    """Coordinates in planet radii, turned so that the equator is level."""
    x, y = (
        (painting.x - centre[0] * painting.width) / radius,
        (painting.y - centre[1] * painting.height) / radius,
    )
    return x * np.cos(tilt) + y * np.sin(tilt), -x * np.sin(tilt) + y * np.cos(tilt)


def add_globe(painting: Painting, across: Array, down: Array, tilt: float, radius: float) -> None:
    """The globe: bands bent by storms, lit from one side, with a thin edge of air."""
    square = across**2 + down**2
    towards = np.sqrt(np.clip(1 - square, 0, 1))
    storms = noise.cloud(painting.random, painting.size, 3.0, 0.8, 1.0)
    fine = noise.cloud(painting.random, painting.size, 2.0, 0.25, 1.0)
    stripes = noise.profile(painting.random, 512, 1.5, 2)
    latitude = np.arcsin(np.clip(down + storms * 0.022 * towards + fine * 0.008, -1, 1)) / np.pi + 0.5
    bands = stripes[np.clip(latitude * 511, 0, 511).astype(int)]
    accents = painting.palette.accents
    codes = (accents[3], accents[0], accents[2], painting.palette.light, accents[0])
    lamp = (LAMP[0] * np.cos(tilt) + LAMP[1] * np.sin(tilt), -LAMP[0] * np.sin(tilt) + LAMP[1] * np.cos(tilt))
    facing = across * lamp[0] + down * lamp[1] + towards * LAMP[2]
    lit = np.clip(facing * 1.15 + 0.06, 0.012, 1)
    body = shade(codes, bands) * lit[..., None]
    air = np.clip(1 - towards, 0, 1) ** 3 * np.clip(facing + 0.35, 0, 1)
    body += mix(colour(accents[1]), colour("ffffff"), 0.5) * air[..., None] * 0.5
    mask = np.clip((1 - np.sqrt(square)) * radius / 1.2 + 0.5, 0, 1)
    halo = np.clip(1.13 - np.sqrt(square), 0, 0.13) / 0.13 * np.clip(-across * 0.6 - down * 0.3 + 0.3, 0, 1)
    painting.screen((halo**2 * 0.4 * (square > 1)).astype(np.float32), colour(painting.palette.light))
    painting.lay(mask.astype(np.float32), body, 0.75)


def ring_light(painting: Painting, across: Array, down: Array) -> Array:
    """How solid the ring is at each point; gaps and grooves by its distance."""
    distance = np.hypot(across, down)
    grooves = noise.profile(painting.random, 256, 1.2, 3)
    solid = 0.25 + 0.75 * grooves[np.clip((distance - 1.35) * 255 / 0.95, 0, 255).astype(int)]
    inside = np.clip((distance - 1.36) * 30, 0, 1) * np.clip((2.28 - distance) * 30, 0, 1)
    gap = 1 - np.exp(-(((distance - 1.95) / 0.025) ** 2))
    result: Array = (solid * inside * gap * 0.92).astype(np.float32)
    return result


def ring_paint(painting: Painting, across: Array, down: Array) -> Array:
    """The ring's colour, dark where the planet's shadow falls on it."""
    along = across * -LAMP[0] + down * 0.25
    beside = np.abs(down * 0.9 - across * 0.2)
    shadow = np.clip((along - 0.4) * 5, 0, 1) * np.clip((1.0 - beside) * 6, 0, 1)
    tone = mix(colour(painting.palette.accents[2]), colour("f4ead8"), 0.45)
    result: Array = tone * (1 - 0.86 * shadow)[..., None]
    return result


def add_moon(painting: Painting) -> None:
    """A small moon off to one side."""
    random = painting.random
    centre = (float(random.choice([0.14, 0.86])), float(random.uniform(0.16, 0.34)))
    radius = float(random.uniform(0.018, 0.034))
    x = (painting.x - centre[0] * painting.width) / (radius * painting.unit)
    y = (painting.y - centre[1] * painting.height) / (radius * painting.unit)
    lit = np.clip(x * LAMP[0] + y * LAMP[1] + np.sqrt(np.clip(1 - x**2 - y**2, 0, 1)) * LAMP[2], 0.03, 1)
    tone = mix(colour(painting.palette.light), colour("8f8f98"), 0.5)
    painting.lay(painting.disc(centre, radius), tone * lit[..., None], 0.6)
