"""The pictures of the library: found, fetched, changed, thrown away and brought back; and start images."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Query, Router
from ninja.files import UploadedFile
from ninja.responses import Status as Created

from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import EITHER, Asked, maker, member_for, seen
from generations.api.v1.errors import not_found, not_yours
from generations.api.v1.responses import PICTURE, answers, refusals
from generations.api.v1.schemas.library import (
    FileWanted,
    ImageChange,
    ImageOut,
    ImagePage,
    ImageSearch,
    UploadOut,
)
from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import thumbnails
from generations.library.images import service as images_service
from generations.library.imaging.convert import OutputFormat
from generations.library.models import Image, Upload
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.library.uploads import start_images
from generations.teams.models import Membership, Scope, Visibility

router = Router(tags=["Images"])


@router.get("/images", response=answers(200, ImagePage, 404, 422), summary="Find pictures")
def listed(
    request: Asked, wanted: Query[ImageSearch], limit: pagination.Limit = 50, before: pagination.Before = None
) -> dict[str, Any]:
    """What the member may see of the library, by the same search as on its page."""
    member = member_for(request, Scope.READ)
    after = search_engine.cursor_at(member, before) if before else None
    found = search_engine.page(member, Search.from_query(request.GET), after=after, size=limit + 1)
    return _page(request, member, found, limit)


@router.get("/trash", response=answers(200, ImagePage, 404, 422), summary="What was thrown away")
def trashed(request: Asked, limit: pagination.Limit = 50, before: pagination.Before = None) -> dict[str, Any]:
    """What the member may bring back, the newest picture first."""
    member = member_for(request, Scope.READ)
    rows = images_service.in_trash(member)
    last = get_object_or_404(rows, pk=before) if before else None
    return _page(request, member, pagination.older(rows, last, limit), limit)


@router.get("/images/{uuid:pk}", response=answers(200, ImageOut, 404), summary="One picture")
def one(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """How it was made, and where its bytes are."""
    member = member_for(request, *EITHER)
    return serializers.image(member, seen(member, pk))


@router.get(
    "/images/{uuid:pk}/original",
    response=refusals(404, 503),
    openapi_extra=PICTURE,
    summary="The picture as the provider sent it",
)
def original(request: Asked, pk: uuid.UUID) -> HttpResponseBase:
    """Its bytes; `ETag` is its SHA-256."""
    row = seen(member_for(request, *EITHER), pk)
    return delivery_responses.stream_object(request, row, name=delivery_responses.file_name(row))


@router.get(
    "/images/{uuid:pk}/download",
    response=refusals(404, 422, 503),
    openapi_extra=PICTURE,
    summary="The picture with how it was made written into it",
)
def download(request: Asked, pk: uuid.UUID, wanted: Query[FileWanted]) -> HttpResponseBase:
    """Prompt and parameters stand in the file, as other programs read them; or in another format."""
    row = seen(member_for(request, *EITHER), pk)
    return delivery_responses.download(row, OutputFormat(wanted.format, with_parameters=wanted.parameters))


@router.get(
    "/images/{uuid:pk}/thumbnail",
    response=refusals(404, 422, 503),
    openapi_extra=PICTURE,
    summary="A small WebP",
)
def thumbnail(request: Asked, pk: uuid.UUID, size: Literal["small", "large"] = "small") -> HttpResponse:
    """400 or 800 pixels wide."""
    row = seen(member_for(request, *EITHER), pk)
    return delivery_responses.thumbnail(thumbnails.get_or_make(row, size))


@router.patch("/images/{uuid:pk}", response=answers(200, ImageOut, 400, 404, 422), summary="Change a picture")
def change(request: Asked, pk: uuid.UUID, payload: ImageChange) -> dict[str, Any]:
    """Its title, or who sees it: the team, or its owner alone."""
    member = maker(request)
    row = seen(member, pk)
    if payload.title is not None and not images_service.set_title(
        member=member, image=pk, title=payload.title
    ):
        raise not_yours()
    if payload.visibility and payload.visibility != row.visibility:
        who = Visibility(payload.visibility)
        if not images_service.set_visibility(member=member, images=[pk], visibility=who):
            raise not_yours()
    return serializers.image(member, seen(member, pk))


@router.delete("/images/{uuid:pk}", response=answers(204, None, 404), summary="Throw a picture away")
def trash(request: Asked, pk: uuid.UUID) -> HttpResponse:
    """It lies in the trash, and can be brought back."""
    member = maker(request)
    seen(member, pk)
    if not images_service.trash(member=member, images=[pk]):
        raise not_yours()
    return HttpResponse(status=204)


@router.post(
    "/images/{uuid:pk}/restore", response=answers(200, ImageOut, 404), summary="Bring a picture back"
)
def restore(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """From the trash."""
    member = maker(request)
    if not images_service.restore(member=member, images=[pk]):
        raise not_found()
    return serializers.image(member, seen(member, pk))


@router.post(
    "/images/{uuid:pk}/upload",
    response=answers(201, UploadOut, 404, 422, 503),
    summary="Take a picture as a start image",
)
def use_as_start(request: Asked, pk: uuid.UUID) -> Created[Upload]:
    """Its id goes into `start_image`."""
    member = maker(request, "upload")
    return Created(201, start_images.from_image(member=member, image=seen(member, pk)))


@router.post("/uploads", response=answers(201, UploadOut, 400, 413, 422, 503), summary="Bring a start image")
def upload(request: Asked, image: File[UploadedFile]) -> Created[Upload]:
    """A JPEG, PNG or WebP of at most 10 MB; its id goes into `start_image`."""
    member = maker(request, "upload")
    return Created(201, start_images.save_upload(member=member, file=image, name=image.name or ""))


def _page(request: Asked, member: Membership, found: list[Image], limit: int) -> dict[str, Any]:
    shown = found[:limit]
    return {
        "items": serializers.images(member, shown),
        "next": pagination.following(request, shown[-1].pk if len(found) > limit else None),
    }
