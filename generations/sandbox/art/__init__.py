"""Pictures drawn from a prompt and a seed: what the sandbox answers instead of a model's work."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from generations.sandbox.art.canvas import Canvas, choose_palette
from generations.sandbox.art.scenes import choose_scene
from generations.sandbox.art.styles import STYLES

WORKING_SCALE = 2 / 3  # scenes are soft: the pixels between cost time and show nothing
SMALLEST = 64  # a scene needs some pixels to be drawn with
MARK = "sandbox"


def draw(prompt: str, *, seed: int, style: str, size: tuple[int, int]) -> Image.Image:
    """Draw a picture; the same arguments give the same picture."""
    digest = hashlib.sha256(prompt.encode()).digest()
    random = np.random.default_rng([seed, *digest[:8]])
    words = re.findall(r"[a-z]+", prompt.lower())
    width, height = (max(SMALLEST, round(side * WORKING_SCALE)) for side in size)
    canvas = Canvas((width, height), choose_palette(words, random), random)
    choose_scene(words, digest[8])(canvas)
    return STYLES[style](canvas).resize(size, Image.Resampling.BICUBIC)


def mark(image: Image.Image) -> Image.Image:
    """Write `sandbox` small into the lower right corner, light on dark or dark on light."""
    font = _font(max(10, round(max(image.size) / 84)))
    right, bottom = image.width - font.size, image.height - font.size
    box = [int(edge) for edge in font.getbbox(MARK, anchor="rs")]
    corner = image.crop((right + box[0], bottom + box[1], right, bottom)).convert("L")
    if right + box[0] >= 0 and bottom + box[1] >= 0:
        ink = (255, 255, 255, 150) if np.asarray(corner).mean() < 150 else (0, 0, 0, 150)
        ImageDraw.Draw(image, "RGBA").text((right, bottom), MARK, ink, font, anchor="rs")
    return image


@lru_cache(maxsize=16)
def _font(height: int) -> ImageFont.FreeTypeFont:
    """The font of the mark; reading one takes longer than writing with it."""
    font = ImageFont.load_default(height)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
