"""Views of collections and saved searches: list, create, change, delete."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from generations.core.request_params import uuid_or_404
from generations.library.gallery import sidebar
from generations.library.models import Collection, SavedSearch
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may, member_required

MAX_FILTER_LENGTH = 200


@member_required()
@require_http_methods(["GET", "HEAD", "POST"])
def collections(request: HttpRequest, member: Membership) -> HttpResponse:
    """List the collections that the member can see, page by page; a POST creates one."""
    if request.method == "POST":
        return _create(request, member)
    named = request.GET.get("q", "").replace("\0", " ").strip()[:MAX_FILTER_LENGTH]
    after = _after(member, request.GET.get("before", ""))
    rows, last = sidebar.collection_page(member, name=named, after=after)
    context = {"member": member, "rows": rows, "last": last, "named": named, "side": sidebar.load(member)}
    return render(request, "library/organise/collections.html", context)


@member_required(may="organise")
@require_POST
def collection(request: HttpRequest, member: Membership, collection: uuid.UUID) -> HttpResponse:
    """Change a collection's name or visibility."""
    row = _visible(member, collection)
    name = request.POST.get("name", row.name)
    try:
        organise_service.update_collection(
            member=member, collection=row, name=name, visibility=_visibility(request, row.visibility)
        )
    except (organise_service.InvalidName, organise_service.NotOwner) as error:
        messages.error(request, str(error))
    return redirect(_url_of(row, member))


@member_required(may="organise")
@require_POST
def delete_collection(request: HttpRequest, member: Membership, collection: uuid.UUID) -> HttpResponse:
    """Delete a collection; its images stay."""
    row = _visible(member, collection)
    try:
        organise_service.delete_collection(member=member, collection=row)
    except organise_service.NotOwner as error:
        messages.error(request, str(error))
        return redirect(_url_of(row, member))
    messages.success(request, _("The collection “%(name)s” is gone; its pictures stay.") % {"name": row.name})
    return redirect("library:grid", member.team.slug)


@member_required(may="organise")
@require_POST
def save_search(request: HttpRequest, member: Membership) -> HttpResponse:
    """Save a search under a name, for the member or for the team."""
    search = Search.from_query(QueryDict(request.POST.get("search", "")))
    try:
        organise_service.save_search(
            member=member,
            name=request.POST.get("name", ""),
            search=search,
            visibility=_visibility(request, Visibility.PRIVATE),
        )
    except organise_service.InvalidName as error:
        messages.error(request, str(error))
    return redirect(reverse("library:grid", args=[member.team.slug]) + f"?{search.query_string()}")


@member_required(may="organise")
@require_POST
def forget_search(request: HttpRequest, member: Membership, saved: uuid.UUID) -> HttpResponse:
    """Delete a saved search."""
    row = get_object_or_404(SavedSearch.objects.visible_to(member), pk=saved)
    try:
        organise_service.delete_search(member=member, saved=row)
    except organise_service.NotOwner as error:
        messages.error(request, str(error))
    return redirect("library:grid", member.team.slug)


def _create(request: HttpRequest, member: Membership) -> HttpResponse:
    if not may(member, "organise"):
        messages.error(request, _("Your role in this team does not allow this."))
        return redirect("library:collections", member.team.slug)
    try:
        created = organise_service.create_collection(
            member=member,
            name=request.POST.get("name", ""),
            visibility=_visibility(request, Visibility.TEAM),
        )
    except organise_service.InvalidName as error:
        messages.error(request, str(error))
        return redirect("library:collections", member.team.slug)
    return redirect(_url_of(created, member))


def _visible(member: Membership, pk: uuid.UUID) -> Collection:
    return get_object_or_404(Collection.objects.visible_to(member), pk=pk)


def _after(member: Membership, text: str) -> Collection | None:
    """The collection with which the previous page ended."""
    return _visible(member, uuid_or_404(text)) if text else None


def _visibility(request: HttpRequest, default: str) -> Visibility:
    wanted = request.POST.get("visibility")
    return Visibility(wanted if wanted in Visibility.values else default)


def _url_of(row: Collection, member: Membership) -> str:
    """The library's page of the collection; the list, if the change took it out of the member's sight."""
    if row.visibility == Visibility.PRIVATE and row.owner_id != member.pk:
        return reverse("library:collections", args=[member.team.slug])
    return f"{reverse('library:grid', args=[member.team.slug])}?{Search(collection=row.pk).query_string()}"
