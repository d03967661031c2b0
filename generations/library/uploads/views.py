"""Views of uploads: start images for the create form, and images imported into the library."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.library.delivery import responses as delivery_responses
from generations.library.images import service as images_service
from generations.library.imaging.decode import DecodingBusy
from generations.library.models import Upload
from generations.library.storage.client import StorageUnavailable
from generations.library.uploads import imports as uploads_imports
from generations.library.uploads import input_images
from generations.library.uploads.imports import ImportResult
from generations.providers.catalogue.inputs import MASK
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import member_required

FORM_OVERHEAD = 64 * 1024  # bytes of a request besides its file
START_IMAGES_SHOWN = 12


# Start images ----------------------------------------------------------------------------


@member_required(may="upload")
@require_POST
def upload(request: HttpRequest, member: Membership) -> JsonResponse:
    """Upload a picture for a request, `role=mask` for a mask; JSON about it, or a sentence (422, 503)."""
    save = input_images.save_mask if request.POST.get("role") == MASK else input_images.save_upload
    try:
        file = _uploaded_file(request)
        row = save(member=member, file=file, name=file.name or "")
    except input_images.BadUpload as error:
        return JsonResponse({"error": str(error)}, status=422)
    except (StorageUnavailable, DecodingBusy) as error:
        return JsonResponse({"error": str(error)}, status=503, headers={"Retry-After": "10"})
    return JsonResponse(
        {
            "id": str(row.pk),
            "src": reverse("library:upload_preview", args=[member.team.slug, row.pk]),
            "width": row.width,
            "height": row.height,
            "has_alpha": row.has_alpha,
            "name": row.name,
        }
    )


@member_required(may="upload")
@require_safe
@delivery_responses.handle_storage_errors
def upload_preview(request: HttpRequest, member: Membership, upload: uuid.UUID) -> HttpResponseBase:
    """The upload itself, or `?small` a thumbnail of it, for the member who made it."""
    row = get_object_or_404(Upload, owner=member, pk=upload)
    if "small" in request.GET:
        return delivery_responses.small_upload(request, row)
    return delivery_responses.stream_object(request, row, name=row.name)


@member_required(may="upload")
@require_POST
def use_as_start(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Open the create form with an image of the library as its start image, which stays its own."""
    row = get_object_or_404(images_service.visible(member), pk=image)
    query = {"operation": "generate", "image": str(row.pk)}
    return redirect(reverse("jobs:create", args=[member.team.slug], query=query))


def _uploaded_file(request: HttpRequest) -> UploadedFile:
    """The file of the request. Raises BadUpload if there is none or it is too large, before reading it."""
    input_images.check_size(int(request.META.get("CONTENT_LENGTH") or 0) - FORM_OVERHEAD)
    file = request.FILES.get("image")
    if file is None:
        raise input_images.BadUpload(_("Choose a picture first."))
    return file


# Images of the library -------------------------------------------------------------------


@dataclass(frozen=True)
class FileOutcome:
    """The result for one file: an image, or an error sentence."""

    name: str
    result: ImportResult | None = None
    error: str = ""
    status: int = 200


@member_required(may="upload")
@require_http_methods(["GET", "HEAD", "POST"])
def upload_images(request: HttpRequest, member: Membership) -> HttpResponse:
    """A form for files; POST imports them and lists the outcome of each."""
    outcomes = _import_files(request, member) if request.method == "POST" else []
    errors = [outcome.status for outcome in outcomes if outcome.error]
    part = "#outcomes" if request.method == "POST" and getattr(request, "htmx", False) else ""
    response = render(
        request,
        f"library/uploads/page.html{part}",
        _context(member) | {"outcomes": outcomes, "chosen": _visibility(request, member)},
        status=max(errors) if outcomes and len(errors) == len(outcomes) else 200,
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_required(may="upload")
@require_POST
def add_upload(request: HttpRequest, member: Membership, upload: uuid.UUID) -> HttpResponse:
    """Import a start image of the member into the library."""
    row = get_object_or_404(Upload, owner=member, pk=upload)
    outcome = FileOutcome(row.name, uploads_imports.import_upload(member=member, upload=row))
    context = _context(member) | {"outcomes": [outcome], "chosen": member.default_visibility}
    return render(request, "library/uploads/page.html", context)


def _import_files(request: HttpRequest, member: Membership) -> list[FileOutcome]:
    """Import each file by itself: an error in one does not affect the others."""
    visibility = _visibility(request, member)
    files = request.FILES.getlist("image")
    if not files:
        return [FileOutcome("", error=_("Choose a picture first."), status=422)]
    return [_import_file(member, file, visibility) for file in files]


def _import_file(member: Membership, file: UploadedFile, visibility: str) -> FileOutcome:
    name = file.name or ""
    try:
        result = uploads_imports.import_file(member=member, file=file, name=name, visibility=visibility)
    except input_images.BadUpload as error:
        return FileOutcome(name, error=str(error), status=422)
    except (StorageUnavailable, DecodingBusy) as error:
        return FileOutcome(name, error=str(error), status=503)
    return FileOutcome(name, result)


def _visibility(request: HttpRequest, member: Membership) -> str:
    """The visibility that the form asks for; the member's default if it has none or an unknown one."""
    value = request.POST.get("visibility", "")
    return value if value in Visibility.values else member.default_visibility


def _context(member: Membership) -> dict[str, object]:
    uploads = Upload.objects.filter(owner=member).order_by("-id")
    return {
        "member": member,
        "visibilities": Visibility.choices,
        "start_images": list(uploads[:START_IMAGES_SHOWN]),
    }
