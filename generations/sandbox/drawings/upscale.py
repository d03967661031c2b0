"""Larger images."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageFilter

from generations.sandbox.drawings.generate import scene
from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest

FOUR_MEGAPIXELS = 4 * 1024 * 1024


def fast(request: ImageRequest) -> Image.Image:
    """Enlarge four times."""
    image = decode(request.files["image"])
    return image.resize((image.width * 4, image.height * 4), Image.Resampling.LANCZOS)


def conservative(request: ImageRequest) -> Image.Image:
    """Enlarge to 4 megapixels, and sharpen."""
    image = _enlarged(decode(request.files["image"]))
    return image.filter(ImageFilter.UnsharpMask(2, round(400 * request.values["creativity"]), 0))


def creative(request: ImageRequest) -> Image.Image:
    """Enlarge to 4 megapixels, with some of what the prompt describes."""
    image = _enlarged(decode(request.files["image"]))
    drawn = ImageChops.soft_light(image, scene(request, request.values["prompt"], image.size))
    return Image.blend(image, drawn, request.values["creativity"])


def four_megapixels(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size with at most 4 megapixels and the same ratio."""
    scale = math.sqrt(FOUR_MEGAPIXELS / (size[0] * size[1]))
    return int(size[0] * scale), int(size[1] * scale)


def _enlarged(image: Image.Image) -> Image.Image:
    return image.resize(four_megapixels(image.size), Image.Resampling.LANCZOS)
