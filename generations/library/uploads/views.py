"""Bringing pictures into the library: a page that takes several, and a script that sends them one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from generations.library.models import Upload
from generations.library.storage.client import StorageUnavailable
from generations.library.uploads import imports as uploads_imports
from generations.library.uploads import start_images
from generations.teams.models import Visibility
from generations.teams.permissions import member_required

if TYPE_CHECKING:
    import uuid

    from django.core.files.uploadedfile import UploadedFile

    from generations.library.uploads.imports import Brought
    from generations.teams.models import Membership

STARTS = 12  # start images that are offered


@dataclass(frozen=True)
class Outcome:
    """What became of one file: an image, or a sentence."""

    name: str
    brought: Brought | None = None
    error: str = ""
    status: int = 200


@member_required(may="upload")
@require_http_methods(["GET", "HEAD", "POST"])
def upload_images(request: HttpRequest, member: Membership) -> HttpResponse:
    """A form for pictures, and what became of those that were sent."""
    outcomes = _received(request, member) if request.method == "POST" else []
    refused = [outcome.status for outcome in outcomes if outcome.error]
    part = "#outcomes" if request.method == "POST" and getattr(request, "htmx", False) else ""
    response = render(
        request,
        f"library/uploads/page.html{part}",
        _context(member) | {"outcomes": outcomes, "chosen": _chosen(request, member)},
        status=max(refused) if outcomes and len(refused) == len(outcomes) else 200,
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_required(may="upload")
@require_POST
def add_upload(request: HttpRequest, member: Membership, upload: uuid.UUID) -> HttpResponse:
    """Enter a start image of the member's into the library."""
    row = get_object_or_404(Upload, owner=member, pk=upload)
    outcome = Outcome(row.name, uploads_imports.add_upload(member=member, upload=row))
    context = _context(member) | {"outcomes": [outcome], "chosen": uploads_imports.usual_visibility(member)}
    return render(request, "library/uploads/page.html", context)


def _received(request: HttpRequest, member: Membership) -> list[Outcome]:
    """Take every file for itself: one that cannot be taken does not keep the others out."""
    visibility = _chosen(request, member)
    files = request.FILES.getlist("image")
    if not files:
        return [Outcome("", error=_("Choose a picture first."), status=422)]
    return [_outcome(member, file, visibility) for file in files]


def _outcome(member: Membership, file: UploadedFile, visibility: str) -> Outcome:
    name = file.name or ""
    try:
        return Outcome(
            name, uploads_imports.bring(member=member, file=file, name=name, visibility=visibility)
        )
    except start_images.BadUpload as problem:
        return Outcome(name, error=str(problem), status=422)
    except StorageUnavailable as problem:
        return Outcome(name, error=str(problem), status=503)


def _chosen(request: HttpRequest, member: Membership) -> str:
    """Who is to see the pictures; the member's usual choice if the form says nothing that we know."""
    said = request.POST.get("visibility", "")
    return said if said in Visibility.values else uploads_imports.usual_visibility(member)


def _context(member: Membership) -> dict[str, object]:
    starts = Upload.objects.filter(owner=member).order_by("-id")
    return {"member": member, "visibilities": Visibility.choices, "starts": list(starts[:STARTS])}
