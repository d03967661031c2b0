"""What a link shows to whoever has it: pictures, and nothing of the team, its people or the portal.

Every page and every byte asks anew whether the link still works, and none may be kept by anybody.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from allauth.core.internal import ratelimit  # the public decorator answers with a page of the portal
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from generations.core import db_connections
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails
from generations.library.imaging import decode as imaging_decode
from generations.library.imaging import embed_metadata, strip_metadata
from generations.library.imaging.containers import UnknownStructure
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client

if TYPE_CHECKING:
    from generations.library.models import Image, Share

PAGE = 60
TO_NOBODY = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
# Programs that say that they are one. What hides it is counted as a person.
PROGRAMS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|externalhit|headless|lighthouse|monitor|scan|fetch|archiver"
    r"|whatsapp|telegram|skype|slack|discord|curl|wget|python|java/|go-http|okhttp|axios|libwww",
    re.IGNORECASE,
)

View = Callable[..., HttpResponseBase]


def shown(*, limit: str = "") -> Callable[[View], View]:
    """Let whoever has a working link call the view with it; nobody else learns whether there is one.

    `limit` names how often one address may ask (ACCOUNT_RATE_LIMITS).
    """

    def decorate(view: View) -> View:
        @csrf_exempt  # nothing can be changed here, and no cookie is made
        @require_safe
        @wraps(view)
        def answer(request: HttpRequest, token: str, **named: Any) -> HttpResponseBase:
            if limit and not may_ask(request, limit):
                response: HttpResponseBase = render(
                    request, "library/sharing/public/too_many_requests.html", status=429
                )
            else:
                response = _answer(view, request, token, named)
            for header, value in TO_NOBODY.items():
                response[header] = value
            return response

        return answer

    return decorate


def _answer(view: View, request: HttpRequest, token: str, named: dict[str, Any]) -> HttpResponseBase:
    """What the view says; of a link that shows nothing, one page for all reasons."""
    try:
        return view(request, sharing_service.find(token), **named)
    except Http404:
        return render(request, "library/sharing/public/gone.html", status=404)


def may_ask(request: HttpRequest, action: str) -> bool:
    """Whether this address asks for the first few hundred times within a minute."""
    return bool(ratelimit.consume(request, app="allauth.account", action=action, limit_get=True))


# Pages ---------------------------------------------------------------------------------


@shown(limit="share")
def page(request: HttpRequest, share: Share) -> HttpResponse:
    """The image large, or the collection as a grid; `?after=` an image shows what follows it."""
    _count(request, share)
    if not share.collection_id:
        return _large(request, share, get_object_or_404(sharing_service.pictures(share)))
    pictures = sharing_service.pictures(share)
    if after := request.GET.get("after"):
        pictures = pictures.filter(pk__lt=_uuid(after))
    images = list(pictures[: PAGE + 1])
    context = {
        "share": share,
        "token": sharing_service.token(share.pk),
        "images": images[:PAGE],
        "count": None if after else sharing_service.pictures(share).count(),
        "older": images[PAGE - 1].pk if len(images) > PAGE else None,
    }
    part = "#page" if getattr(request, "htmx", False) else ""
    return render(request, f"library/sharing/public/collection.html{part}", context)


@shown(limit="share")
def picture(request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """One image of a collection large, with its neighbours."""
    _count(request, share)
    return _large(request, share, get_object_or_404(sharing_service.pictures(share), pk=image))


def _large(request: HttpRequest, share: Share, image: Image) -> HttpResponse:
    newer = older = None
    if share.collection_id:
        newer = sharing_service.pictures(share).filter(pk__gt=image.pk).order_by("pk").first()
        older = sharing_service.pictures(share).filter(pk__lt=image.pk).first()
    context = {"share": share, "token": sharing_service.token(share.pk), "image": image}
    return render(request, "library/sharing/public/picture.html", context | {"newer": newer, "older": older})


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as problem:
        raise Http404 from problem


def _count(request: HttpRequest, share: Share) -> None:
    """Count a person who comes in; leafing on within the link is the same visit."""
    about = request.headers
    named = about.get("User-Agent", "")
    comes_in = (
        request.method == "GET"
        and about.get("Sec-Fetch-Site", "none") != "same-origin"
        and about.get("Sec-Fetch-Dest", "document") == "document"
        and not (about.get("Sec-Purpose") or about.get("Purpose") or about.get("HX-Request"))
    )
    if comes_in and named and not PROGRAMS.search(named):
        sharing_service.count_view(share)


# Bytes ---------------------------------------------------------------------------------


@shown()
@delivery_responses.while_storage_answers
def thumbnail(_request: HttpRequest, share: Share, image: uuid.UUID, size: str) -> HttpResponse:
    """A thumbnail, which carries nothing but pixels."""
    row = get_object_or_404(sharing_service.pictures(share), pk=image)
    if size not in thumbnails.WIDTHS:
        raise Http404
    try:
        data = thumbnails.made(row, size)
    except imaging_decode.Unreadable as problem:
        raise Http404 from problem
    return HttpResponse(
        data, headers=delivery_responses.EVERY_PICTURE | {"Content-Type": thumbnails.MEDIA_TYPE}
    )


@shown(limit="share_file")
@delivery_responses.while_storage_answers
def original(_request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """The picture as it was made, to look at."""
    return _file(share, get_object_or_404(sharing_service.pictures(share), pk=image), to_keep=False)


@shown(limit="share_file")
@delivery_responses.while_storage_answers
def download(_request: HttpRequest, share: Share, image: uuid.UUID) -> HttpResponse:
    """The picture as a file to keep; how it was made is in it only if the prompt is shown."""
    return _file(share, get_object_or_404(sharing_service.pictures(share), pk=image), to_keep=True)


def _file(share: Share, image: Image, *, to_keep: bool) -> HttpResponse:
    db_connections.release_connections()  # a slow reader holds none
    data = storage_client.read(image.key)
    try:
        data = (
            embed_metadata.embed(image, data)
            if share.shows_prompt
            else strip_metadata.bare(data, image.media_type)
        )
    except UnknownStructure as problem:
        raise Http404 from problem
    name = delivery_responses.file_name(image) if share.shows_prompt else _name_without_prompt(image)
    headers = delivery_responses.EVERY_PICTURE | {
        "Content-Type": image.media_type,
        "Content-Disposition": content_disposition_header(as_attachment=to_keep, filename=name) or "inline",
    }
    return HttpResponse(data, headers=headers)


def _name_without_prompt(image: Image) -> str:
    words = slugify(image.title, allow_unicode=True)[:60].strip("-_") or "picture"
    return f"{words}.{storage_client.EXTENSIONS.get(image.media_type, 'bin')}"


@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    """What search engines may not even ask for."""
    return HttpResponse("User-agent: *\nDisallow: /s/\n", content_type="text/plain")
