"""Glazed spheres on a seamless floor in soft window light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generations.sandbox.art.painting import Painting, blurred
from generations.sandbox.art.palette import Array, colour, mix

LAMP = np.array([-0.52, -0.62, 0.59], dtype=np.float32)


@dataclass(frozen=True)
class Sphere:
    """A sphere on the floor: where it stands, how big it looks, and its glaze."""

    x: float
    foot: float
    radius: float
    depth: float
    tone: Array


def paint(painting: Painting) -> None:
    """The floor, all shadows, then the spheres from the back to the front."""
    ground = mix(colour(painting.palette.sky[-2]), colour("e9e2da"), 0.5)
    fall = (painting.y / painting.height)[..., None]
    painting.rgb[:] = ground * (1.08 - 0.16 * np.abs(fall - 0.42))
    painting.glow((0.25, 0.1), 0.9, colour("ffffff"), 0.22)
    spheres = sorted(arrange(painting), key=lambda sphere: sphere.depth)
    painting.rgb *= 1 - shadows(painting, spheres)[..., None] * (1 - ground * 0.45)
    for sphere in spheres:
        add_sphere(painting, sphere, ground)


def arrange(painting: Painting) -> list[Sphere]:
    """Spheres that do not touch, one of them large."""
    random, palette = painting.random, painting.palette
    white = colour("f1eee8")
    tones = [
        *(colour(code) for code in palette.accents),
        white,
        mix(colour(palette.near), ground_tone(palette.near), 0.3),
    ]
    placed: list[tuple[float, float, float]] = []
    spheres: list[Sphere] = []
    order = random.permutation(len(tones))
    wide = painting.width / painting.unit
    for attempt in range(90):
        size = 0.16 if not placed else float(random.uniform(0.04, 0.1)) * (1 - 0.3 * (attempt > 40))
        across, depth = float(random.normal(0, 0.17)) * wide, float(random.uniform(-0.3, 0.3))
        if any(np.hypot(across - x, (depth - z) * 0.9) < (size + s) * 1.04 for x, z, s in placed):
            continue
        placed.append((across, depth, size))
        scale = painting.unit * (1 + depth * 0.75)
        foot = painting.height * 0.66 + depth * 0.5 * painting.unit
        tone = tones[order[len(spheres) % len(order)]]
        spheres.append(Sphere(painting.width / 2 + across * scale, foot, size * scale, depth, tone))
        if len(spheres) > 12:
            break
    return spheres


def ground_tone(code: str) -> Array:
    """A darker glaze that is not black."""
    return mix(colour(code), colour("ffffff"), 0.25)


def shadows(painting: Painting, spheres: list[Sphere]) -> Array:
    """How dark the floor is: a tight shadow of contact and a long soft one."""
    long = np.zeros_like(painting.nearness)
    tight = np.zeros_like(painting.nearness)
    for sphere in spheres:
        for field, shift, wide, flat in ((long, 0.75, 1.7, 0.4), (tight, 0.12, 0.86, 0.26)):
            across = (painting.x - sphere.x - sphere.radius * shift) / (sphere.radius * wide)
            down = (painting.y - sphere.foot + sphere.radius * 0.2) / (sphere.radius * flat)
            np.maximum(field, np.clip(1.4 - np.hypot(across, down) * 1.2, 0, 1), out=field)
    soft = blurred(long, painting.unit * 0.022) * 0.5 + blurred(tight, painting.unit * 0.008) * 0.55
    return np.clip(soft, 0, 0.85)


def add_sphere(painting: Painting, sphere: Sphere, ground: Array) -> None:
    """One sphere: light from the window, light from the floor, and the window's reflection."""
    radius, middle = sphere.radius, sphere.foot - sphere.radius
    left, top = max(0, int(sphere.x - radius - 2)), max(0, int(middle - radius - 2))
    right, bottom = int(sphere.x + radius + 3), int(middle + radius + 3)
    across = (painting.x[:, left:right] - sphere.x) / radius
    down = (painting.y[top:bottom] - middle) / radius
    if not across.size or not down.size:
        return
    square = across**2 + down**2
    towards = np.sqrt(np.clip(1 - square, 0, 1))
    facing = across * LAMP[0] + down * LAMP[1] + towards * LAMP[2]
    diffuse = np.clip(facing * 0.8 + 0.24, 0, 1) ** 1.15
    bounce = np.clip(down, 0, 1) ** 2 * 0.3
    rim = (1 - towards) ** 4 * 0.3
    body = sphere.tone * (0.16 + 0.92 * diffuse)[..., None]
    body = body + ground * (bounce + rim)[..., None] * (0.35 + 0.65 * sphere.tone)
    shine = np.clip((facing - 0.955) * 26, 0, 1) * 0.75 + np.clip(facing - 0.75, 0, 1) * 0.35
    body = body + (1 - np.clip(body, 0, 1)) * shine[..., None]
    mask = np.clip((1 - np.sqrt(square)) * radius / 1.2 + 0.5, 0, 1)
    painting.lay(mask.astype(np.float32), body, 0.55 + sphere.depth, top, left)
