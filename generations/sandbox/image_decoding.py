"""Read images that clients send. The header comes first, so that none is decoded that is too large."""

from __future__ import annotations

import io
import warnings

from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP")
DECODED = 64_000_000  # pixels of the largest image that is decoded


def open_image(data: bytes) -> Image.Image:
    """Read the header of an image; ValueError if it is none of the formats."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, SyntaxError, Image.DecompressionBombError) as problem:
        raise ValueError("must be a valid jpeg, png or webp image") from problem


def decode(data: bytes, mode: str = "RGB") -> Image.Image:
    """Decode an image whole; ValueError if it is damaged. Its size has been checked before."""
    image = open_image(data)
    try:
        return image.convert(mode)
    except (OSError, SyntaxError, ValueError) as problem:
        raise ValueError("must be a valid jpeg, png or webp image") from problem
