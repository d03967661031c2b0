"""What is done to one picture on its page: favourite, title, who sees it, tags, collections, trash.

With htmx the answer is the part of the page that changed; without, the page again.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from generations.library.images import detail as images_detail
from generations.library.images import neighbours
from generations.library.images import service as images_service
from generations.library.models import Collection, Image
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import member_required


@require_POST
@member_required()
def like(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Keep it among my favourites (`on=1`), or no longer."""
    row = _seen(member, image)
    verb = organise_service.like if request.POST.get("on") == "1" else organise_service.unlike
    verb(member=member, images=[row.pk])
    return _changed(request, member, row, "favourite")


@require_POST
@member_required(may="organise")
def set_title(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Give it a title, or none."""
    row = _changeable(member, image)
    try:
        images_service.set_title(member=member, image=row.pk, title=request.POST.get("title", ""))
    except images_service.TitleTooLong as problem:
        return _refused(request, member, row, "title", str(problem))
    return _changed(request, member, row, "title")


@require_POST
@member_required(may="organise")
def set_visibility(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Show mine to the team, or keep it private."""
    row = _seen(member, image)
    if row.owner_id != member.pk:
        raise PermissionDenied(_("Only the one whose picture it is decides who sees it."))
    wanted = request.POST.get("visibility", "")
    if wanted not in Visibility:
        return _refused(request, member, row, "visibility", _("Choose who sees it."))
    images_service.set_visibility(member=member, images=[row.pk], visibility=Visibility(wanted))
    return _changed(request, member, row, "visibility")


@require_POST
@member_required(may="organise")
def tag(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Let it carry a tag."""
    row, name = _seen(member, image), request.POST.get("name", "")
    try:
        organise_service.tag(member=member, images=[row.pk], name=name)
    except organise_service.BadName as problem:
        return _refused(request, member, row, "organise", str(problem))
    if not organise_service.carries(image=row, name=name):
        full = _("A picture has at most %(count)d tags.") % {"count": organise_service.MOST_TAGS}
        return _refused(request, member, row, "organise", full)
    return _changed(request, member, row, "organise")


@require_POST
@member_required(may="organise")
def untag(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Take a tag off it."""
    row = _seen(member, image)
    organise_service.untag(member=member, images=[row.pk], name=request.POST.get("name", ""))
    return _changed(request, member, row, "organise")


@require_safe
@member_required(may="organise")
def collections(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """The collections to put it into, those used last or those that `?find=` names."""
    row, find = _seen(member, image), request.GET.get("find", "")[:200]
    context = _about(member, row, _search(request.GET.get("search", "")))
    context |= {"offers": images_detail.offered(member, row, find), "find": find}
    return render(request, "library/images/collections.html", context)


@require_POST
@member_required(may="organise")
def collect(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Put it into a collection, or into a new one of that `name`."""
    row = _seen(member, image)
    try:
        into = _new(request, member) if "name" in request.POST else _known(request, member)
    except organise_service.BadName as problem:
        return _refused(request, member, row, "organise", str(problem))
    organise_service.collect(member=member, images=[row.pk], collection=into.pk)
    return _changed(request, member, row, "organise", with_offers=True)


@require_POST
@member_required(may="organise")
def take_out(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Take it out of a collection."""
    row = _seen(member, image)
    organise_service.take_out(member=member, images=[row.pk], collection=_known(request, member).pk)
    return _changed(request, member, row, "organise", with_offers=True)


@require_POST
@member_required(may="organise")
def trash(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Put it into the trash and go on to the next of the search; the message there takes it back."""
    row, search = _changeable(member, image), _search(request.POST.get("search", ""))
    following = neighbours.after(member, row, search)
    images_service.trash(member=member, images=[row.pk])
    back = reverse("library:picture_restore", args=[member.team.slug, row.pk])
    messages.success(request, _("Moved to the trash."), extra_tags=f"undo={back}{_behind(search)}")
    address = _page(member, following, search) if following else _library(member, search)
    if request.headers.get("HX-Request"):  # the page goes there in place of this one
        return trigger_client_event(HttpResponse(status=204), "portal:gone", {"value": address})
    return redirect(address)


@require_POST
@member_required(may="organise")
def restore(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Bring it back from the trash."""
    if not images_service.restore(member=member, images=[image]):
        raise Http404
    return redirect(_page(member, _seen(member, image), _search(request.GET.urlencode())))


def _seen(member: Membership, image: uuid.UUID) -> Image:
    return get_object_or_404(images_service.visible(member), pk=image)


def _changeable(member: Membership, image: uuid.UUID) -> Image:
    """One that the member may change; what they only see is forbidden, what they do not see is not there."""
    row = _seen(member, image)
    if not images_service.changeable(member).filter(pk=row.pk).exists():
        raise PermissionDenied(_("This belongs to somebody else in the team."))
    return row


def _known(request: HttpRequest, member: Membership) -> Collection:
    try:
        named = uuid.UUID(request.POST.get("collection", ""))
    except ValueError:
        raise Http404 from None
    return get_object_or_404(Collection.objects.visible_to(member), pk=named)


def _new(request: HttpRequest, member: Membership) -> Collection:
    seen_by = Visibility.PRIVATE if request.POST.get("private") else Visibility.TEAM
    return organise_service.make_collection(member=member, name=request.POST["name"], visibility=seen_by)


def _search(address: str) -> Search:
    """The search that the page stood in."""
    try:
        return Search.read(QueryDict(address[:4000]))
    except Http404:
        return Search()


def _behind(search: Search) -> str:
    return f"?{search.address()}" if search.address() else ""


def _page(member: Membership, image: Image, search: Search) -> str:
    return reverse("jobs:picture", args=[member.team.slug, image.pk]) + _behind(search)


def _library(member: Membership, search: Search) -> str:
    return reverse("library:grid", args=[member.team.slug]) + _behind(search)


def _about(member: Membership, image: Image, search: Search) -> dict[str, Any]:
    return {
        "member": member,
        "image": image,
        "order": images_detail.order(member, image),
        "search_address": search.address(),
    }


def _changed(
    request: HttpRequest, member: Membership, image: Image, part: str, *, with_offers: bool = False
) -> HttpResponse:
    """The part as it is now."""
    search = _search(request.POST.get("search", ""))
    if not request.headers.get("HX-Request"):
        return redirect(_page(member, image, search))
    image = _seen(member, image.pk)
    context = _about(member, image, search)
    if with_offers:
        context |= {"offers": images_detail.offered(member, image), "with_offers": True}
    return render(request, f"library/images/{part}.html", context)


def _refused(
    request: HttpRequest, member: Membership, image: Image, part: str, sentence: str
) -> HttpResponse:
    """The part as it was, with the reason and what was typed."""
    search = _search(request.POST.get("search", ""))
    if not request.headers.get("HX-Request"):
        messages.error(request, sentence)
        return redirect(_page(member, image, search))
    context = _about(member, image, search) | {"problem": sentence, "typed": request.POST}
    return render(request, f"library/images/{part}.html", context, status=422)
