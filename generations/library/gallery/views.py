"""The library's page, and what it requests while open: further images, counts, new images, tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from generations.core.request_params import uuid_or_404
from generations.library.bulk import actions as bulk_actions
from generations.library.gallery import counts as gallery_counts
from generations.library.gallery import sidebar, suggestions
from generations.library.models import Collection, Favourite, Image, ImageKind
from generations.library.organise import service as organise_service
from generations.library.search import address as search_address
from generations.library.search import engine as search_engine
from generations.library.search import explanation as search_explanation
from generations.library.search.filters import Choice, Page
from generations.library.search.query import Search
from generations.teams.models import Membership
from generations.teams.permissions import member_required

PAGE_SIZE = 60
FIRST_SIZE = 40  # images of a whole page; scripts load the next ones at once, below them
AHEAD = 30  # images before the one at which a page begins
MAX_NEW = 99


@dataclass(frozen=True)
class Chip:
    """A filter on the page. `kind` decides how a template shows it."""

    kind: str
    name: str  # the query parameter
    title: str
    choices: list[Choice]
    chosen: str  # in words; "" if the filter is not in use
    without: str  # query string of the search without the filter
    other_parameters: list[tuple[str, str]]  # of that search, for hidden fields of a form


@member_required()
@require_safe
def grid(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show the images of a search, by day.

    `?before=` an image shows those that follow it, `?after=` those that precede it, and `?at=` that image
    itself with some before it.
    """
    search, unreadable = search_address.read(member, request.GET)
    context = {"member": member, "search": search, **_images(request, member, search)}
    if getattr(request, "htmx", False):
        response = render(request, "library/gallery/pictures.html", context)
    else:
        if not context["first"]:  # the page begins further down: new images are counted from the newest one
            context["first"] = next((image.pk for image in search_engine.page(member, search, size=1)), None)
        context |= {"unreadable": unreadable, **_surroundings(member, search)}
        response = render(request, "library/gallery/page.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_required()
@require_safe
def counts(request: HttpRequest, member: Membership) -> HttpResponse:
    """The page's counts, loaded after it because counting is slow; with `?lists` the sidebar's lists too."""
    search, _unreadable = search_address.read(member, request.GET)
    numbers = gallery_counts.page_counts(member, search)
    context = {
        "member": member,
        "search": search,
        "numbers": numbers,
        "explanation": search_explanation.explain(search, numbers.found_number, numbers.found),
        "side": sidebar.with_sizes(member, sidebar.load(member)),
        "sidebar_only": "beside" in request.GET,  # for pages without images
        "lists": "lists" in request.GET,  # after a change: collections may be new, or gone
    }
    return render(request, "library/gallery/counts.html", context)


@member_required()
@require_safe
def newer(request: HttpRequest, member: Membership) -> JsonResponse:
    """How many images of a search are newer than the first one of the page (`?first=`), at most 99."""
    search, _unreadable = search_address.read(member, request.GET)
    first = _cursor(member, request.GET.get("first"))
    found = search_engine.Results(member, search, after=first, older=False)
    return JsonResponse({"count": len(found.ids(MAX_NEW))})


@member_required()
@require_safe
def tags(request: HttpRequest, member: Membership) -> JsonResponse:
    """Complete a tag: the team's tags that start with `?q=`, the most used first, and how often, in words."""
    text, most = request.GET.get("q", "")[:200], gallery_counts.MAX_SIDEBAR_COUNT
    found: list[Any] = organise_service.complete_tag(member, text, counted=most)
    uses = [gallery_counts.format_count(tag.uses, most) for tag in found]
    named = [{"name": tag.name, "uses": number} for tag, number in zip(found, uses, strict=True)]
    return JsonResponse({"tags": named})


@member_required()
@require_safe
def suggest(request: HttpRequest, member: Membership) -> JsonResponse:
    """Complete the text of a search (`?q=`, with its other filters): filters in place of its last words."""
    search, _unreadable = search_address.read(member, request.GET)
    labels = {each.name: each.metadata["filter"].label for each in fields(Search)}
    grid_url = reverse("library:grid", args=[member.team.slug])
    found = [
        {"kind": str(labels[each.kind]), "title": each.title, "address": f"{grid_url}?{each.query_string}"}
        for each in suggestions.suggest(member, search)
    ]
    return JsonResponse({"suggestions": found})


@member_required(may="upload")
@require_safe
def picker(request: HttpRequest, member: Membership) -> HttpResponse:
    """A dialog to choose an image for a request (`?role=`); with `?part` the images of a search alone.

    A script opens it, and takes the id of the image that was chosen.
    """
    search, _unreadable = search_address.read(member, request.GET)
    before = _cursor(member, request.GET.get("before"))
    images = search_engine.page(member, search, after=before, size=PAGE_SIZE + 1)
    context = {
        "member": member,
        "search": search,
        "role": request.GET.get("role", "")[:40],
        "images": [image for image in images[:PAGE_SIZE] if image.kind == ImageKind.IMAGE],
        "older": images[PAGE_SIZE - 1].pk if len(images) > PAGE_SIZE else None,
        "is_continued": before is not None,
    }
    template = "picker_images" if "part" in request.GET else "picker"
    return render(request, f"library/gallery/{template}.html", context)


def _images(request: HttpRequest, member: Membership, search: Search) -> dict[str, Any]:
    """One page of images, by day."""
    part = _part(request, member, search)
    zone = member.tzinfo
    liked = Favourite.objects.filter(member=member, image__in=[image.pk for image in part.images])
    begins = part.before is None and not part.has_earlier
    return {
        "days": by_day(part.images, zone),
        "liked": set(liked.values_list("image", flat=True)),
        "older": part.images[-1].pk if part.has_more else None,
        "earlier": part.images[0].pk if part.has_earlier else None,
        "first": part.images[0].pk if part.images and begins else None,
        # The previous page ended within this day and has its heading.
        "day_begun": part.before.created_at.astimezone(zone).date() if part.before else None,
        "today": timezone.now().astimezone(zone).date(),
    }


@dataclass(frozen=True)
class Part:
    """Images in the page's order, whether there are more on either side, and where the page before ended."""

    images: list[Image]
    has_more: bool
    has_earlier: bool
    before: search_engine.Cursor | None = None


def _part(request: HttpRequest, member: Membership, search: Search) -> Part:
    """The images that the request asks for: around an image, else after or before one, else the first."""
    after, at = _cursor(member, request.GET.get("after")), _cursor_or_none(member, request.GET.get("at"))
    most = PAGE_SIZE if getattr(request, "htmx", False) else FIRST_SIZE
    if at:
        ahead = search_engine.page(member, search, after=at, size=AHEAD + 1, backwards=True)
        start = _cursor_of(ahead[AHEAD]) if len(ahead) > AHEAD else None
        size = len(ahead[:AHEAD]) + most
        images = search_engine.page(member, search, after=start, size=size + 1)
        return Part(images[:size], has_more=len(images) > size, has_earlier=start is not None)
    if after:
        images = search_engine.page(member, search, after=after, size=most + 1, backwards=True)
        return Part(images[:most][::-1], has_more=False, has_earlier=len(images) > most)
    before = _cursor(member, request.GET.get("before"))
    images = search_engine.page(member, search, after=before, size=most + 1)
    return Part(images[:most], len(images) > most, has_earlier=False, before=before)


@dataclass(frozen=True)
class CurrentEntry:
    """Which of the library's own sidebar entries the page shows, if any."""

    everything: bool
    favourites: bool
    mine: bool


def _surroundings(member: Membership, search: Search) -> dict[str, Any]:
    """Sidebar, search form, filters and selection bar."""
    side = sidebar.load(member)
    today = timezone.now().astimezone(member.tzinfo).date()
    filters = _chips(member, search, side.collections, today)
    unordered = search.without("oldest")
    liked, mine = Search(liked=True), Search(who=(member.pk,))
    return {
        "side": side,
        "chips": filters,
        "chosen_chips": [chip for chip in filters.values() if chip.chosen],
        "explanation": search_explanation.explain(search),
        "fields": search.without("q").parameters(),
        "current": CurrentEntry(unordered == Search(), unordered == liked, unordered == mine),
        "addresses": {
            "favourites": liked.query_string(),
            "mine": mine.query_string(),
            "liked": search.replace(liked=not search.liked).query_string(),
            "newest": search.replace(oldest=False).query_string(),
            "oldest": search.replace(oldest=True).query_string(),
            "text_only": Search(q=search.q).query_string(),
        },
        "has_filters": not search.without("q").is_everything,
        "collection": _collection(member, search),
        "menu_actions": bulk_actions.menu(member),
        "any_image": UUID(int=0),  # scripts put that of an image in its place in addresses
        "is_collection_alone": unordered == Search(collection=search.collection),
    }


def _collection(member: Membership, search: Search) -> Collection | None:
    """The collection that the page shows; the search has checked that the member may see it."""
    if search.collection is None:
        return None
    return Collection.objects.visible_to(member).select_related("owner__user").get(pk=search.collection)


def by_day(images: Iterable[Image], zone: ZoneInfo) -> list[tuple[date, list[Image]]]:
    """Group images, in their order, by the day of their creation in the time zone."""
    days = groupby(images, lambda image: image.created_at.astimezone(zone).date())
    return [(day, list(made)) for day, made in days]


def _cursor(member: Membership, image: str | None) -> search_engine.Cursor | None:
    """The cursor at the image that a parameter names."""
    return search_engine.cursor_at(member, uuid_or_404(image)) if image else None


def _cursor_or_none(member: Membership, image: str | None) -> search_engine.Cursor | None:
    """The same; None for an image that is gone."""
    try:
        return _cursor(member, image)
    except Http404:
        return None


def _cursor_of(image: Image) -> search_engine.Cursor:
    return search_engine.Cursor(image.created_at, image.pk)


def _chips(member: Membership, search: Search, collections: list[Collection], today: date) -> dict[str, Chip]:
    """Return the chips by query parameter. `today` is in the member's time zone."""
    page = Page(member, search, today, collections)
    made = {}
    for declared, value in search.filters():
        if declared.chip:
            choices = declared.choices(page, value)
            without = search.without(*declared.fields)
            made[declared.parameter] = Chip(
                kind=declared.chip,
                name=declared.parameter,
                title=str(declared.label),
                choices=choices,
                chosen=declared.summary(page, value, choices),
                without=without.query_string(),
                other_parameters=without.parameters(),
            )
    return made
