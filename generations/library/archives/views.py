"""Zips of many pictures: asking for one, watching it, and its bytes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.core import db_connections
from generations.library.archives import service as archives_service
from generations.library.archives import stream as archives_stream
from generations.library.delivery import responses as delivery_responses
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Archive, Packing
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.permissions import member_required

if TYPE_CHECKING:
    from generations.teams.models import Membership

ZIP = {
    "Content-Type": "application/zip",
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # a proxy that collects the whole would tell nobody how far it is
}


@member_required()
@require_POST
def ask(request: HttpRequest, member: Membership) -> HttpResponse:
    """Have a zip made of `image` (many), of `all=1` that `search` finds, or `again` of an old one."""
    try:
        archive = _asked(request.POST, member)
    except archives_service.BadArchive as problem:
        return _refused(request, member, str(problem))
    if getattr(request, "htmx", False):
        return _page(request, member, archive)
    return redirect("library:archive_progress", member.team.slug, archive.pk)


@member_required()
@require_safe
def progress(request: HttpRequest, member: Membership, archive: uuid.UUID) -> HttpResponse:
    """How far a zip is, to the member who asked for it."""
    return _page(request, member, _own(member, archive))


@member_required()
@require_safe
def file(request: HttpRequest, member: Membership, archive: uuid.UUID) -> HttpResponseBase:
    """The zip itself, once. It is always sent whole, whatever part of it was asked for."""
    row = _own(member, archive)
    if request.method == "HEAD":
        return HttpResponse(headers=_headers(archives_service.planned(member=member, archive=row)))
    try:
        plan = archives_service.begin(member=member, archive=row)
    except archives_service.AlreadyBegun as problem:
        return HttpResponse(str(problem), status=409, content_type="text/plain")
    except archives_service.BadArchive as problem:
        archives_service.refuse(row.pk, str(problem))
        return HttpResponse(str(problem), status=409, content_type="text/plain")
    db_connections.release_connections()
    return archives_stream.Answer(request, plan, _headers(plan))


def _asked(form: QueryDict, member: Membership) -> Archive:
    """The archive that a form asks for; BadArchive."""
    if again := form.get("again"):
        return archives_service.ask_again(member=member, archive=_own(member, _ids([again])[0]))
    try:
        wanted = imaging_convert.Form.read(form)
    except imaging_convert.UnknownFormat as problem:
        raise archives_service.BadArchive(_("There is no such format.")) from problem
    if form.get("all") == "1":
        images = search_engine.ids(member, Search.read(QueryDict(form.get("search", ""))))
    else:
        images = _ids(form.getlist("image"))
    return archives_service.ask(member=member, images=images, form=wanted)


def _own(member: Membership, archive: uuid.UUID) -> Archive:
    return archives_service.standing(get_object_or_404(Archive, pk=archive, member=member))


def _ids(given: list[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(one) for one in given]
    except ValueError as problem:
        raise Http404 from problem


def _page(request: HttpRequest, member: Membership, archive: Archive) -> HttpResponse:
    """The archive on a page, or alone."""
    part = "#archive" if getattr(request, "htmx", False) else ""
    context = {"member": member, "archive": archive, "states": Packing, "count": len(archive.images)}
    response = render(request, f"library/archives/page.html{part}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _refused(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    """Why no zip is made: in its place, or where the person came from."""
    if getattr(request, "htmx", False):
        return render(request, "library/archives/page.html#refused", {"sentence": sentence}, status=422)
    messages.error(request, sentence)
    return redirect(reverse("library:grid", args=[member.team.slug]))


def _headers(plan: archives_service.Plan) -> dict[str, str]:
    length = archives_stream.length(plan)
    known = {} if length is None else {"Content-Length": str(length)}
    return ZIP | known | {"Content-Disposition": delivery_responses.attachment(plan.name)}
