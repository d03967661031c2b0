"""Thumbnails: made at the first request, once per image and size, and stored in object storage."""

from __future__ import annotations

import base64
import io
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from django.template.defaultfilters import filesizeformat
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from generations.core import db_connections
from generations.library.imaging import decode as imaging_decode
from generations.library.imaging import svg as imaging_svg
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.transport import media_check

T = TypeVar("T")
MEDIA_TYPE = "image/webp"
WIDTHS = {"small": 400, "large": 800}  # pixels, for screens of one and of two device pixels per CSS pixel
MAX_HEIGHT_RATIO = 3  # of the width
QUALITY, METHOD = 80, 2  # 34 ms for the large size; method 4 takes 79 ms and saves 3 % of the bytes
PLACEHOLDER_WIDTH = 18
TILE_GROUND, TILE_INK = "#8a8f98", "#ffffff"  # calm on a dark and on a light page
SHARED_SECONDS = 30.0  # for which a request waits for a thumbnail that another one is making

_running: dict[str, Future[Any]] = {}
_running_lock = threading.Lock()


def read_stored(image: uuid.UUID, size: str) -> bytes | None:
    """The thumbnail from storage, without a database query; None if it was not made yet."""
    try:
        return storage_client.read(storage_keys.thumbnail_key(image=image, size=size))
    except storage_client.ObjectMissing:
        return None


def get_or_make(image: Image, size: str) -> bytes:
    """The thumbnail of an image, made and stored if there is none; concurrent calls share one result.

    `size` is a key of WIDTHS. Raises Unreadable if the image cannot be decoded, DecodingBusy,
    StorageUnavailable.
    """
    db_connections.release_connections()  # many may wait here, and connections are few
    return single_flight(f"{image.pk}/{size}", lambda: read_stored(image.pk, size) or _make(image, size))


def as_jpeg(thumbnail: bytes) -> bytes:
    """A thumbnail as JPEG, on white, for programs that read no WebP."""
    with Pillow.open(io.BytesIO(thumbnail)) as picture:
        target = io.BytesIO()
        imaging_decode.flatten_on_white(picture).save(target, "JPEG", quality=85)
    return target.getvalue()


def of_upload(upload: Upload) -> bytes:
    """The small thumbnail of an upload, which is not stored: few see it, and it goes with the upload.

    Raises what `get_or_make` raises.
    """
    db_connections.release_connections()

    def make() -> bytes:
        return reduced(storage_client.read(upload.key), is_stored=True)

    return single_flight(f"upload/{upload.pk}", make)


def reduced(data: bytes, *, is_stored: bool = False) -> bytes:
    """The small thumbnail of a file that may be no image at all. Raises Unreadable, DecodingBusy."""
    with imaging_decode.open_image(data, is_stored=is_stored) as picture:
        return _as_webp(_reduced(picture, WIDTHS["small"]), quality=QUALITY, method=METHOD)


def single_flight(name: str, make: Callable[[], T]) -> T:
    """The result of `make`, called by one thread while others with the same name wait for its result.

    Raises what it raises, and DecodingBusy if it takes too long.
    """
    with _running_lock:
        future = _running.get(name)
        if is_first := future is None:
            future = _running[name] = Future()
    if is_first:
        try:
            future.set_result(make())
        except Exception as error:  # the waiting threads get it too
            future.set_exception(error)
        finally:
            with _running_lock:
                del _running[name]
    try:
        return cast("T", future.result(SHARED_SECONDS))
    except TimeoutError:  # of this waiting, or of `make`
        raise imaging_decode.DecodingBusy from None


def _make(image: Image, size: str) -> bytes:
    """Decode the original, store its thumbnail, and save a placeholder with the image."""
    if not image.width:  # a file that is no image, or none that can be decoded
        return _stored(image, size, tile(image))
    original = storage_client.read(image.key)
    if image.media_type == media_check.SVG:
        try:
            original = _drawn(original, WIDTHS[size])
        except imaging_svg.InvalidSvg:
            return _stored(image, size, tile(image))
    with imaging_decode.open_image(original, is_stored=True) as picture:
        reduced = _reduced(picture, WIDTHS[size])
        data = _as_webp(reduced, quality=QUALITY, method=METHOD)
        placeholder = "" if image.placeholder else _placeholder(reduced)
    if placeholder:
        Image.objects.filter(pk=image.pk, placeholder="").update(placeholder=placeholder)
    return _stored(image, size, data)


def _stored(image: Image, size: str, data: bytes) -> bytes:
    storage_client.put(storage_keys.thumbnail_key(image=image.pk, size=size), data, media_type=MEDIA_TYPE)
    return data


def _drawn(original: bytes, width: int) -> bytes:
    """An SVG as PNG, twice as large as the thumbnail; in a slot, since drawing may take all of a CPU."""
    cleaned = imaging_svg.sanitize_svg(original)
    with imaging_decode.decode_slot():
        return imaging_svg.draw_svg(cleaned, 2 * width)


def tile(image: Image) -> bytes:
    """A square WebP that says what the file is, such as "PSD · 12 MB", in place of its picture."""
    side = WIDTHS["large"]
    square = Pillow.new("RGB", (side, side), TILE_GROUND)
    text = f"{storage_keys.type_name(image.media_type)} · {filesizeformat(image.bytes)}"
    font = ImageFont.load_default(size=side // 14)
    ImageDraw.Draw(square).text((side / 2, side / 2), text, fill=TILE_INK, font=font, anchor="mm")
    return _as_webp(square, quality=QUALITY, method=METHOD)


def _reduced(picture: Pillow.Image, width: int) -> Pillow.Image:
    """The picture reduced to a width, never enlarged, in sRGB."""
    picture.draft("RGB", (2 * width, 2 * width * MAX_HEIGHT_RATIO))  # a JPEG is decoded at a smaller size
    reduced = imaging_decode.resizable(picture)
    reduced.thumbnail((width, width * MAX_HEIGHT_RATIO), reducing_gap=2.0)
    return imaging_decode.to_rgb(imaging_decode.to_srgb(reduced))


def _placeholder(picture: Pillow.Image) -> str:
    """A data: URL of about 200 characters with a few pixels, shown blurred while the thumbnail loads."""
    tiny = _as_webp(_reduced(picture.copy(), PLACEHOLDER_WIDTH), quality=40, method=6)
    return f"data:{MEDIA_TYPE};base64,{base64.b64encode(tiny).decode()}"


def _as_webp(picture: Pillow.Image, *, quality: int, method: int) -> bytes:
    """The picture as WebP, without its color profile or any metadata."""
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=quality, method=method, exif=b"", xmp=b"", icc_profile=None)
    return target.getvalue()
