"""Decode untrusted images within bounds: the size in the header is checked before decoding."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from generations.providers.transport import image_containers, media_check
from generations.providers.transport.image_containers import UnknownStructure

MAX_SIDE = 16_384  # pixels; docs/providers/stability.md, "Image input"
MAX_PIXELS = 40_000_000  # 160 MB once decoded
MAX_PROFILE_SIZE = 16 * 1024 * 1024  # bytes
COLOR_MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}  # of Pillow, by the color space of a profile
MAX_JPEG_SCANS = 64  # a photo has about 10; each one takes a pass over all pixels

# An image of 40 megapixels takes about 300 MB while it is decoded and encoded: two at a time.
_decode_slots = threading.BoundedSemaphore(2)
WAIT_SECONDS = 20.0  # for a slot


class Unreadable(Exception):
    """The bytes are not an image that is accepted; the text says why."""


class DecodingBusy(Exception):
    """No slot became free in time; trying again soon helps. The text is a sentence for the user."""

    def __init__(self) -> None:
        super().__init__(_("Too many pictures are being worked on. Please try again in a minute."))


def detect_format(data: bytes, *, is_stored: bool = False) -> str | None:
    """PNG, JPEG or WEBP from the magic bytes, of a stored image also GIF or AVIF; None for anything else."""
    if is_stored and (moving := media_check.moving_format(data)):
        return moving
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


@contextmanager
def open_image(data: bytes, *, is_stored: bool = False) -> Iterator[Pillow.Image]:
    """Open an image that is small enough to be decoded, without decoding it. Raises Unreadable, DecodingBusy.

    `is_stored` is for images of the library: whatever was accepted of a provider is decoded, up to 64
    million pixels, also GIF and AVIF, of which the first frame is read. Errors in the body of `with`, where
    it is decoded, are raised as Unreadable too.
    """
    encoding = detect_format(data, is_stored=is_stored)
    if encoding is None:
        raise Unreadable(_("This is not a PNG, JPEG or WebP picture."))
    if encoding == "JPEG" and _jpeg_scans(data) > MAX_JPEG_SCANS:
        raise Unreadable(_("This JPEG is put together from too many layers; save it again as a plain one."))
    with decode_slot():
        try:
            decodable = image_containers.decodable(data)
            with Pillow.open(io.BytesIO(decodable), formats=[encoding]) as picture:
                _check_size(picture, is_stored=is_stored)
                if profile := _large_png_profile(data, decodable):
                    picture.info["icc_profile"] = profile
                yield picture
        except Unreadable:
            raise
        except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
            raise Unreadable(_too_many_pixels()) from error
        except Exception as error:  # Pillow raises many kinds, from SyntaxError to struct.error
            raise Unreadable(_("This picture is damaged or cut off; save it again and retry.")) from error


@contextmanager
def decode_slot() -> Iterator[None]:
    """Wait for one of the slots, and hold it. Raises DecodingBusy."""
    if not _decode_slots.acquire(timeout=WAIT_SECONDS):
        raise DecodingBusy
    try:
        yield
    finally:
        _decode_slots.release()


def _jpeg_scans(data: bytes) -> int:
    """The number of scans of a JPEG's first picture."""
    try:
        markers = [marker for marker, _start, _end in image_containers.jpeg_segments(data)]
    except UnknownStructure:
        return data.count(bytes([0xFF, image_containers.JPEG_SCAN]))
    return markers.count(image_containers.JPEG_SCAN)


def _large_png_profile(data: bytes, decodable: bytes) -> bytes | None:
    """The color profile of a PNG if it is larger than Pillow reads; `decodable` does not have it."""
    if decodable is data or detect_format(data) != "PNG":
        return None
    profiles = (body for kind, body, _whole in image_containers.png_chunks(data) if kind == b"iCCP")
    return next((image_containers.png_profile(body, MAX_PROFILE_SIZE) for body in profiles), None)


def _check_size(picture: Pillow.Image, *, is_stored: bool) -> None:
    """Raise Unreadable if decoding would take too much memory."""
    pixels = picture.width * picture.height
    if is_stored and pixels <= media_check.MAX_PIXELS:
        return
    if max(picture.size) > MAX_SIDE or pixels > MAX_PIXELS:
        raise Unreadable(_too_many_pixels())


def _too_many_pixels() -> str:
    return _("This picture has too many pixels: at most %(side)s a side and %(millions)s million in all.") % {
        "side": f"{MAX_SIDE:,}",
        "millions": MAX_PIXELS // 1_000_000,
    }


def to_rgb(picture: Pillow.Image) -> Pillow.Image:
    """The picture in RGB of 8 bits, or in RGBA if it has transparency."""
    picture = _of_8_bits(picture)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)  # no copy if none is needed


def resizable(picture: Pillow.Image) -> Pillow.Image:
    """The picture in L, LA, RGB, RGBA or CMYK of 8 bits, to be resized and converted."""
    picture = _of_8_bits(picture)
    if picture.mode in {"LA", "RGBA", "CMYK"}:
        return picture
    mode = "L" if picture.mode in {"1", "L"} else "RGB"
    if picture.has_transparency_data:
        mode += "A"
    return picture if picture.mode == mode else picture.convert(mode)


def _of_8_bits(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    return picture


def apply_orientation(picture: Pillow.Image) -> Pillow.Image:
    """The picture turned upright as its EXIF orientation says; unchanged if that cannot be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow raises many kinds on broken EXIF, and the pixels are fine
        return picture


def to_srgb(picture: Pillow.Image) -> Pillow.Image:
    """The picture in sRGB; unchanged if it has no color profile, or one that is damaged or does not fit."""
    profile = picture.info.get("icc_profile")
    if not profile:
        return picture
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
        colors, alpha = _colors_and_alpha(picture, COLOR_MODES[space])
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(colors, io.BytesIO(profile), srgb, outputMode="RGB")
    except (KeyError, ImageCms.PyCMSError, OSError, ValueError):
        return picture
    if converted is None:
        return picture
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _colors_and_alpha(picture: Pillow.Image, mode: str) -> tuple[Pillow.Image, Pillow.Image | None]:
    """The picture's colors in the mode of its profile, and its transparency. ValueError if they do not fit.

    A profile for RGB fits a grey picture too: viewers apply it.
    """
    picture = resizable(picture)
    alpha = picture.getchannel("A") if picture.mode.endswith("A") else None
    own = picture.mode.removesuffix("A")
    if own != mode and (own, mode) != ("L", "RGB"):
        raise ValueError(own)
    return picture if picture.mode == mode else picture.convert(mode), alpha


def flatten_on_white(picture: Pillow.Image) -> Pillow.Image:
    """The RGB or RGBA picture in RGB: transparent parts become white."""
    if picture.mode == "RGB":
        return picture
    opaque = Pillow.new("RGB", picture.size, "white")
    opaque.paste(picture, mask=picture.getchannel("A"))
    return opaque
