"""Sizes in OpenAI's format: `auto` or `1024x1024`, and which of them its models take.

Source: docs/providers/openai.md, "Generations".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

AUTO = "auto"
LONGEST = 11  # letters of a size
STEP = 16  # divides both sides
LONGEST_SIDE = 3840
MIN_PIXELS, MAX_PIXELS = 655_360, 8_294_400
MAX_RATIO = 3
# What is asked for by a shape: OpenAI's own three, and sizes of about as many pixels.
OF_SHAPES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "21:9": (1568, 672),
        "16:9": (1536, 864),
        "3:2": (1536, 1024),
        "5:4": (1280, 1024),
        "1:1": (1024, 1024),
        "4:5": (1024, 1280),
        "2:3": (1024, 1536),
        "9:16": (864, 1536),
        "9:21": (672, 1568),
    }
)
_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", re.ASCII)


def parse(text: str) -> tuple[int, int] | None:
    """Return width and height of a text such as 1024x1024; None for anything else, also for `auto`."""
    found = _SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def as_text(size: tuple[int, int]) -> str:
    """Return a size as it is sent."""
    return f"{size[0]}x{size[1]}"


def is_taken(size: tuple[int, int]) -> bool:
    """Return whether the models with free sizes draw this one."""
    width, height = size
    return (
        width % STEP == height % STEP == 0
        and max(size) <= LONGEST_SIDE
        and max(size) <= MAX_RATIO * min(size)
        and MIN_PIXELS <= width * height <= MAX_PIXELS
    )
