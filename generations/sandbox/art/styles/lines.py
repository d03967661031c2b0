"""Styles drawn with lines, which follow the edges of what lies at different distances."""

from __future__ import annotations

import numpy as np
from PIL import ImageFilter

from generations.sandbox.art.painting import Painting, blurred, to_image
from generations.sandbox.art.palette import Array, adjust, colour, shade

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def contours(painting: Painting, detail: float = 0.0, thick: int = 3) -> Array:
    """Lines 0..1 where the distance jumps; `detail` adds the edges of light and dark."""
    lines = _steps(painting.nearness, thick) * 14
    if detail:
        light = blurred(np.clip(painting.rgb, 0, 1) @ LUMINANCE, max(1.0, painting.unit * 0.0022))
        lines = lines + np.clip(_steps(light, thick) - 0.06, 0, 1) * 9 * detail
    result: Array = np.clip(lines, 0, 1).astype(np.float32)
    return result


def line_art(painting: Painting) -> None:
    """Ink on cream paper: contours, and hatching where it is dark."""
    light = blurred(np.clip(painting.rgb, 0, 1) @ LUMINANCE, painting.unit * 0.004)
    inked = contours(painting, 0.55)
    slope = (painting.x + painting.y) * (140 / painting.unit)
    hatch = np.clip(np.sin(slope * 2) * 1.6 - 0.55, 0, 1) * np.clip((0.42 - light) * 4, 0, 1)
    crossed = (painting.x - painting.y) * (140 / painting.unit)
    hatch += np.clip(np.sin(crossed * 2) * 1.6 - 0.55, 0, 1) * np.clip((0.2 - light) * 6, 0, 1)
    solid = 0.3 + 0.7 * np.clip(painting.nearness * 8, 0, 1)  # the sky stays light
    ink = np.clip(inked + hatch * 0.62 * solid, 0, 1)[..., None]
    painting.rgb[:] = colour("f6f1e4") * (1 - ink) + colour("23242b") * ink


def comic_book(painting: Painting) -> None:
    """Few flat colours, dots for half tones, and bold outlines."""
    painting.rgb[:] = blurred(painting.rgb, painting.unit * 0.004)
    light = painting.rgb @ LUMINANCE
    flat = np.floor(np.clip(adjust(painting.rgb, saturation=1.5, contrast=1.15, lift=0.05), 0, 0.999) * 6) / 5
    pitch = painting.unit / 95
    across, down = (painting.x + painting.y) / pitch, (painting.x - painting.y) / pitch
    dots = np.sin(across * np.pi) * np.sin(down * np.pi)
    halftone = np.clip((dots - (light * 2 - 0.75)) * 3, 0, 1)[..., None] * 0.42
    inked = contours(painting, 0.5)[..., None]
    painting.rgb[:] = flat * (1 - halftone * np.array([0.55, 0.8, 0.5], dtype=np.float32))
    painting.rgb += (colour("15131c") - painting.rgb) * inked


def neon_punk(painting: Painting) -> None:
    """A dark scene whose outlines glow from magenta to cyan."""
    light = np.clip(painting.rgb, 0, 1) @ LUMINANCE
    painting.rgb[:] = shade(("07051a", "140a33", "2c1257", "57208a"), light)
    tubes = contours(painting, 0.7)
    across = np.clip((painting.x / painting.width + painting.y / painting.height) / 2, 0, 1)
    hue = shade(("ff2fa8", "b44bff", "3f8cff", "25f0ff"), across)
    for reach, strength in ((0.03, 2.6), (0.01, 1.3)):
        painting.screen(np.clip(blurred(tubes, painting.unit * reach) * strength, 0, 0.9), hue)
    painting.lay(tubes * 0.95, hue * 0.7 + 0.3)


def _steps(field: Array, thick: int) -> Array:
    """The largest difference within a small square around each pixel."""
    image = to_image(field)
    high, low = image.filter(ImageFilter.MaxFilter(thick)), image.filter(ImageFilter.MinFilter(thick))
    return (np.asarray(high, dtype=np.float32) - np.asarray(low, dtype=np.float32)) / 255
