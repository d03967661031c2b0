"""Decode untrusted images within bounds: the size in the header is checked before decoding."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

MAX_SIDE = 16_384  # pixels; docs/providers/stability.md, "Image input"
MAX_PIXELS = 40_000_000  # 160 MB once decoded
MAX_JPEG_SCANS = 64  # a photo has about 10; each one takes a pass over all pixels

# An image of 40 megapixels takes about 300 MB while it is decoded and encoded: two at a time.
_decode_slots = threading.BoundedSemaphore(2)


class Unreadable(Exception):
    """The bytes are not an image that is accepted; the text says why."""


def detect_format(data: bytes) -> str | None:
    """PNG, JPEG or WEBP from the magic bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


@contextmanager
def open_image(data: bytes) -> Iterator[Pillow.Image]:
    """Open an image that is small enough to be decoded, without decoding it. Raises Unreadable.

    Errors in the body of `with`, where it is decoded, are raised as Unreadable too.
    """
    encoding = detect_format(data)
    if encoding is None:
        raise Unreadable(_("This is not a PNG, JPEG or WebP picture."))
    if encoding == "JPEG" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise Unreadable(_("This JPEG is put together from too many layers; save it again as a plain one."))
    with _decode_slots:
        try:
            with Pillow.open(io.BytesIO(data), formats=[encoding]) as picture:
                _check_size(picture)
                yield picture
        except Unreadable:
            raise
        except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
            raise Unreadable(_too_many_pixels()) from error
        except Exception as error:  # Pillow raises many kinds, from SyntaxError to struct.error
            raise Unreadable(_("This picture is damaged or cut off; save it again and retry.")) from error


def _check_size(picture: Pillow.Image) -> None:
    """Raise Unreadable if decoding would take too much memory."""
    if max(picture.size) > MAX_SIDE or picture.width * picture.height > MAX_PIXELS:
        raise Unreadable(_too_many_pixels())


def _too_many_pixels() -> str:
    return _("This picture has too many pixels: at most %(side)s a side and %(millions)s million in all.") % {
        "side": f"{MAX_SIDE:,}",
        "millions": MAX_PIXELS // 1_000_000,
    }


def to_rgb(picture: Pillow.Image) -> Pillow.Image:
    """The picture in RGB of 8 bits, or in RGBA if it has transparency."""
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)  # no copy if none is needed


def apply_orientation(picture: Pillow.Image) -> Pillow.Image:
    """The picture turned upright as its EXIF orientation says; unchanged if that cannot be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow raises many kinds on broken EXIF, and the pixels are fine
        return picture


def to_srgb(picture: Pillow.Image) -> Pillow.Image:
    """The picture in sRGB; unchanged if it has no color profile or one that cannot be read."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in {"RGB", "RGBA", "CMYK"}:
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    srgb = ImageCms.createProfile("sRGB")
    try:
        return ImageCms.profileToProfile(picture, io.BytesIO(profile), srgb, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def flatten_on_white(picture: Pillow.Image) -> Pillow.Image:
    """The RGB or RGBA picture in RGB: transparent parts become white."""
    if picture.mode == "RGB":
        return picture
    opaque = Pillow.new("RGB", picture.size, "white")
    opaque.paste(picture, mask=picture.getchannel("A"))
    return opaque
