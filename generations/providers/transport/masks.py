"""Masks as providers want them: in the portal they are grey PNGs in which white is changed."""

from __future__ import annotations

import io

from PIL import Image

HALF = 128


def black_and_white(data: bytes, *, changed: int = 255) -> bytes:
    """Return the mask as a PNG of two values: `changed` (255 or 0) where it changes, and the other one."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        sharp = image.convert("L").point(lambda value: changed if value >= HALF else 255 - changed)
    file = io.BytesIO()
    sharp.save(file, "PNG")
    return file.getvalue()
