"""Styles that keep the painting and change its light and colour."""

from __future__ import annotations

import numpy as np

from generations.sandbox.art.painting import Painting, blurred, shifted
from generations.sandbox.art.palette import Array, adjust, colour, shade
from generations.sandbox.art.styles.lines import contours

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def brightness(rgb: Array) -> Array:
    """How bright each pixel looks, 0..1."""
    return np.clip(rgb @ LUMINANCE, 0, 1)


def enhance(painting: Painting) -> None:
    """More local contrast and stronger colour."""
    soft = blurred(painting.rgb, painting.unit * 0.04)
    painting.rgb[:] = adjust(painting.rgb + (painting.rgb - soft) * 0.55, saturation=1.3, contrast=1.1)


def photographic(painting: Painting) -> None:
    """A lens: the nearest things out of focus, natural colours, warm light."""
    soft = blurred(painting.rgb, painting.unit * 0.007)
    near = np.clip((painting.nearness - 0.8) * 5, 0, 1)[..., None]
    focused = painting.rgb + (soft - painting.rgb) * near
    warm = np.array([1.03, 1.0, 0.95], dtype=np.float32)
    painting.rgb[:] = adjust(focused * warm, saturation=0.9, contrast=1.08, lift=0.01)


def analog_film(painting: Painting) -> None:
    """Faded blacks, a warm cast, and light that leaked in at one edge."""
    faded = 0.09 + 0.84 * adjust(painting.rgb, saturation=0.62, contrast=0.95)
    painting.rgb[:] = faded * np.array([1.05, 0.99, 0.88], dtype=np.float32)
    side = float(painting.random.choice([-0.08, 1.08]))
    painting.glow((side, float(painting.random.uniform(0.2, 0.7))), 0.42, colour("ff8a3c"), 0.5)


def cinematic(painting: Painting) -> None:
    """Teal shadows, orange light, flares along the width, and black bars."""
    light = brightness(painting.rgb)[..., None]
    teal, orange = colour("1f6f86"), colour("ffb066")
    graded = adjust(painting.rgb, saturation=0.9, contrast=1.22, lift=-0.03)
    graded += (teal - 0.4) * (1 - light) * 0.28 + (orange - 0.5) * light * 0.26
    flare = np.clip(light[..., 0] - 0.8, 0, 1).max(axis=1)[:, None] * 0.25
    painting.rgb[:] = graded
    painting.screen(np.broadcast_to(flare, painting.nearness.shape), colour("9fd8ff"))
    bar = round(painting.height * 0.095)
    painting.rgb[:bar] = painting.rgb[-bar:] = 0.01
    painting.nearness[:bar] = painting.nearness[-bar:] = 0


def fantasy_art(painting: Painting) -> None:
    """Violet air, glowing edges, and sparks."""
    light = brightness(painting.rgb)
    dream = shade(("12062e", "3d1c78", "9a45d0", "f29be0", "fff3e6"), light**0.95)
    painting.rgb[:] = painting.rgb * 0.25 + dream * 0.8
    outline = blurred(contours(painting), painting.unit * 0.006)
    painting.screen(outline * 0.5, colour("b9a2ff"))
    random = painting.random
    for _ in range(26):
        spot = (float(random.random()), float(random.uniform(0.25, 1)))
        radius = float(random.uniform(0.0015, 0.0045))
        painting.lay(painting.disc(spot, radius, painting.unit * 0.004), colour("fff0c8"))


def anime(painting: Painting) -> None:
    """Clean bands of bright colour with thin outlines."""
    painting.rgb[:] = blurred(painting.rgb, painting.unit * 0.003)
    light = brightness(painting.rgb)
    steps = light * 7
    banded = (np.floor(steps) + np.clip((steps % 1 - 0.42) * 6, 0, 1) + 0.25) / 7
    scaled = painting.rgb * (banded / np.maximum(light, 0.02))[..., None]
    vivid = adjust(scaled, saturation=1.5, contrast=1.05, lift=0.06)
    painting.rgb[:] = vivid * np.array([1.02, 0.99, 1.06], dtype=np.float32)
    painting.rgb *= 1 - contours(painting)[..., None] * 0.4


def digital_art(painting: Painting) -> None:
    """Stacked flowing shapes of even colour, each with its own shadow."""
    palette, unit = painting.palette, painting.unit
    light = brightness(blurred(painting.rgb, unit * 0.022))
    light = (light - light.min()) / max(float(np.ptp(light)), 0.05)
    codes = (palette.near, palette.accents[1], palette.accents[0], palette.light)
    painting.rgb[:] = shade(codes, np.zeros_like(light))
    for level in range(1, 8):
        mask = np.clip((light - level / 8) * unit * 0.16 + 0.5, 0, 1)
        shift = max(1, int(unit * 0.008))
        shadow = shifted(blurred(mask, unit * 0.014), shift)
        painting.rgb *= 1 - 0.3 * shadow[..., None]
        painting.lay(mask, shade(codes, (level + 0.5) / 8))
