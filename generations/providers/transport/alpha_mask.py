"""Masks that say by their transparency what shall change, as in OpenAI's format; ours say it by white."""

from __future__ import annotations

import io

from PIL import Image, ImageOps


def transparent_where_white(mask: bytes) -> bytes:
    """Return a mask of ours, a grey PNG, as a PNG that is the more transparent the whiter it was."""
    with Image.open(io.BytesIO(mask), formats=("PNG",)) as picture:
        grey = picture.convert("L")
    turned = Image.new("RGBA", grey.size)
    turned.putalpha(ImageOps.invert(grey))
    target = io.BytesIO()
    turned.save(target, "PNG", compress_level=4)
    return target.getvalue()


def white_where_transparent(alpha: Image.Image) -> Image.Image:
    """Return the mask of ours for the alpha of such a one."""
    return ImageOps.invert(alpha)
