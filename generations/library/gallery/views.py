"""The library's page, and what it asks for while it is open: the next pictures, numbers, news, tags."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from generations.library.gallery import counts as gallery_counts
from generations.library.gallery import filters as gallery_filters
from generations.library.gallery import sidebar
from generations.library.models import Collection, Favourite, Image
from generations.library.organise import service as organise_service
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.permissions import member_required

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from generations.teams.models import Membership

PAGE = 60
MOST_NEW = 99


@member_required()
@require_safe
def grid(request: HttpRequest, member: Membership) -> HttpResponse:
    """What a search finds, in its order and by day; `?before=` an image shows what follows it."""
    search = Search.read(request.GET)
    context = {"member": member, "search": search, **_pictures(request, member, search)}
    if getattr(request, "htmx", False):
        response = render(request, "library/gallery/pictures.html", context)
    else:
        response = render(request, "library/gallery/page.html", context | _around(member, search))
    patch_vary_headers(response, ["HX-Request"])
    return response


@member_required()
@require_safe
def counts(request: HttpRequest, member: Membership) -> HttpResponse:
    """The numbers beside the names of the page, which comes without them so that it comes at once."""
    search = Search.read(request.GET)
    shown = sidebar.beside(member)
    visible = Collection.objects.filter(pk__in=[one.pk for one in shown.collections])
    context = {
        "member": member,
        "search": search,
        "numbers": gallery_counts.of_the_page(member, search),
        "sizes": gallery_counts.with_sizes(member, visible, 2 * sidebar.SHOWN),
        "beside_only": "beside" in request.GET,  # a page without pictures asks for the side's alone
        "saved": list(gallery_counts.of_saved(member, shown.saved)),
    }
    return render(request, "library/gallery/counts.html", context)


@member_required()
@require_safe
def newer(request: HttpRequest, member: Membership) -> JsonResponse:
    """How many pictures of a search came after the first one of a page (`?first=`), at most 99."""
    search = Search.read(request.GET)
    first = _landmark(member, request.GET.get("first"))
    found = search_engine.Found(member, search, after=first, older=False)
    return JsonResponse({"count": len(found.first(MOST_NEW))})


@member_required()
@require_safe
def tags(request: HttpRequest, member: Membership) -> JsonResponse:
    """The team's tags that begin like `?q=`, the most used first."""
    found = organise_service.tags_beginning(member, request.GET.get("q", "")[:200])
    return JsonResponse({"tags": [{"name": tag.name, "uses": tag.uses} for tag in found]})  # type: ignore[attr-defined]


def _pictures(request: HttpRequest, member: Membership, search: Search) -> dict[str, Any]:
    """A page of pictures, by day."""
    before = _landmark(member, request.GET.get("before"))
    images = search_engine.page(member, search, after=before, size=PAGE + 1)
    zone = ZoneInfo(member.team.time_zone)
    shown = images[:PAGE]
    liked = Favourite.objects.filter(member=member, image__in=[image.pk for image in shown])
    return {
        "days": by_day(shown, zone),
        "liked": set(liked.values_list("image", flat=True)),
        "older": images[PAGE - 1].pk if len(images) > PAGE else None,
        "first": shown[0].pk if shown and not before else None,
        # The page before ended within this day: its heading stands already.
        "day_begun": before.created_at.astimezone(zone).date() if before else None,
        "today": timezone.now().astimezone(zone).date(),
    }


@dataclass(frozen=True)
class Here:
    """Which of the library's own names the page is under."""

    everything: bool
    favourites: bool
    mine: bool


def _around(member: Membership, search: Search) -> dict[str, Any]:
    """All that stands around the pictures."""
    side = sidebar.beside(member)
    today = timezone.now().astimezone(ZoneInfo(member.team.time_zone)).date()
    filters = gallery_filters.chips(member, search, side.collections, today)
    plain = search.but(oldest=False)
    liked, mine = Search(liked=True), Search(who=(member.pk,))
    return {
        "side": side,
        "chips": filters,
        "chosen_chips": [chip for chip in filters.values() if chip.chosen],
        "fields": gallery_filters.rest(search.but(q="")),
        "here": Here(plain == Search(), plain == liked, plain == mine),
        "addresses": {
            "favourites": liked.address(),
            "mine": mine.address(),
            "liked": search.but(liked=not search.liked).address(),
            "newest": search.but(oldest=False).address(),
            "oldest": search.but(oldest=True).address(),
            "words_alone": Search(q=search.q).address(),
        },
        "has_filters": not search.but(q="").is_everything,
        "collection": _collection(member, search),
        "is_collection_alone": plain == Search(collection=search.collection),
    }


def _collection(member: Membership, search: Search) -> Collection | None:
    """The collection that the page shows; the search itself has seen to it that it may be seen."""
    if search.collection is None:
        return None
    return Collection.objects.visible_to(member).select_related("owner__user").get(pk=search.collection)


def by_day(images: Iterable[Image], zone: ZoneInfo) -> list[tuple[date, list[Image]]]:
    """Images as they stand, grouped by the day on which they were made where the team is."""
    days = groupby(images, lambda image: image.created_at.astimezone(zone).date())
    return [(day, list(made)) for day, made in days]


def _landmark(member: Membership, named: str | None) -> search_engine.Landmark | None:
    """The image that an address names."""
    if not named:
        return None
    try:
        return search_engine.landmark(member, uuid.UUID(named))
    except ValueError as problem:
        raise Http404 from problem
