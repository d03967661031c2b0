"""Bytes become pictures here, within bounds: the header says how large before anything is decoded."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

LONGEST_SIDE = 16_384  # docs/providers/stability.md, "Image input"
MOST_PIXELS = 40_000_000  # 160 MB once decoded
MOST_SCANS = 64  # a photo has about 10; each further one costs a pass over every pixel

# A picture of 40 megapixels takes some 300 MB while it is worked on: two at a time.
_DESKS = threading.BoundedSemaphore(2)


class Unreadable(Exception):
    """The bytes are no picture that we take; says why."""


def format_of(data: bytes) -> str | None:
    """PNG, JPEG or WEBP by the first bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


@contextmanager
def opened(data: bytes) -> Iterator[Pillow.Image]:
    """The picture in the bytes, small enough to be decoded but not decoded yet; Unreadable.

    What goes wrong in the body of `with` is the picture's fault too.
    """
    found = format_of(data)
    if found is None:
        raise Unreadable(_("This is not a PNG, JPEG or WebP picture."))
    if found == "JPEG" and data.count(b"\xff\xda") > MOST_SCANS:
        raise Unreadable(_("This JPEG is put together from too many layers; save it again as a plain one."))
    with _DESKS:
        try:
            with Pillow.open(io.BytesIO(data), formats=[found]) as picture:
                _refuse_giants(picture)
                yield picture
        except Unreadable:
            raise
        except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as problem:
            raise Unreadable(_too_many_pixels()) from problem
        except Exception as problem:  # Pillow raises anything, from SyntaxError to struct.error
            raise Unreadable(_("This picture is damaged or cut off; save it again and retry.")) from problem


def _refuse_giants(picture: Pillow.Image) -> None:
    """Unreadable if decoding would take too much memory."""
    if max(picture.size) > LONGEST_SIDE or picture.width * picture.height > MOST_PIXELS:
        raise Unreadable(_too_many_pixels())


def _too_many_pixels() -> str:
    return _("This picture has too many pixels: at most %(side)s a side and %(millions)s million in all.") % {
        "side": f"{LONGEST_SIDE:,}",
        "millions": MOST_PIXELS // 1_000_000,
    }


def in_eight_bits(picture: Pillow.Image) -> Pillow.Image:
    """RGB, or RGBA where anything can be seen through."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)  # no second copy of a large one


def upright(picture: Pillow.Image) -> Pillow.Image:
    """Turned as its EXIF says, if that can be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow raises anything on a broken EXIF, and the pixels are fine without
        return picture


def in_srgb(picture: Pillow.Image) -> Pillow.Image:
    """In the colors that a file without a profile has, if its profile can be read."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in {"RGB", "RGBA", "CMYK"}:
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    srgb = ImageCms.createProfile("sRGB")
    try:
        return ImageCms.profileToProfile(picture, io.BytesIO(profile), srgb, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def on_white(picture: Pillow.Image) -> Pillow.Image:
    """Opaque: white shows through. It takes RGB or RGBA."""
    if picture.mode == "RGB":
        return picture
    opaque = Pillow.new("RGB", picture.size, "white")
    opaque.paste(picture, mask=picture.getchannel("A"))
    return opaque
