"""The bytes of the library's pictures, and what is uploaded."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import decode as imaging_decode
from generations.library.models import Upload
from generations.library.storage.client import StorageUnavailable
from generations.library.uploads import start_images
from generations.teams.permissions import member_required

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from generations.teams.models import Membership

SHEET = 64 * 1024  # what a form may weigh beside its file


@require_safe
@delivery_responses.while_storage_answers
def thumbnail(request: HttpRequest, team: str, image: uuid.UUID, size: str) -> HttpResponseBase:
    """A thumbnail for a ticket; the database is asked only for one that has to be made."""
    ticket = request.GET.get("ticket", "")
    holder = delivery_signed_urls.holder(ticket, team=team, image=image, size=size)
    if holder is None or size not in thumbnails.WIDTHS:
        raise Http404
    if data := thumbnails.stored(image, size):
        return delivery_responses.thumbnail(data)
    row = images_service.get_visible(holder, image)
    try:
        return delivery_responses.thumbnail(thumbnails.made(row, size))
    except imaging_decode.Unreadable as problem:
        raise Http404 from problem


@member_required()
@require_safe
@delivery_responses.while_storage_answers
def original(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponseBase:
    """The picture as the provider sent it."""
    row = get_object_or_404(images_service.visible(member), pk=image)
    return delivery_responses.as_it_is(request, row, name=delivery_responses.file_name(row))


@member_required()
@require_safe
@delivery_responses.while_storage_answers
def download(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponseBase:
    """The picture as a file: `?format=` original, png, jpeg, webp or stored, `?parameters=` 1 or 0."""
    row = get_object_or_404(images_service.visible(member), pk=image)
    try:
        return delivery_responses.to_keep(row, imaging_convert.Form.read(request.GET))
    except imaging_convert.UnknownFormat as problem:
        raise Http404 from problem
    except imaging_decode.Unreadable as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain")


@member_required(may="upload")
@require_POST
def upload(request: HttpRequest, member: Membership) -> JsonResponse:
    """Take a start image; answers with where to see it, or with a sentence."""
    try:
        file = _file(request)
        kept = start_images.receive(member=member, file=file, name=file.name or "")
    except start_images.BadUpload as problem:
        return JsonResponse({"error": str(problem)}, status=422)
    except StorageUnavailable as problem:
        return JsonResponse({"error": str(problem)}, status=503)
    return JsonResponse(_described(kept, member))


def _file(request: HttpRequest) -> UploadedFile:
    """The file that was sent, unless it cannot be small enough."""
    start_images.refuse_size(int(request.META.get("CONTENT_LENGTH") or 0) - SHEET)
    file = request.FILES.get("image")
    if file is None:
        raise start_images.BadUpload(_("Choose a picture first."))
    return file


def _described(kept: Upload, member: Membership) -> dict[str, object]:
    """What a form needs to show the upload."""
    return {
        "id": str(kept.pk),
        "src": reverse("library:upload_preview", args=[member.team.slug, kept.pk]),
        "width": kept.width,
        "height": kept.height,
        "name": kept.name,
    }


@member_required(may="upload")
@require_safe
@delivery_responses.while_storage_answers
def upload_preview(request: HttpRequest, member: Membership, upload: uuid.UUID) -> HttpResponseBase:
    """The upload, to the member who brought it."""
    row = get_object_or_404(Upload, owner=member, pk=upload)
    return delivery_responses.as_it_is(request, row, name=row.name)


@member_required(may="upload")
@require_POST
def use_as_start(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Begin a new picture with this one."""
    row = get_object_or_404(images_service.visible(member), pk=image)
    try:
        start = start_images.from_image(member=member, image=row)
    except (start_images.BadUpload, StorageUnavailable) as problem:
        messages.error(request, str(problem))
        return redirect("jobs:picture", member.team.slug, row.pk)
    return redirect(reverse("jobs:create", args=[member.team.slug], query={"start": str(start.pk)}))
