"""Views that serve the bytes of images: thumbnails by signed URL, originals and downloads to members."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import revocation, thumbnails
from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.images import service as images_service
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@delivery_responses.handle_storage_errors
def thumbnail(request: HttpRequest, team: str, image: uuid.UUID, size: str) -> HttpResponseBase:
    """The thumbnail of a URL signed for this session.

    One that is not made yet, or perhaps not to be seen any more, needs a query of its own.
    """
    ticket, session = request.GET.get("ticket", ""), request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    seer = delivery_signed_urls.verify(ticket, team=team, image=image, size=size, session=session)
    role = revocation.role_in(session, seer.member) if seer and size in thumbnails.WIDTHS else ""
    if seer is None or not role:
        return HttpResponseNotFound()  # not a page of the portal, which would look up who is signed in
    is_certain = seer.sight == delivery_signed_urls.sight_of(role)
    if not is_certain or revocation.is_withdrawn(team, image, size):
        data = None
    else:
        data = thumbnails.read_stored(image, size)
    if data is None:
        row = images_service.get_visible(seer.member, image)
        try:
            data = thumbnails.get_or_make(row, size)
        except imaging_decode.Unreadable as error:
            raise Http404 from error
    response = delivery_responses.thumbnail(data)
    patch_vary_headers(response, ["Cookie"])  # the browser's copy is not shown after signing out either
    return response


@member_required()
@require_safe
@delivery_responses.handle_storage_errors
def original(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponseBase:
    """The image as it is stored, to be shown; of SVG the cleaned form, of a file that is no image a tile."""
    row = get_object_or_404(images_service.visible(member), pk=image)
    return delivery_responses.show(request, row)


@member_required()
@require_safe
@delivery_responses.handle_storage_errors
def download(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponseBase:
    """The image as an attachment: `?format=` original, png, jpeg, webp or stored, `?parameters=` 1 or 0."""
    row = get_object_or_404(images_service.visible(member), pk=image)
    try:
        return delivery_responses.download(row, imaging_convert.OutputFormat.from_query(request.GET))
    except imaging_convert.UnknownFormat as error:
        raise Http404 from error
    except imaging_decode.Unreadable as error:
        return HttpResponse(str(error), status=422, content_type="text/plain")
