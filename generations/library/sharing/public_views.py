"""Public pages of share links: images, and nothing about the team, its members or the portal.

Every request checks whether the link still works, and no response may be cached.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit  # its public decorator responds with a page of the portal
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from generations.core import db_connections, request_params
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.library.imaging import embed_metadata
from generations.library.models import Image, Share
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client
from generations.providers.transport.image_containers import UnknownStructure

PAGE_SIZE = 60
PRIVACY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
# User agents of programs, which are not counted as views.
BOTS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|externalhit|headless|lighthouse|monitor|scan|fetch|archiver"
    r"|whatsapp|telegram|skype|slack|discord|curl|wget|python|java/|go-http|okhttp|axios|libwww",
    re.IGNORECASE,
)

View = Callable[..., HttpResponseBase]


def public_view(*, limit: str = "") -> Callable[[View], View]:
    """Decorate a view of a working link; for any other token the response does not tell why it is 404.

    `limit` is a key of ACCOUNT_RATE_LIMITS, which limits requests by IP address.
    """

    def decorate(view: View) -> View:
        @csrf_exempt  # the view only reads, and sets no cookie
        @require_safe
        @wraps(view)
        def wrapper(request: HttpRequest, token: str, **named: Any) -> HttpResponseBase:
            try:
                response = _respond(view, request, token, named, limit)
            except Http404:  # one and the same page for every reason why there is nothing
                response = render(request, "library/sharing/public/gone.html", status=404)
            for header, value in PRIVACY_HEADERS.items():
                response[header] = value
            return response

        return wrapper

    return decorate


def _respond(
    view: View, request: HttpRequest, token: str, named: dict[str, Any], limit: str
) -> HttpResponseBase:
    """The view's response, or that there are too many requests. Raises Http404.

    Counting a request writes to the database, so the signature is checked first: it stops strangers.
    """
    sharing_service.verified_id(token)
    if limit and not is_within_rate_limit(request, limit):
        return render(request, "library/sharing/public/too_many_requests.html", status=429)
    return view(request, sharing_service.find(token), **named)


def is_within_rate_limit(request: HttpRequest, action: str) -> bool:
    """Count a request of this IP address, and say whether the limit for the action still allows it."""
    return bool(ratelimit.consume(request, app="allauth.account", action=action, limit_get=True))


# Pages ---------------------------------------------------------------------------------


@public_view(limit="share")
def page(request: HttpRequest, share: Share) -> HttpResponse:
    """The image in full size, or the collection as a grid; `?after=` an image's id for the next page."""
    _count_view(request, share)
    if not share.collection_id:
        return _image_page(request, share, get_object_or_404(sharing_service.visible_images(share)))
    pictures = sharing_service.visible_images(share)
    if after := request.GET.get("after"):
        pictures = pictures.filter(pk__lt=request_params.uuid_or_404(after))
    images = list(pictures[: PAGE_SIZE + 1])
    context = {
        "share": share,
        "token": sharing_service.token(share.pk),
        "images": images[:PAGE_SIZE],
        "count": None if after else sharing_service.visible_images(share).count(),
        "older": images[PAGE_SIZE - 1].pk if len(images) > PAGE_SIZE else None,
    }
    part = "#page" if getattr(request, "htmx", False) else ""
    return render(request, f"library/sharing/public/collection.html{part}", context)


