"""Collections and saved searches: all of them, made, changed, forgotten."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from generations.library.gallery import sidebar
from generations.library.models import Collection, SavedSearch
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.teams.models import Visibility
from generations.teams.permissions import may, member_required

if TYPE_CHECKING:
    from generations.teams.models import Membership

LONGEST_FILTER = 200


@member_required()
@require_http_methods(["GET", "HEAD", "POST"])
def collections(request: HttpRequest, member: Membership) -> HttpResponse:
    """All collections that I may see, page by page; a POST makes one."""
    if request.method == "POST":
        return _make(request, member)
    named = request.GET.get("q", "").replace("\0", " ").strip()[:LONGEST_FILTER]
    after = _after(member, request.GET.get("before", ""))
    rows, last = sidebar.page(member, named=named, after=after)
    context = {"member": member, "rows": rows, "last": last, "named": named, "side": sidebar.beside(member)}
    return render(request, "library/organise/collections.html", context)


@member_required(may="organise")
@require_POST
def collection(request: HttpRequest, member: Membership, collection: uuid.UUID) -> HttpResponse:
    """Give a collection another name, show it to the team, or keep it private."""
    row = _visible(member, collection)
    name = request.POST.get("name", row.name)
    try:
        organise_service.change_collection(
            member=member, collection=row, name=name, visibility=_visibility(request, row.visibility)
        )
    except (organise_service.BadName, organise_service.NotYours) as problem:
        messages.error(request, str(problem))
    return redirect(_address_of(row, member))


@member_required(may="organise")
@require_POST
def delete_collection(request: HttpRequest, member: Membership, collection: uuid.UUID) -> HttpResponse:
    """Forget a collection; its pictures stay."""
    row = _visible(member, collection)
    try:
        organise_service.delete_collection(member=member, collection=row)
    except organise_service.NotYours as problem:
        messages.error(request, str(problem))
        return redirect(_address_of(row, member))
    messages.success(request, _("The collection “%(name)s” is gone; its pictures stay.") % {"name": row.name})
    return redirect("library:grid", member.team.slug)


@member_required(may="organise")
@require_POST
def save_search(request: HttpRequest, member: Membership) -> HttpResponse:
    """Keep a search under a name, for me or for the team."""
    search = Search.read(QueryDict(request.POST.get("search", "")))
    try:
        organise_service.save_search(
            member=member,
            name=request.POST.get("name", ""),
            search=search,
            visibility=_visibility(request, Visibility.PRIVATE),
        )
    except organise_service.BadName as problem:
        messages.error(request, str(problem))
    return redirect(reverse("library:grid", args=[member.team.slug]) + f"?{search.address()}")


@member_required(may="organise")
@require_POST
def forget_search(request: HttpRequest, member: Membership, saved: uuid.UUID) -> HttpResponse:
    """Forget a saved search."""
    row = get_object_or_404(SavedSearch.objects.visible_to(member), pk=saved)
    try:
        organise_service.forget_search(member=member, saved=row)
    except organise_service.NotYours as problem:
        messages.error(request, str(problem))
    return redirect("library:grid", member.team.slug)


def _make(request: HttpRequest, member: Membership) -> HttpResponse:
    if not may(member, "organise"):
        messages.error(request, _("Your role in this team does not allow this."))
        return redirect("library:collections", member.team.slug)
    try:
        made = organise_service.make_collection(
            member=member,
            name=request.POST.get("name", ""),
            visibility=_visibility(request, Visibility.TEAM),
        )
    except organise_service.BadName as problem:
        messages.error(request, str(problem))
        return redirect("library:collections", member.team.slug)
    return redirect(_address_of(made, member))


def _visible(member: Membership, pk: uuid.UUID) -> Collection:
    return get_object_or_404(Collection.objects.visible_to(member), pk=pk)


def _after(member: Membership, named: str) -> Collection | None:
    """The collection with which the page before ended."""
    if not named:
        return None
    try:
        return _visible(member, uuid.UUID(named))
    except ValueError as problem:
        raise Http404 from problem


def _visibility(request: HttpRequest, otherwise: str) -> Visibility:
    wanted = request.POST.get("visibility")
    return Visibility(wanted if wanted in Visibility.values else otherwise)


def _address_of(row: Collection, member: Membership) -> str:
    """The library with that collection in view; a collection that is somebody's alone may be gone."""
    if row.visibility == Visibility.PRIVATE and row.owner_id != member.pk:
        return reverse("library:collections", args=[member.team.slug])
    return f"{reverse('library:grid', args=[member.team.slug])}?{Search(collection=row.pk).address()}"
