"""The trash: list, restore, and delete for good, which is the one action that cannot be undone."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from generations.core import request_params
from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.imaging import decode as imaging_decode
from generations.library.models import BulkAction
from generations.library.trash import listing as trash_listing
from generations.teams.models import Membership
from generations.teams.permissions import member_required

PAGE_SIZE = 60
PARTIALS = {"more": "#more", "progress": "#progress"}


@member_required(may="organise")
@require_http_methods(["GET", "HEAD", "POST"])
def trash(request: HttpRequest, member: Membership) -> HttpResponse:
    """List the images that the member may restore, newest first; POST restores `image` (many) or `all=1`."""
    if request.method == "POST":
        return _start_action(request, member, bulk_actions.Restore)
    try:
        page = trash_listing.page(member, after=request.GET.get("after", ""), size=PAGE_SIZE)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    context = {
        "member": member,
        "page": page,
        "count": trash_listing.count(member),
        "most": bulk_service.MAX_IMAGES,
        "days": settings.TRASH_DAYS,
        "running": trash_listing.running(member),
    }
    part = request.GET.get("part", "") if getattr(request, "htmx", False) else ""
    response = render(request, f"library/trash/page.html{PARTIALS.get(part, '')}", context)
    if part == "progress" and not context["running"]:
        response["HX-Refresh"] = "true"  # the list has changed
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_required(may="organise")
@require_http_methods(["GET", "HEAD", "POST"])
def empty_trash(request: HttpRequest, member: Membership) -> HttpResponse:
    """Delete the selected images, or all of them, for good. Asks for confirmation (`sure`) first."""
    selected = _selected_ids(request)
    if request.method == "POST" and (selected or request.POST.get("all")):
        if request.POST.get("sure"):
            return _start_action(request, member, bulk_actions.Purge)
    elif request.method == "POST":
        messages.error(request, _("Choose some pictures first."))
        return redirect("library:trash", member.team.slug)
    rows = images_service.in_trash(member)
    if selected:
        rows = rows.filter(pk__in=selected)
    context = {
        "member": member,
        "selected": list(rows.values_list("pk", flat=True)) if selected else [],
        "count": rows.count() if selected else trash_listing.count(member),
        "most": bulk_service.MAX_IMAGES,
        "sample": list(rows.order_by("-trashed_at", "-id")[:6]),
    }
    return render(request, "library/trash/empty.html", context)


@member_required(may="organise")
@require_safe
@delivery_responses.handle_storage_errors
def trashed_thumbnail(
    request: HttpRequest, member: Membership, image: uuid.UUID, size: str
) -> HttpResponseBase:
    """A thumbnail of an image that the member may restore; checked in the database every time."""
    row = get_object_or_404(images_service.in_trash(member), pk=image)
    if size not in thumbnails.WIDTHS:
        raise Http404
    etag = f'"{row.pk}-{size}"'
    if not_modified := get_conditional_response(request, etag=etag):
        return not_modified
    try:
        response = delivery_responses.thumbnail(thumbnails.get_or_make(row, size))
    except imaging_decode.Unreadable as error:
        raise Http404 from error
    response["Cache-Control"], response["ETag"] = "private, no-cache", etag
    return response


def _start_action(
    request: HttpRequest, member: Membership, kind: type[bulk_actions.BulkActionKind]
) -> HttpResponse:
    """Restore or delete the selected images, or all of them, and redirect to the trash with a message."""
    images = trash_listing.ids(member) if request.POST.get("all") else _selected_ids(request)
    try:
        action = bulk_service.start(member=member, kind=kind, images=images)
    except bulk_actions.InvalidBulkAction as error:
        messages.error(request, str(error))
    else:
        _add_message(request, action)
    return redirect("library:trash", member.team.slug)


def _add_message(request: HttpRequest, action: BulkAction) -> None:
    """Say what was done, if it is done; the page shows the progress of what is not."""
    if action.ended_at is None:
        return
    count = len(action.changed)
    if action.kind == bulk_actions.Restore.name:
        text = ngettext(
            "%(count)s picture is back in the library.", "%(count)s pictures are back in the library.", count
        )
    else:
        text = ngettext("%(count)s picture is deleted.", "%(count)s pictures are deleted.", count)
    messages.success(request, text % {"count": f"{count:,}"})


def _selected_ids(request: HttpRequest) -> list[uuid.UUID]:
    """The ids of the selected images. Raises Http404 for anything else."""
    values = request.POST.getlist("image")[: bulk_service.MAX_IMAGES + 1]
    return [request_params.uuid_or_404(value) for value in values]