@public_view(limit="share")
def picture(request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """One image of a collection in full size, with links to the next and the previous one."""
    _count_view(request, share)
    return _image_page(request, share, get_object_or_404(sharing_service.visible_images(share), pk=image))


def _image_page(request: HttpRequest, share: Share, image: Image) -> HttpResponse:
    newer = older = None
    if share.collection_id:
        newer = sharing_service.visible_images(share).filter(pk__gt=image.pk).order_by("pk").first()
        older = sharing_service.visible_images(share).filter(pk__lt=image.pk).first()
    context = {"share": share, "token": sharing_service.token(share.pk), "image": image}
    return render(request, "library/sharing/public/picture.html", context | {"newer": newer, "older": older})


def _count_view(request: HttpRequest, share: Share) -> None:
    """Count a visit of a person; going to another page of the same link is the same visit."""
    headers = request.headers
    user_agent = headers.get("User-Agent", "")
    is_visit = (
        request.method == "GET"
        and headers.get("Sec-Fetch-Site", "none") != "same-origin"
        and headers.get("Sec-Fetch-Dest", "document") == "document"
        and not (headers.get("Sec-Purpose") or headers.get("Purpose") or headers.get("HX-Request"))
    )
    if is_visit and user_agent and not BOTS.search(user_agent):
        sharing_service.count_view(share)


# Files ---------------------------------------------------------------------------------


@public_view()
@delivery_responses.handle_storage_errors
def thumbnail(_request: HttpRequest, share: Share, image: uuid.UUID, size: str) -> HttpResponse:
    """A thumbnail; it has no metadata."""
    row = get_object_or_404(sharing_service.visible_images(share), pk=image)
    if size not in thumbnails.WIDTHS:
        raise Http404
    try:
        data = thumbnails.get_or_make(row, size)
    except imaging_decode.Unreadable as error:
        raise Http404 from error
    return HttpResponse(
        data, headers=delivery_responses.IMAGE_HEADERS | {"Content-Type": thumbnails.MEDIA_TYPE}
    )


@public_view(limit="share_file")
@delivery_responses.handle_storage_errors
def original(_request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """The image in full size, to be shown."""
    return _file(share, get_object_or_404(sharing_service.visible_images(share), pk=image), is_download=False)


@public_view(limit="share_file")
@delivery_responses.handle_storage_errors
def download(_request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """The image as an attachment."""
    return _file(share, get_object_or_404(sharing_service.visible_images(share), pk=image), is_download=True)


def _file(share: Share, image: Image, *, is_download: bool) -> HttpResponse:
    """The image's file; prompt and parameters are in it only if the link shows the prompt.

    It always says that a model made it: in its own C2PA manifest, or as its digital source type.
    """
    db_connections.release_connections()  # a slow client must not hold one
    if image.media_type not in imaging_convert.CONVERTED:
        return _unconverted_file(share, image, is_download=is_download)
    data = storage_client.read(image.key)
    try:
        write = embed_metadata.embed if share.shows_prompt else embed_metadata.without_parameters
        data = write(image, data)
    except UnknownStructure as error:
        raise Http404 from error
    name = _name(share, image)
    headers = delivery_responses.file_headers(image.media_type, name, as_attachment=is_download)
    return HttpResponse(data, headers=headers)


def _unconverted_file(share: Share, image: Image, *, is_download: bool) -> HttpResponse:
    """The file of an image that is handed out as it is, or what is shown in its place."""
    if is_download or image.media_type in delivery_responses.OPENED:
        data, media_type = storage_client.read(image.key), image.media_type
    else:
        data, media_type = delivery_responses.shown_form(image)
    if not share.shows_prompt and _has_prompt(image, data):
        raise Http404
    name = _name(share, image)
    headers = delivery_responses.file_headers(media_type, name, as_attachment=is_download)
    return HttpResponse(data, headers=headers)


def _has_prompt(image: Image, data: bytes) -> bool:
    """Whether the file, which is handed out as it is, has the beginning of a prompt in its bytes."""
    prompts = (prompt.strip()[:60].encode() for prompt in (image.prompt, image.negative_prompt))
    return any(prompt and prompt in data for prompt in prompts)


def _name(share: Share, image: Image) -> str:
    if share.shows_prompt:
        return delivery_responses.file_name(image)
    words = delivery_responses.file_words(image.title)
    return f"{words}.{storage_client.EXTENSIONS.get(image.media_type, 'bin')}"


@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    """robots.txt: search engines must not request share links."""
    return HttpResponse("User-agent: *\nDisallow: /s/\n", content_type="text/plain")
