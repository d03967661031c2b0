"""The aspect ratio of an image, as the catalogue names it."""

from __future__ import annotations

import math
from functools import lru_cache

from generations.providers.catalogue import registry as catalogue_registry


@lru_cache(maxsize=1024)
def nearest(width: int, height: int) -> str:
    """The aspect ratio of the catalogue that is closest to a size in pixels, such as 16:9.

    A text and a file have no size; their tiles are square.
    """
    if not (width and height):
        return "1:1"

    def distance(shape: str) -> float:
        across, down = map(int, shape.split(":"))
        return abs(math.log(width * down) - math.log(height * across))

    return min(catalogue_registry.SHAPES, key=distance)
