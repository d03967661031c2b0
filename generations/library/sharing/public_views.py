"""Public pages of share links: images and the team's name, nothing about its members or the portal.

Every request checks whether the link still works, and whether it is behind a password; no response may be
cached.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit  # its public decorator responds with a page of the portal
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from generations.core import db_connections, request_params
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails, zip_stream
from generations.library.imaging import decode as imaging_decode
from generations.library.models import Image, Share
from generations.library.sharing import files as sharing_files
from generations.library.sharing import service as sharing_service

PAGE_SIZE = 60
COOKIE = "shared"  # of who knew a link's password; valid below the link's own path
MAX_PASSWORD_LENGTH = 200
# They obey robots.txt, and show a card of what people link to.
CARD_READERS = (
    "Twitterbot",
    "facebookexternalhit",
    "LinkedInBot",
    "Slackbot",
    "Discordbot",
    "TelegramBot",
    "WhatsApp",
)
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


def public_view(
    *, limit: str = "", method: Callable[[View], View] = require_safe, asks_password: bool = True
) -> Callable[[View], View]:
    """Decorate a view of a working link; for any other token the response does not tell why it is 404.

    `limit` is a key of ACCOUNT_RATE_LIMITS, which limits requests by IP address. A link with a password shows
    itself to browsers that were told it, unless the view is the one that asks.
    """

    def decorate(view: View) -> View:
        @csrf_exempt  # a visitor has no account that another site could use
        @method
        @wraps(view)
        def wrapper(request: HttpRequest, token: str, **named: Any) -> HttpResponseBase:
            try:
                response = _respond(
                    view if not asks_password else _behind_password(view), request, token, named, limit
                )
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
        return too_many_requests(request)
    return view(request, sharing_service.find(token), **named)


def _behind_password(view: View) -> View:
    """The view for browsers that were told the link's password; others get the form that asks for it."""

    def wrapper(request: HttpRequest, share: Share, **named: Any) -> HttpResponseBase:
        if sharing_service.is_open_to(share, request.COOKIES.get(COOKIE, "")):
            return view(request, share, **named)
        is_page = request.headers.get("Sec-Fetch-Dest", "document") == "document"
        return ask_password(request, share, status=200 if is_page else 403)

    return wrapper


def is_within_rate_limit(request: HttpRequest, action: str, key: str | None = None) -> bool:
    """Count a request of this IP address, or for this key, and say whether the limit still allows it."""
    return bool(ratelimit.consume(request, app="allauth.account", action=action, key=key, limit_get=True))


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """A page that says so."""
    return render(request, "library/sharing/public/too_many_requests.html", status=429)


# Password --------------------------------------------------------------------------------


def ask_password(
    request: HttpRequest, share: Share, *, status: int = 200, is_wrong: bool = False
) -> HttpResponse:
    """The form that asks for the link's password; it says nothing of what is behind it."""
    context = {"token": sharing_service.token(share.pk), "is_wrong": is_wrong}
    return render(request, "library/sharing/public/password.html", context, status=status)


@public_view(method=require_POST, asks_password=False)
def unlock(request: HttpRequest, share: Share) -> HttpResponse:
    """Let a browser in that knows the password, until it is closed; tries are limited."""
    if share.password:
        if not is_within_rate_limit(request, "share_password", key=share.pk.hex):
            return too_many_requests(request)
        if not sharing_service.is_password(share, request.POST.get("password", "")[:MAX_PASSWORD_LENGTH]):
            return ask_password(request, share, status=422, is_wrong=True)
    address = reverse("share:page", args=[sharing_service.token(share.pk)])
    response = redirect(address)
    if share.password:
        response.set_cookie(
            COOKIE,
            sharing_service.proof(share),
            path=address,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


# Pages ---------------------------------------------------------------------------------


@public_view(limit="share")
def page(request: HttpRequest, share: Share) -> HttpResponse:
    """The image in full size, or the collection as a grid; `?after=` an image's id for the next page."""
    _count_view(request, share)
    if not share.shows_many:
        return _image_page(request, share, get_object_or_404(sharing_service.visible_images(share)))
    pictures = sharing_service.visible_images(share)
    if after := request.GET.get("after"):
        pictures = pictures.filter(pk__lt=request_params.uuid_or_404(after))
    images = list(pictures[: PAGE_SIZE + 1])
    context = _context(share, images[0] if images else None) | {
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
    if share.shows_many:
        newer = sharing_service.visible_images(share).filter(pk__gt=image.pk).order_by("pk").first()
        older = sharing_service.visible_images(share).filter(pk__lt=image.pk).first()
    context = _context(share, image) | {"image": image, "newer": newer, "older": older}
    return render(request, "library/sharing/public/picture.html", context)


def _context(share: Share, first: Image | None) -> dict[str, Any]:
    """What every page of a link says: its title, the team's name, and the card that other programs show."""
    token = sharing_service.token(share.pk)
    has_card = not share.password and first is not None and first.width
    card = reverse("share:card", args=[token, first.pk]) if has_card and first else ""
    return {
        "share": share,
        "token": token,
        "title": sharing_service.title_of(share),
        "team": share.maker.team.name,
        "card": f"{settings.PUBLIC_URL}{card}" if card else "",
        "address": sharing_service.share_url(share),
    }


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


@public_view()
@delivery_responses.handle_storage_errors
def card(_request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """The picture that other programs show beside the link: JPEG, which all of them read."""
    row = get_object_or_404(sharing_service.visible_images(share), pk=image)
    try:
        data = thumbnails.as_jpeg(thumbnails.get_or_make(row, "large"))
    except imaging_decode.Unreadable as error:
        raise Http404 from error
    return HttpResponse(data, headers=delivery_responses.IMAGE_HEADERS | {"Content-Type": "image/jpeg"})


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
    db_connections.release_connections()  # a slow client must not hold one
    try:
        data, media_type = sharing_files.read(share, image, to_be_shown=not is_download)
    except sharing_files.Withheld as error:
        raise Http404 from error
    name = sharing_files.file_name(share, image)
    headers = delivery_responses.file_headers(media_type, name, as_attachment=is_download)
    return HttpResponse(data, headers=headers)


@public_view(limit="share_zip")
def archive(request: HttpRequest, share: Share) -> HttpResponseBase:
    """All images of a collection or a selection as a zip, packed while it is sent."""
    if not share.shows_many:
        raise Http404
    headers = {"Content-Disposition": delivery_responses.attachment(sharing_files.zip_name(share))}
    if request.method == "HEAD":
        return HttpResponse(headers=zip_stream.HEADERS | headers)
    if sharing_files.ShareZip.is_busy():
        return too_many_requests(request)
    zipped = sharing_files.ShareZip(share)
    db_connections.release_connections()
    return zip_stream.ZipResponse(request, zipped, headers)


@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    """robots.txt: search engines must not request share links; programs that show a card of one may."""
    readers = [f"User-agent: {name}" for name in CARD_READERS]
    lines = [*readers, "Allow: /s/", "", "User-agent: *", "Disallow: /s/", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain")
