"""What is laid over every picture: bloom, vignette, enlargement, grain, and the mark."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from generations.sandbox.art.painting import to_array, to_image
from generations.sandbox.art.palette import Array

GRAIN_SIDE = 512
MARK = "sandbox"


def bloom(rgb: Array, strength: float = 0.3, threshold: float = 0.62) -> Array:
    """Let what is bright shine over its edges."""
    height, width = rgb.shape[:2]
    small = to_image(np.clip(rgb[::4, ::4] - threshold, 0, 1) / (1 - threshold))
    spread = small.filter(ImageFilter.GaussianBlur(max(small.size) / 26))
    light = to_array(spread.resize((width, height), Image.Resampling.BILINEAR))
    result: Array = rgb + (1 - rgb) * light * strength
    return result


def vignette(rgb: Array, strength: float = 0.2) -> Array:
    """Darken the corners a little."""
    height, width = rgb.shape[:2]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] ** 2
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] ** 2
    result: Array = rgb * (1 - strength * ((across + down) * 0.5) ** 1.5)[..., None]
    return result


@lru_cache(maxsize=8)
def grain_tile(strength: int) -> npt.NDArray[np.int16]:
    """A square of film grain, softened a little so that it reads as texture."""
    random = np.random.default_rng(strength)
    rough = random.standard_normal((GRAIN_SIDE + 1, GRAIN_SIDE + 1))
    soft = (rough[1:, 1:] + rough[:-1, 1:] + rough[1:, :-1] + rough[:-1, :-1]) / 2
    return np.rint(soft * strength / 2).astype(np.int16)[..., None]


def enlarge(rgb: Array, size: tuple[int, int], grain: int = 4) -> Image.Image:
    """Bring a painting to its full size and lay grain over it."""
    image = to_image(rgb)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return add_grain(image, grain) if grain else image


def add_grain(image: Image.Image, strength: int) -> Image.Image:
    """Grain over an image; it hides bands in slow gradients and the computed look."""
    width, height = image.size
    tile = grain_tile(strength)
    repeats = (-(-height // GRAIN_SIDE), -(-width // GRAIN_SIDE), 1)
    grain = np.tile(tile, repeats)[:height, :width]
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.int16) + grain, 0, 255).astype(np.uint8))


@lru_cache(maxsize=16)
def _letters(height: int) -> Image.Image:
    font = ImageFont.load_default(height)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(MARK))
    letters = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(letters).text((1 - left, 1 - top), MARK, font=font, fill=150)
    return letters


def mark(image: Image.Image) -> Image.Image:
    """Write `sandbox` small into the lower right corner, light on dark or dark on light."""
    letters = _letters(max(10, round(max(image.size) / 84)))
    margin = letters.height
    left, top = image.width - letters.width - margin, image.height - letters.height - margin
    if left < 0 or top < 0:
        return image
    under = image.crop((left, top, left + letters.width, top + letters.height)).convert("L")
    ink = (255, 255, 255) if np.asarray(under).mean() < 150 else (0, 0, 0)
    image.paste(ink, (left, top), letters)
    return image
