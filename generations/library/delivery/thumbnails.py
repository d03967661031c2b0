"""Thumbnails: made when first asked for, one at a time for each image, and kept in object storage."""

from __future__ import annotations

import base64
import io
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from PIL import Image as Pillow

from generations.core import db_connections
from generations.library.imaging import decode as imaging_decode
from generations.library.models import Image
from generations.library.storage import client as storage_client

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

MEDIA_TYPE = "image/webp"
WIDTHS = {"small": 400, "large": 800}  # for screens of one and of two pixels per point
TALLEST = 3  # times the width
QUALITY, METHOD = 80, 2  # 34 ms for the large size; method 4 takes 79 and saves 3 % of the bytes
PLACEHOLDER_WIDTH = 18

_making: dict[str, Future[bytes]] = {}
_making_lock = threading.Lock()


def stored(image: uuid.UUID, size: str) -> bytes | None:
    """The thumbnail, if it was made before; asks storage alone."""
    try:
        return storage_client.read(storage_client.thumbnail_key(image=image, size=size))
    except storage_client.Missing:
        return None


def made(image: Image, size: str) -> bytes:
    """The thumbnail of an image, made and stored; whoever asks meanwhile gets the same one.

    Raises Unreadable if the image cannot be decoded, StorageUnavailable.
    """
    db_connections.release_connections()  # many may wait here, and connections are few
    return _once(f"{image.pk}/{size}", lambda: stored(image.pk, size) or _make(image, size))


def _once(name: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, called by one thread while the others wait for its result."""
    with _making_lock:
        running = _making.get(name)
        if mine := running is None:
            running = _making[name] = Future()
    if mine:
        try:
            running.set_result(make())
        except Exception as problem:  # the waiting threads must hear of anything
            running.set_exception(problem)
        finally:
            with _making_lock:
                del _making[name]
    return running.result()


def _make(image: Image, size: str) -> bytes:
    """Decode the original, store its thumbnail, and remember a placeholder."""
    original = storage_client.read(image.key)
    with imaging_decode.opened(original) as picture:
        small = _reduced(picture, WIDTHS[size])
        data = _webp(small, quality=QUALITY, method=METHOD)
        blurred = "" if image.placeholder else _placeholder(small)
    storage_client.put(storage_client.thumbnail_key(image=image.pk, size=size), data, media_type=MEDIA_TYPE)
    if blurred:
        Image.objects.filter(pk=image.pk, placeholder="").update(placeholder=blurred)
    return data


def _reduced(picture: Pillow.Image, width: int) -> Pillow.Image:
    """The picture at most so wide, never enlarged."""
    box = (width, width * TALLEST)
    picture.draft("RGB", (2 * width, 2 * width * TALLEST))  # a JPEG is decoded small at once
    reduced = imaging_decode.in_eight_bits(picture)
    reduced.thumbnail(box, reducing_gap=2.0)
    return reduced


def _placeholder(picture: Pillow.Image) -> str:
    """A few pixels as a data: address of about 200 characters, to be shown blurred."""
    tiny = _webp(_reduced(picture.copy(), PLACEHOLDER_WIDTH), quality=40, method=6)
    return f"data:{MEDIA_TYPE};base64,{base64.b64encode(tiny).decode()}"


def _webp(picture: Pillow.Image, *, quality: int, method: int) -> bytes:
    """The picture's file, without a profile or anything else that it carried."""
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=quality, method=method, exif=b"", xmp=b"", icc_profile=None)
    return target.getvalue()
