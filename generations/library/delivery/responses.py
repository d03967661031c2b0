"""Handing out bytes: always through the portal, with the type that we know, never one that is guessed."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from generations.core import db_connections
from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.storage import client as storage_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from generations.library.imaging.convert import Form
    from generations.library.models import Image, Upload

P = ParamSpec("P")
EVERY_PICTURE = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def while_storage_answers(
    view: Callable[P, HttpResponseBase],
) -> Callable[P, HttpResponseBase]:
    """The view, with 404 for an object that is gone and 503 with a sentence for a storage that is away."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(*args, **kwargs)
        except storage_client.Missing as problem:
            raise Http404 from problem
        except storage_client.StorageUnavailable as problem:
            waits = {"Retry-After": "10", "Cache-Control": "no-store"}
            return HttpResponse(str(problem), status=503, content_type="text/plain", headers=waits)

    return answer


def as_it_is(request: HttpRequest, picture: Image | Upload, *, name: str) -> HttpResponseBase:
    """The picture's own bytes; nothing if the browser has them already or asked for the headers alone."""
    headers = EVERY_PICTURE | {
        "Content-Type": picture.media_type,
        "Content-Length": str(picture.bytes),
        "Content-Disposition": content_disposition_header(as_attachment=False, filename=name) or "inline",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{picture.sha256}"',
    }
    answer = HttpResponse(headers=headers)
    if conditional := get_conditional_response(request, etag=headers["ETag"], response=answer):
        answer = conditional
    if answer.status_code != 200 or request.method == "HEAD":
        return answer
    db_connections.release_connections()  # a slow reader holds none
    stream = storage_client.stream(picture.key)
    headers["Content-Length"] = str(stream.size)
    content = stream.waited_for() if isinstance(request, ASGIRequest) else stream
    return StreamingHttpResponse(content, headers=headers)


def to_keep(image: Image, form: Form) -> HttpResponse:
    """The picture as a file to save. Raises Unreadable if that file cannot be made."""
    db_connections.release_connections()
    headers = EVERY_PICTURE | {
        "Content-Type": form.media_type(image),
        "Content-Disposition": attachment(file_name(image, form.media_type(image))),
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(imaging_convert.made(image, storage_client.read(image.key), form), headers=headers)


def attachment(name: str) -> str:
    """The header that has a browser save a file under that name."""
    return content_disposition_header(as_attachment=True, filename=name) or "attachment"


def thumbnail(data: bytes) -> HttpResponse:
    """A thumbnail, which may be kept as long as its ticket."""
    headers = EVERY_PICTURE | {
        "Content-Type": thumbnails.MEDIA_TYPE,
        "Cache-Control": "private, max-age=3600",
    }
    return HttpResponse(data, headers=headers)


def file_name(image: Image, media_type: str = "", *, in_ascii: bool = False) -> str:
    """A name that says what is seen, and that every file system takes; old programs that unzip need ASCII."""
    beginning = (image.title or image.prompt)[:300]
    words = slugify(beginning, allow_unicode=not in_ascii)[:60].strip("-_") or "picture"
    unique = image.seed if image.seed is not None else str(image.pk)[-12:]
    return f"{words}-{unique}.{storage_client.EXTENSIONS.get(media_type or image.media_type, 'bin')}"
