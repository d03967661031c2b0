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

from generations.teams.permissions import member_required

from . import archives, converting, finding, packing, serving, waiting
from .models import Archive, Packing
from .search import Search

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
    except archives.BadArchive as problem:
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
        return HttpResponse(headers=_headers(archives.planned(member=member, archive=row)))
    try:
        plan = archives.begin(member=member, archive=row)
    except archives.AlreadyBegun as problem:
        return HttpResponse(str(problem), status=409, content_type="text/plain")
    except archives.BadArchive as problem:
        archives.refuse(row.pk, str(problem))
        return HttpResponse(str(problem), status=409, content_type="text/plain")
    waiting.give_back_connections()
    return packing.Answer(request, plan, _headers(plan))


def _asked(form: QueryDict, member: Membership) -> Archive:
    """The archive that a form asks for; BadArchive."""
    if again := form.get("again"):
        return archives.ask_again(member=member, archive=_own(member, _ids([again])[0]))
    try:
        wanted = converting.Form.read(form)
    except converting.UnknownFormat as problem:
        raise archives.BadArchive(_("There is no such format.")) from problem
    if form.get("all") == "1":
        images = finding.ids(member, Search.read(QueryDict(form.get("search", ""))))
    else:
        images = _ids(form.getlist("image"))
    return archives.ask(member=member, images=images, form=wanted)


def _own(member: Membership, archive: uuid.UUID) -> Archive:
    return archives.standing(get_object_or_404(Archive, pk=archive, member=member))


def _ids(given: list[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(one) for one in given]
    except ValueError as problem:
        raise Http404 from problem


def _page(request: HttpRequest, member: Membership, archive: Archive) -> HttpResponse:
    """The archive on a page, or alone."""
    part = "#archive" if getattr(request, "htmx", False) else ""
    context = {"member": member, "archive": archive, "states": Packing, "count": len(archive.images)}
    response = render(request, f"library/archive.html{part}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _refused(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    """Why no zip is made: in its place, or where the person came from."""
    if getattr(request, "htmx", False):
        return render(request, "library/archive.html#refused", {"sentence": sentence}, status=422)
    messages.error(request, sentence)
    return redirect(reverse("library:grid", args=[member.team.slug]))


def _headers(plan: archives.Plan) -> dict[str, str]:
    length = packing.length(plan)
    known = {} if length is None else {"Content-Length": str(length)}
    return ZIP | known | {"Content-Disposition": serving.attachment(plan.name)}
