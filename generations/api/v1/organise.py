"""Tags, collections and favourites."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router
from ninja.responses import Status as Created

from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import Asked, maker, member_for, seen
from generations.api.v1.responses import answers
from generations.api.v1.schemas.library import CollectionIn, CollectionOut, ImageOut, TagIn, TagOut, Text
from generations.library.models import Collection, Tag
from generations.library.organise import service as organise_service
from generations.teams.models import Membership, Scope, Visibility

router = Router(tags=["Tags and collections"])


@router.get("/tags", response=answers(200, list[TagOut], 422), summary="The team's tags")
def tags(request: Asked, beginning: Text = "", limit: pagination.Limit = 50) -> list[Tag]:
    """The most used first."""
    return organise_service.complete_tag(member_for(request, Scope.READ), beginning, limit)


@router.post(
    "/images/{uuid:pk}/tags", response=answers(200, ImageOut, 400, 404, 422), summary="Tag a picture"
)
def tag(request: Asked, pk: uuid.UUID, payload: TagIn) -> dict[str, Any]:
    """A tag that is new is made."""
    member = maker(request)
    seen(member, pk)
    organise_service.tag(member=member, images=[pk], name=payload.name)
    return serializers.image(member, seen(member, pk))


@router.delete("/images/{uuid:pk}/tags", response=answers(200, ImageOut, 404, 422), summary="Take a tag off")
def untag(request: Asked, pk: uuid.UUID, name: Text) -> dict[str, Any]:
    """One that it does not carry is no mistake."""
    member = maker(request)
    seen(member, pk)
    organise_service.untag(member=member, images=[pk], name=name)
    return serializers.image(member, seen(member, pk))


@router.put("/images/{uuid:pk}/favourite", response=answers(204, None, 404), summary="Like a picture")
def like(request: Asked, pk: uuid.UUID) -> HttpResponse:
    """For yourself."""
    member = maker(request)
    organise_service.like(member=member, images=[seen(member, pk).pk])
    return HttpResponse(status=204)


@router.delete("/images/{uuid:pk}/favourite", response=answers(204, None, 404), summary="Like it no more")
def unlike(request: Asked, pk: uuid.UUID) -> HttpResponse:
    """For yourself."""
    member = maker(request)
    organise_service.unlike(member=member, images=[seen(member, pk).pk])
    return HttpResponse(status=204)


@router.get("/collections", response=answers(200, list[CollectionOut]), summary="Collections")
def collections(request: Asked) -> list[dict[str, Any]]:
    """The team's and your own, those used last first; 500 at most."""
    found = _collections(member_for(request, Scope.READ)).order_by("-changed_at", "-pk")[:500]
    return [serializers.collection(row) for row in found]


@router.post("/collections", response=answers(201, CollectionOut, 400, 422), summary="Make a collection")
def make(request: Asked, payload: CollectionIn) -> Created[Any]:
    """Empty at first."""
    member = maker(request)
    who = Visibility(payload.visibility)
    made = organise_service.create_collection(member=member, name=payload.name, visibility=who)
    return Created(201, serializers.collection(made))


@router.get("/collections/{uuid:pk}", response=answers(200, CollectionOut, 404), summary="One collection")
def one(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """Its pictures are listed at `links.images`."""
    return serializers.collection(_collection(member_for(request, Scope.READ), pk))


@router.put(
    "/collections/{uuid:pk}",
    response=answers(200, CollectionOut, 400, 404, 422),
    summary="Change a collection",
)
def change(request: Asked, pk: uuid.UUID, payload: CollectionIn) -> dict[str, Any]:
    """Its name, and who sees it."""
    member = maker(request)
    row = _collection(member, pk)
    who = Visibility(payload.visibility)
    organise_service.update_collection(member=member, collection=row, name=payload.name, visibility=who)
    return serializers.collection(row)


@router.delete("/collections/{uuid:pk}", response=answers(204, None, 404), summary="Forget a collection")
def forget(request: Asked, pk: uuid.UUID) -> HttpResponse:
    """Its pictures stay."""
    member = maker(request)
    organise_service.delete_collection(member=member, collection=_collection(member, pk))
    return HttpResponse(status=204)


@router.put(
    "/collections/{uuid:pk}/images/{uuid:image}",
    response=answers(204, None, 404),
    summary="Put a picture into a collection",
)
def collect(request: Asked, pk: uuid.UUID, image: uuid.UUID) -> HttpResponse:
    """Twice is once."""
    member = maker(request)
    organise_service.add_to_collection(member=member, images=[seen(member, image).pk], collection=pk)
    return HttpResponse(status=204)


@router.delete(
    "/collections/{uuid:pk}/images/{uuid:image}",
    response=answers(204, None, 404),
    summary="Take a picture out of a collection",
)
def take_out(request: Asked, pk: uuid.UUID, image: uuid.UUID) -> HttpResponse:
    """The picture stays."""
    member = maker(request)
    organise_service.remove_from_collection(member=member, images=[seen(member, image).pk], collection=pk)
    return HttpResponse(status=204)


def _collections(member: Membership) -> Any:
    return Collection.objects.visible_to(member).select_related("owner__user")


def _collection(member: Membership, pk: uuid.UUID) -> Collection:
    found: Collection = get_object_or_404(_collections(member), pk=pk)
    return found
