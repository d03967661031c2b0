"""HTTP responses with the bytes of images: always through the portal, with the media type of the row."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag

from generations.core import db_connections
from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.library.imaging import svg as imaging_svg
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.transport import media_check

P = ParamSpec("P")
MAX_NAME_LENGTH = 60  # letters
MAX_NAME_SIZE = 180  # bytes: file systems allow 255, and a number and an extension follow
JOINERS = "\u200c\u200d"  # they decide how letters of Persian and of Indian languages are written
NOT_AT_ENDS = "-_" + JOINERS
# Names of devices, which Windows does not let a file have, whatever its extension.
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")
IMAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# What a browser may open as a page of its own; all else leaves as an attachment, which <img> shows anyway.
OPENED = imaging_convert.CONVERTED | {"image/gif", "image/avif"}


def handle_storage_errors(
    view: Callable[P, HttpResponseBase],
) -> Callable[P, HttpResponseBase]:
    """Decorate a view: 404 if the object is missing, 503 while storage or decoding cannot be had."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(*args, **kwargs)
        except storage_client.ObjectMissing as error:
            raise Http404 from error
        except (storage_client.StorageUnavailable, imaging_decode.DecodingBusy) as error:
            headers = {"Retry-After": "10", "Cache-Control": "no-store"}
            return HttpResponse(str(error), status=503, content_type="text/plain", headers=headers)

    return wrapper


def stream_object(request: HttpRequest, image: Image | Upload, *, name: str) -> HttpResponseBase:
    """The stored bytes as they are; no body for HEAD, or if the browser's copy is current (ETag)."""
    headers = file_headers(image.media_type, name) | {
        "Content-Length": str(image.bytes),
        "Cache-Control": "private, no-cache",
        "ETag": f'"{image.sha256}"',
    }
    response = HttpResponse(headers=headers)
    if conditional := get_conditional_response(request, etag=headers["ETag"], response=response):
        response = conditional
    if response.status_code != 200 or request.method == "HEAD":
        return response
    db_connections.release_connections()  # a slow client must not hold one
    stream = storage_client.stream(image.key)
    headers["Content-Length"] = str(stream.size)
    content = stream.chunks() if isinstance(request, ASGIRequest) else stream
    return StreamingHttpResponse(content, headers=headers)


def file_headers(media_type: str, name: str, *, as_attachment: bool = False) -> dict[str, str]:
    """The headers of an image's file; SVG and files that are no images are attachments in any case."""
    as_attachment = as_attachment or media_type not in OPENED
    policy = {"Content-Security-Policy": SVG_POLICY} if media_type == media_check.SVG else {}
    disposition = content_disposition_header(as_attachment=as_attachment, filename=name)
    return (
        IMAGE_HEADERS | policy | {"Content-Type": media_type, "Content-Disposition": disposition or "inline"}
    )


def shown_form(image: Image) -> tuple[bytes, str]:
    """What <img> shows of an image that is not in OPENED, and its media type: cleaned SVG, else a tile."""
    db_connections.release_connections()
    if image.media_type == media_check.SVG:
        try:
            return imaging_svg.sanitize_svg(storage_client.read(image.key)), media_check.SVG
        except imaging_svg.InvalidSvg:
            pass  # it was paid for and is kept, and its tile says what it is
    return thumbnails.tile(image), thumbnails.MEDIA_TYPE


def show(request: HttpRequest, image: Image) -> HttpResponseBase:
    """The image for <img>: the stored bytes, or what is shown in their place."""
    if image.media_type in OPENED:
        return stream_object(request, image, name=file_name(image))
    data, media_type = shown_form(image)
    headers = file_headers(media_type, file_name(image, media_type)) | {"Cache-Control": "private, no-cache"}
    response = HttpResponse(data, headers=headers)
    etag = quote_etag(hashlib.sha256(data).hexdigest())
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def small_upload(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    """A thumbnail of an upload; no body for HEAD, or if the browser's copy is current (ETag)."""
    headers = IMAGE_HEADERS | {
        "Content-Type": thumbnails.MEDIA_TYPE,
        "Cache-Control": "private, no-cache",
        "ETag": f'"{upload.sha256}-small"',
    }
    response = HttpResponse(headers=headers)
    if conditional := get_conditional_response(request, etag=headers["ETag"], response=response):
        response = conditional
    if response.status_code != 200 or request.method == "HEAD":
        return response
    return HttpResponse(thumbnails.of_upload(upload), headers=headers)


def download(image: Image, output: imaging_convert.OutputFormat) -> HttpResponse:
    """The image as an attachment in a format. Raises Unreadable if it cannot be converted."""
    db_connections.release_connections()
    media_type = output.media_type(image)
    headers = file_headers(media_type, file_name(image, media_type), as_attachment=True)
    headers["Cache-Control"] = "private, no-store"
    data = imaging_convert.convert(image, storage_client.read(image.key), output)
    return HttpResponse(data, headers=headers)


def attachment(name: str) -> str:
    """A Content-Disposition header: the browser saves the body as a file of that name."""
    return content_disposition_header(as_attachment=True, filename=name) or "attachment"


def thumbnail(data: bytes) -> HttpResponse:
    """A thumbnail, which the browser may cache for as long as its signed URL is valid."""
    headers = IMAGE_HEADERS | {
        "Content-Type": thumbnails.MEDIA_TYPE,
        "Cache-Control": "private, max-age=3600",
    }
    return HttpResponse(data, headers=headers)


def file_name(image: Image, media_type: str = "") -> str:
    """A file name from the title or prompt and the seed, valid on every file system."""
    words = file_words(image.title or image.prompt)
    suffix = image.seed if image.seed is not None else str(image.pk)[-12:]
    return f"{words}-{suffix}.{storage_keys.EXTENSIONS.get(media_type or image.media_type, 'bin')}"


def file_words(text: str) -> str:
    """The text as a file name without extension: letters, digits and hyphens, at most 60 and 180 bytes.

    Vowel signs and other marks stay with their letters; "picture" if nothing is left.
    """
    kept = re.sub(r"[-\s]+", "-", "".join(_word_letters(text[:300])))
    words = _shortened(kept.strip(NOT_AT_ENDS)).strip(NOT_AT_ENDS) or "picture"
    return f"picture-{words}" if DEVICE.fullmatch(words) else words


def _word_letters(text: str) -> Iterator[str]:
    """Yield what stays of a text: letters with their marks, digits, spaces, hyphens and underscores."""
    follows_letter = False
    # Not NFKC, as slugify does: it takes the Thai vowel AM apart.
    for letter in unicodedata.normalize("NFC", text.lower()):
        kind = unicodedata.category(letter)[0]
        is_mark = follows_letter and (kind == "M" or letter in JOINERS)  # others belong to symbols
        follows_letter = kind == "L" or is_mark
        if follows_letter or kind == "N" or letter in "-_" or letter.isspace():
            yield letter


def _shortened(words: str) -> str:
    """The words cut to the longest name, never between a letter and its marks."""
    end = min(len(words), MAX_NAME_LENGTH)
    while len(words[:end].encode()) > MAX_NAME_SIZE:
        end -= 1
    while 0 < end < len(words) and (unicodedata.category(words[end])[0] == "M" or words[end] in JOINERS):
        end -= 1
    return words[:end]
