"""The trash: what lies in it, bringing it back, and the one thing in the portal that cannot be undone."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.imaging import decode as imaging_decode
from generations.library.models import BulkAction
from generations.library.trash import listing as trash_listing
from generations.teams.permissions import member_required

if TYPE_CHECKING:
    from generations.teams.models import Membership

PAGE = 60
PARTS = {"more": "#more", "progress": "#progress"}


@member_required(may="organise")
@require_http_methods(["GET", "HEAD", "POST"])
def trash(request: HttpRequest, member: Membership) -> HttpResponse:
    """What the member may bring back, newest first; with POST, bring some or all (`all=1`) of it back."""
    if request.method == "POST":
        return _do(request, member, bulk_actions.Restore)
    try:
        page = trash_listing.page(member, after=request.GET.get("after", ""), size=PAGE)
    except (ValueError, OverflowError) as problem:
        raise Http404 from problem
    context = {
        "member": member,
        "page": page,
        "count": trash_listing.count(member),
        "most": bulk_service.MAX_IMAGES,
        "days": settings.TRASH_DAYS,
        "under_way": trash_listing.under_way(member),
    }
    asked = request.GET.get("part", "") if getattr(request, "htmx", False) else ""
    response = render(request, f"library/trash/page.html{PARTS.get(asked, '')}", context)
    if asked == "progress" and not context["under_way"]:
        response["HX-Refresh"] = "true"  # the pictures are not where they were
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_required(may="organise")
@require_http_methods(["GET", "HEAD", "POST"])
def empty_trash(request: HttpRequest, member: Membership) -> HttpResponse:
    """Delete for good what was picked, or everything; asks once, since it cannot be undone."""
    picked = _ids(request)
    if request.method == "POST" and (picked or request.POST.get("all")):
        if request.POST.get("sure"):
            return _do(request, member, bulk_actions.Purge)
    elif request.method == "POST":
        messages.error(request, _("Choose some pictures first."))
        return redirect("library:trash", member.team.slug)
    rows = (
        images_service.in_trash(member).filter(pk__in=picked) if picked else images_service.in_trash(member)
    )
    context = {
        "member": member,
        "picked": list(rows.values_list("pk", flat=True)) if picked else [],
        "count": rows.count() if picked else trash_listing.count(member),
        "most": bulk_service.MAX_IMAGES,
        "sample": list(rows.order_by("-trashed_at", "-id")[:6]),
    }
    return render(request, "library/trash/empty.html", context)


@member_required(may="organise")
@require_safe
@delivery_responses.while_storage_answers
def trashed_thumbnail(
    request: HttpRequest, member: Membership, image: uuid.UUID, size: str
) -> HttpResponseBase:
    """A thumbnail of what the member may bring back; the database is asked each time."""
    row = get_object_or_404(images_service.in_trash(member), pk=image)
    if size not in thumbnails.WIDTHS:
        raise Http404
    etag = f'"{row.pk}-{size}"'
    if known := get_conditional_response(request, etag=etag):
        return known
    try:
        answer = delivery_responses.thumbnail(thumbnails.stored(row.pk, size) or thumbnails.made(row, size))
    except imaging_decode.Unreadable as problem:
        raise Http404 from problem
    answer["Cache-Control"], answer["ETag"] = "private, no-cache", etag
    return answer


def _do(request: HttpRequest, member: Membership, kind: type[bulk_actions.BulkActionKind]) -> HttpResponse:
    """Restore or delete what was picked, or all of it, and say what came of it."""
    images = trash_listing.ids(member) if request.POST.get("all") else _ids(request)
    try:
        action = bulk_service.start(member=member, kind=kind, images=images)
    except bulk_actions.InvalidBulkAction as problem:
        messages.error(request, str(problem))
    else:
        _tell(request, action)
    return redirect("library:trash", member.team.slug)


def _tell(request: HttpRequest, action: BulkAction) -> None:
    """What was done; what is still under way is told by the page."""
    if action.ended_at is None:
        return
    count = len(action.changed)
    if action.kind == bulk_actions.Restore.name:
        said = ngettext(
            "%(count)s picture is back in the library.", "%(count)s pictures are back in the library.", count
        )
    else:
        said = ngettext("%(count)s picture is deleted.", "%(count)s pictures are deleted.", count)
    messages.success(request, said % {"count": f"{count:,}"})


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    """The images that were picked; Http404 for what is no id."""
    try:
        return [uuid.UUID(value) for value in request.POST.getlist("image")[: bulk_service.MAX_IMAGES + 1]]
    except ValueError as problem:
        raise Http404 from problem
