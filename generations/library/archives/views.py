"""Views of zips: request one, show its progress, download it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.core import db_connections, request_params
from generations.library.archives import service as archives_service
from generations.library.archives import stream as archives_stream
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import zip_stream
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Archive, Packing
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@member_required()
@require_POST
def create(request: HttpRequest, member: Membership) -> HttpResponse:
    """Request a zip of `image` (many), of all that `search` finds (`all=1`), or `again` of an earlier one."""
    try:
        archive = _create(request.POST, member)
    except archives_service.BadArchive as error:
        return _refused(request, member, str(error))
    if getattr(request, "htmx", False):
        return _page(request, member, archive)
    return redirect("library:archive_progress", member.team.slug, archive.pk)


@member_required()
@require_safe
def progress(request: HttpRequest, member: Membership, archive: uuid.UUID) -> HttpResponse:
    """The progress of a zip, for the member who requested it."""
    return _page(request, member, _own(member, archive))


@member_required()
@require_safe
def file(request: HttpRequest, member: Membership, archive: uuid.UUID) -> HttpResponseBase:
    """The zip, once (409 after that), and always whole: range requests are ignored."""
    row = _own(member, archive)
    if request.method == "HEAD":
        return HttpResponse(headers=_headers(archives_service.make_plan(member=member, archive=row)))
    try:
        plan = archives_service.start(member=member, archive=row)
    except archives_service.AlreadyStarted as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    except archives_service.BadArchive as error:
        archives_service.mark_refused(row.pk, str(error))
        return HttpResponse(str(error), status=409, content_type="text/plain")
    db_connections.release_connections()
    return zip_stream.ZipResponse(request, archives_stream.ArchiveStream(plan), _headers(plan))


def _create(form: QueryDict, member: Membership) -> Archive:
    """Create the archive that a form describes. Raises BadArchive, Http404."""
    if again := form.get("again"):
        earlier = _own(member, request_params.uuid_or_404(again))
        return archives_service.create_again(member=member, archive=earlier)
    try:
        output = imaging_convert.OutputFormat.from_query(form)
    except imaging_convert.UnknownFormat as error:
        raise archives_service.BadArchive(_("There is no such format.")) from error
    if form.get("all") == "1":
        images = search_engine.ids(member, Search.from_query(QueryDict(form.get("search", ""))))
    else:
        images = [request_params.uuid_or_404(image) for image in form.getlist("image")]
    return archives_service.create(member=member, images=images, output=output)


def _own(member: Membership, archive: uuid.UUID) -> Archive:
    row = get_object_or_404(Archive, pk=archive, member=member)
    return archives_service.with_current_state(row)


def _page(request: HttpRequest, member: Membership, archive: Archive) -> HttpResponse:
    """The archive on a page; for htmx the archive alone."""
    part = "#archive" if getattr(request, "htmx", False) else ""
    context = {"member": member, "archive": archive, "states": Packing, "count": len(archive.images)}
    response = render(request, f"library/archives/page.html{part}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _refused(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    """Why no zip is created: a partial for htmx, else a message on the library's page."""
    if getattr(request, "htmx", False):
        return render(request, "library/archives/page.html#refused", {"sentence": sentence}, status=422)
    messages.error(request, sentence)
    return redirect(reverse("library:grid", args=[member.team.slug]))


def _headers(plan: archives_service.Plan) -> dict[str, str]:
    length = archives_stream.content_length(plan)
    headers = zip_stream.HEADERS | {
        "Cache-Control": "private, no-store",
        "Content-Disposition": delivery_responses.attachment(plan.name),
    }
    return headers if length is None else headers | {"Content-Length": str(length)}
