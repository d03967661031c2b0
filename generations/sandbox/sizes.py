"""Sizes of images by their aspect ratio, as the real services draw them."""

from __future__ import annotations

import math

ONE_MEGAPIXEL = {  # no table is published: docs/providers/stability.md, "Sizes"
    "21:9": (1536, 640),
    "16:9": (1344, 768),
    "3:2": (1216, 832),
    "5:4": (1088, 896),
    "1:1": (1024, 1024),
    "4:5": (896, 1088),
    "2:3": (832, 1216),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}


def size_with(pixels: float, ratio: str) -> tuple[int, int]:
    """Return width and height of about that many pixels, as multiples of 16."""
    across, down = (int(part) for part in ratio.split(":"))
    width, height = math.sqrt(pixels * across / down), math.sqrt(pixels * down / across)
    return int(width) // 16 * 16, int(height) // 16 * 16


def nearest_ratio(width: int, height: int) -> str:
    """Return the supported ratio closest to this size."""
    target = math.log(width / height)
    shapes = {ratio: abs(math.log(w / h) - target) for ratio, (w, h) in ONE_MEGAPIXEL.items()}
    return min(shapes, key=lambda ratio: shapes[ratio])
