"""What people choose among: styles, shapes with their sizes, file formats.

Facts: docs/providers/stability.md, "Fields", "Sizes" and "v1 text to image".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from generations.providers.i18n import gettext_noop

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "photographic": gettext_noop("Photo"),
        "cinematic": gettext_noop("Cinematic"),
        "analog-film": gettext_noop("Analog film"),
        "anime": gettext_noop("Anime"),
        "digital-art": gettext_noop("Digital art"),
        "fantasy-art": gettext_noop("Fantasy"),
        "low-poly": gettext_noop("Low poly"),
        "line-art": gettext_noop("Line art"),
        "neon-punk": gettext_noop("Neon punk"),
        "comic-book": gettext_noop("Comic book"),
        "pixel-art": gettext_noop("Pixel art"),
        "3d-model": gettext_noop("3D model"),
        "isometric": gettext_noop("Isometric"),
        "origami": gettext_noop("Origami"),
        "modeling-compound": gettext_noop("Clay"),
        "tile-texture": gettext_noop("Tile texture"),
        "enhance": gettext_noop("Enhance"),
    }
)
SHAPES = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")  # widest to tallest
FORMATS: Mapping[str, str] = MappingProxyType({"png": "PNG", "jpeg": "JPEG", "webp": "WebP"})


def _sizes(pixels: int) -> dict[str, tuple[int, int]]:
    """Sizes of about that many pixels with sides that 16 divides."""
    sizes = {}
    for shape in SHAPES:
        across, down = map(int, shape.split(":"))
        sides = math.sqrt(pixels * across / down), math.sqrt(pixels * down / across)
        sizes[shape] = (int(sides[0] // 16 * 16), int(sides[1] // 16 * 16))
    return sizes


ONE_MEGAPIXEL = {
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
ONE_MEGAPIXEL_AND_A_HALF = _sizes(1_500_000)
# The only pairs that SDXL takes; these are sent, not only shown.
SDXL_PAIRS = ONE_MEGAPIXEL | {"5:4": (1152, 896), "4:5": (896, 1152)}
