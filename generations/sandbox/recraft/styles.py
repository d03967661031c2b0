"""Styles made from pictures: the id of one says what it is and whose, so that it outlives the process.

Source: docs/providers/recraft.md, "Addresses" and "Styles".
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from generations.sandbox import art
from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.responses import ApiError

BASES = ("any", "realistic_image", "digital_illustration", "vector_illustration", "icon", "logo_raster")
V4_MODELS = ("recraftv4_styles", "recraftv4_styles_vector")  # their Pro models draw in the same
KINDS = (*BASES, *V4_MODELS)
DRAWINGS = ("vector_illustration", "icon", "recraftv4_styles_vector")  # results in such a style are drawings
SIGNED = 16  # hexadecimal digits of an id that are what it says; the rest is the signature
TINT = 0.35  # how much of the style's or the palette's colour is in a picture

Colour = tuple[int, int, int]
Draw = Callable[[ImageRequest], Image.Image]


@dataclass(frozen=True)
class Style:
    """A style: the kind of pictures that it was made from, or V4's model of it, and their mean colour."""

    base: str
    colour: Colour

    @property
    def is_v4(self) -> bool:
        """Whether V4 Styles draw in it, and not V3."""
        return self.base in V4_MODELS

    @property
    def is_vector(self) -> bool:
        """Whether it was made from drawings, and brings drawings."""
        return self.base in DRAWINGS


def new_id(style: Style, key: str) -> str:
    """Return the id of a new style of an account."""
    about = f"{KINDS.index(style.base):02x}{bytes(style.colour).hex()}{secrets.token_hex(4)}"
    return str(uuid.UUID(about + _signature(about, key)))


def of_id(style_id: object, key: str) -> Style:
    """Return the style of an id; ApiError (403) if it is not one of this account."""
    text = str(style_id).replace("-", "")
    about, signature = text[:SIGNED], text[SIGNED:]
    if not text.isascii() or not hmac.compare_digest(signature, _signature(about, key)):
        raise ApiError(403, "style_is_private", "This style is private.")
    return Style(KINDS[int(about[:2], 16)], tuple(bytes.fromhex(about[2:8])))  # type: ignore[arg-type]  # of three


def swatch(request: ImageRequest) -> Image.Image:
    """The pictures of a new style, as their mean colour."""
    pixels = [decode(data).resize((1, 1), Image.Resampling.BOX).tobytes() for data in request.files.values()]
    return Image.new(
        "RGB", (8, 8), tuple(sum(channel) // len(pixels) for channel in zip(*pixels, strict=True))
    )


def tinted(draw: Draw, colours: list[Colour]) -> Draw:
    """Return how a picture is drawn in these colours, of a style and of a palette: mixed with their mean."""
    if not colours:
        return draw
    red, green, blue = (sum(channel) // len(colours) for channel in zip(*colours, strict=True))

    def drawn(request: ImageRequest) -> Image.Image:
        plain = draw(request).convert("RGB")
        return art.mark(Image.blend(plain, Image.new("RGB", plain.size, (red, green, blue)), TINT))

    return drawn


def _signature(about: str, key: str) -> str:
    return hmac.digest(key.encode(), about.encode(), "sha256").hex()[: 32 - SIGNED]
