"""Actions on the page of one image: favourite, title, visibility, tags, collections, trash.

With htmx the response is the fragment that changed; without, a redirect to the page.
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

from generations.core.request_params import uuid_or_404
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
    """Add the image to the member's favourites (`on=1`), or remove it."""
    row = _visible(member, image)
    change = organise_service.like if request.POST.get("on") == "1" else organise_service.unlike
    change(member=member, images=[row.pk])
    return _changed(request, member, row, "favourite")


@require_POST
@member_required(may="organise")
def set_title(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Change the title; an empty one removes it."""
    row = _editable(member, image)
    try:
        images_service.set_title(member=member, image=row.pk, title=request.POST.get("title", ""))
    except images_service.TitleTooLong as error:
        return _refuse(request, member, row, "title", str(error))
    return _changed(request, member, row, "title")


@require_POST
@member_required(may="organise")
def set_visibility(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Change the visibility of the member's own image."""
    row = _visible(member, image)
    if row.owner_id != member.pk:
        raise PermissionDenied(_("Only the one whose picture it is decides who sees it."))
    wanted = request.POST.get("visibility", "")
    if wanted not in Visibility:
        return _refuse(request, member, row, "visibility", _("Choose who sees it."))
    images_service.set_visibility(member=member, images=[row.pk], visibility=Visibility(wanted))
    return _changed(request, member, row, "visibility")


@require_POST
@member_required(may="organise")
def tag(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Add a tag."""
    row, name = _visible(member, image), request.POST.get("name", "")
    try:
        organise_service.tag(member=member, images=[row.pk], name=name)
    except organise_service.InvalidName as error:
        return _refuse(request, member, row, "organise", str(error))
    if not organise_service.has_tag(image=row, name=name):
        full = _("A picture has at most %(count)d tags.") % {"count": organise_service.MAX_TAGS}
        return _refuse(request, member, row, "organise", full)
    return _changed(request, member, row, "organise")


@require_POST
@member_required(may="organise")
def untag(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Remove a tag."""
    row = _visible(member, image)
    organise_service.untag(member=member, images=[row.pk], name=request.POST.get("name", ""))
    return _changed(request, member, row, "organise")


@require_safe
@member_required(may="organise")
def collections(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """List collections to add the image to: those changed last, or those that match `?find=`."""
    row, find = _visible(member, image), request.GET.get("find", "")[:200]
    context = _context(member, row, _search(request.GET.get("search", "")))
    context |= {"collection_choices": images_detail.collection_choices(member, row, find), "find": find}
    return render(request, "library/images/collections.html", context)


@require_POST
@member_required(may="organise")
def collect(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Add the image to a collection, or to a new one called `name`."""
    row = _visible(member, image)
    try:
        target = (
            _create_collection(request, member) if "name" in request.POST else _collection(request, member)
        )
    except organise_service.InvalidName as error:
        return _refuse(request, member, row, "organise", str(error))
    organise_service.add_to_collection(member=member, images=[row.pk], collection=target.pk)
    return _changed(request, member, row, "organise", with_collections=True)


@require_POST
@member_required(may="organise")
def take_out(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Remove the image from a collection."""
    row = _visible(member, image)
    organise_service.remove_from_collection(
        member=member, images=[row.pk], collection=_collection(request, member).pk
    )
    return _changed(request, member, row, "organise", with_collections=True)


@require_POST
@member_required(may="organise")
def trash(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Move the image to the trash and go to the next one of the search, with a message to undo it."""
    row, search = _editable(member, image), _search(request.POST.get("search", ""))
    next_image = neighbours.next_or_previous(member, row, search)
    images_service.trash(member=member, images=[row.pk])
    back = reverse("library:picture_restore", args=[member.team.slug, row.pk])
    messages.success(
        request, _("Moved to the trash."), extra_tags=f"undo={back}{neighbours.url_suffix(search)}"
    )
    address = _image_url(member, next_image, search) if next_image else _library_url(member, search)
    if request.headers.get("HX-Request"):  # the page goes there in place of this one
        return trigger_client_event(HttpResponse(status=204), "portal:gone", {"value": address})
    return redirect(address)


@require_POST
@member_required(may="organise")
def restore(request: HttpRequest, member: Membership, image: uuid.UUID) -> HttpResponse:
    """Restore the image from the trash."""
    if not images_service.restore(member=member, images=[image]):
        raise Http404
    return redirect(_image_url(member, _visible(member, image), _search(request.GET.urlencode())))


def _visible(member: Membership, image: uuid.UUID) -> Image:
    return get_object_or_404(images_service.visible(member), pk=image)


def _editable(member: Membership, image: uuid.UUID) -> Image:
    """An image to edit: PermissionDenied if the member may only see it, Http404 if not even that."""
    row = _visible(member, image)
    if not images_service.editable(member).filter(pk=row.pk).exists():
        raise PermissionDenied(_("This belongs to somebody else in the team."))
    return row


def _collection(request: HttpRequest, member: Membership) -> Collection:
    named = uuid_or_404(request.POST.get("collection", ""))
    return get_object_or_404(Collection.objects.visible_to(member), pk=named)


def _create_collection(request: HttpRequest, member: Membership) -> Collection:
    visibility = Visibility.PRIVATE if request.POST.get("private") else Visibility.TEAM
    return organise_service.create_collection(member=member, name=request.POST["name"], visibility=visibility)


def _search(text: str) -> Search:
    """The search that the page was opened from."""
    return neighbours.search_or_everything(QueryDict(text[:4000]))


def _image_url(member: Membership, image: Image, search: Search) -> str:
    return reverse("jobs:picture", args=[member.team.slug, image.pk]) + neighbours.url_suffix(search)


def _library_url(member: Membership, search: Search) -> str:
    return reverse("library:grid", args=[member.team.slug]) + neighbours.url_suffix(search)


def _context(member: Membership, image: Image, search: Search) -> dict[str, Any]:
    return {
        "member": member,
        "image": image,
        "details": images_detail.details(member, image),
        "search_address": search.query_string(),
    }


def _changed(
    request: HttpRequest, member: Membership, image: Image, part: str, *, with_collections: bool = False
) -> HttpResponse:
    """The changed fragment."""
    search = _search(request.POST.get("search", ""))
    if not request.headers.get("HX-Request"):
        return redirect(_image_url(member, image, search))
    image = _visible(member, image.pk)
    context = _context(member, image, search)
    if with_collections:
        context |= {
            "collection_choices": images_detail.collection_choices(member, image),
            "with_collections": True,
        }
    return render(request, f"library/images/{part}.html", context)


def _refuse(request: HttpRequest, member: Membership, image: Image, part: str, sentence: str) -> HttpResponse:
    """The unchanged fragment, with the reason and what was typed."""
    search = _search(request.POST.get("search", ""))
    if not request.headers.get("HX-Request"):
        messages.error(request, sentence)
        return redirect(_image_url(member, image, search))
    context = _context(member, image, search) | {"problem": sentence, "typed": request.POST}
    return render(request, f"library/images/{part}.html", context, status=422)
