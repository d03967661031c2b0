"""Operations on tags, favourites and collections."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from ninja.responses import Status

from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import ApiRequest, library_editor, member_with_scope, visible_image
from generations.api.v1.openapi import responses
from generations.api.v1.schemas.base import Text
from generations.api.v1.schemas.library import CollectionIn, CollectionOut, ImageOut, TagIn, TagOut
from generations.library.models import Collection, Tag
from generations.library.organise import service as organise_service
from generations.teams.models import Membership, Scope, Visibility

router = Router(tags=["Tags and collections"])

BEGINNING = Query("", description="Only tags that begin with this text.")  # type: ignore[type-arg]  # to mypy a type
TagName = Annotated[Text, Query(description="Name of the tag.")]


@router.get("/tags", response=responses(200, list[TagOut], 422), summary="List tags")
def list_tags(
    request: ApiRequest,
    beginning: Text = BEGINNING,
    limit: pagination.Limit = 50,
) -> list[Tag]:
    """List the team's tags, the most used first."""
    return organise_service.complete_tag(member_with_scope(request, Scope.READ), beginning, limit)


@router.post("/images/{uuid:pk}/tags", response=responses(200, ImageOut, 400, 404, 422), summary="Add a tag")
def add_tag(request: ApiRequest, pk: uuid.UUID, payload: TagIn) -> dict[str, Any]:
    """Add a tag to an image. A tag that does not exist is created."""
    member = library_editor(request)
    visible_image(request, pk)
    organise_service.tag(member=member, images=[pk], name=payload.name)
    return serializers.image(member, visible_image(request, pk))


@router.delete("/images/{uuid:pk}/tags", response=responses(200, ImageOut, 404, 422), summary="Remove a tag")
def remove_tag(request: ApiRequest, pk: uuid.UUID, name: TagName) -> dict[str, Any]:
    """Remove a tag from an image. Removing a tag that it does not have has no effect."""
    member = library_editor(request)
    visible_image(request, pk)
    organise_service.untag(member=member, images=[pk], name=name)
    return serializers.image(member, visible_image(request, pk))


@router.put("/images/{uuid:pk}/favourite", response=responses(204, None, 404), summary="Add a favourite")
def add_favourite(request: ApiRequest, pk: uuid.UUID) -> HttpResponse:
    """Add an image to the member's favourites."""
    member = library_editor(request)
    organise_service.like(member=member, images=[visible_image(request, pk).pk])
    return HttpResponse(status=204)


@router.delete(
    "/images/{uuid:pk}/favourite", response=responses(204, None, 404), summary="Remove a favourite"
)
def remove_favourite(request: ApiRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove an image from the member's favourites."""
    member = library_editor(request)
    organise_service.unlike(member=member, images=[visible_image(request, pk).pk])
    return HttpResponse(status=204)


@router.get("/collections", response=responses(200, list[CollectionOut]), summary="List collections")
def list_collections(request: ApiRequest) -> list[dict[str, Any]]:
    """List the team's and the member's own collections, the last changed first, at most 500."""
    found = _collections(member_with_scope(request, Scope.READ)).order_by("-changed_at", "-pk")[:500]
    return [serializers.collection(row) for row in found]


@router.post("/collections", response=responses(201, CollectionOut, 400, 422), summary="Create a collection")
def create_collection(request: ApiRequest, payload: CollectionIn) -> Status[Any]:
    """Create an empty collection."""
    member = library_editor(request)
    visibility = Visibility(payload.visibility)
    row = organise_service.create_collection(member=member, name=payload.name, visibility=visibility)
    return Status(201, serializers.collection(row))


@router.get("/collections/{uuid:pk}", response=responses(200, CollectionOut, 404), summary="Get a collection")
def get_collection(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Return a collection. `links.images` lists its images."""
    return serializers.collection(_collection(member_with_scope(request, Scope.READ), pk))


@router.put(
    "/collections/{uuid:pk}",
    response=responses(200, CollectionOut, 400, 404, 422),
    summary="Change a collection",
)
def change_collection(request: ApiRequest, pk: uuid.UUID, payload: CollectionIn) -> dict[str, Any]:
    """Change the name of a collection, and who sees it."""
    member = library_editor(request)
    row = _collection(member, pk)
    visibility = Visibility(payload.visibility)
    organise_service.update_collection(
        member=member, collection=row, name=payload.name, visibility=visibility
    )
    return serializers.collection(row)


@router.delete("/collections/{uuid:pk}", response=responses(204, None, 404), summary="Delete a collection")
def delete_collection(request: ApiRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a collection. Its images stay in the library."""
    member = library_editor(request)
    organise_service.delete_collection(member=member, collection=_collection(member, pk))
    return HttpResponse(status=204)


@router.put(
    "/collections/{uuid:pk}/images/{uuid:image}",
    response=responses(204, None, 404),
    summary="Add an image to a collection",
)
def add_to_collection(request: ApiRequest, pk: uuid.UUID, image: uuid.UUID) -> HttpResponse:
    """Add an image to a collection. Adding it again has no effect."""
    member = library_editor(request)
    organise_service.add_to_collection(
        member=member, images=[visible_image(request, image).pk], collection=pk
    )
    return HttpResponse(status=204)


@router.delete(
    "/collections/{uuid:pk}/images/{uuid:image}",
    response=responses(204, None, 404),
    summary="Remove an image from a collection",
)
def remove_from_collection(request: ApiRequest, pk: uuid.UUID, image: uuid.UUID) -> HttpResponse:
    """Remove an image from a collection. It stays in the library."""
    member = library_editor(request)
    organise_service.remove_from_collection(
        member=member, images=[visible_image(request, image).pk], collection=pk
    )
    return HttpResponse(status=204)


def _collections(member: Membership) -> Any:
    return Collection.objects.visible_to(member).select_related("owner__user")


def _collection(member: Membership, pk: uuid.UUID) -> Collection:
    found: Collection = get_object_or_404(_collections(member), pk=pk)
    return found
