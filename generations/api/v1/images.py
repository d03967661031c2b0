"""Operations on images of the library, the trash and start images."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile
from ninja.responses import Status

from generations.api.v1 import pagination, serializers
from generations.api.v1.auth import (
    READ_OR_GENERATE,
    ApiRequest,
    library_editor,
    member_with_scope,
    readable_images,
    visible_image,
)
from generations.api.v1.error_format import ApiError, not_found
from generations.api.v1.errors import role_does_not_allow
from generations.api.v1.openapi import IMAGE_FILE, error_responses, responses
from generations.api.v1.schemas.base import Text
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
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import MASK
from generations.teams.models import Membership, Scope, Visibility

router = Router(tags=["Images"])

Role = Annotated[
    Text, Form("image", description="Role in which it will be sent: only for `mask` it makes a difference.")
]
Alpha = Annotated[
    Literal["edit", "draw"],
    Form(
        "draw",
        description="What transparency means in a mask: `edit`, only what is transparent changes, as in "
        "OpenAI's format; `draw`, white was drawn on a transparent layer.",
    ),
]
Size = Annotated[Literal["small", "large"], Query(description="`small` or `large`.")]


@router.get("/images", response=responses(200, ImagePage, 404, 422), summary="List images")
def list_images(
    request: ApiRequest,
    query: Query[ImageSearch],
    limit: pagination.Limit = 50,
    before: pagination.Before = None,
) -> dict[str, Any]:
    """List the images of the library that match the filters and that the member may see, newest first."""
    member = member_with_scope(request, Scope.READ)
    after = search_engine.cursor_at(member, before) if before else None
    search = Search.from_query(request.GET)
    found = search_engine.page(member, search, after=after, size=limit + 1, related=("owner__user",))
    return _page(request, member, found, limit)


@router.get("/trash", response=responses(200, ImagePage, 404, 422), summary="List the trash")
def list_trash(
    request: ApiRequest, limit: pagination.Limit = 50, before: pagination.Before = None
) -> dict[str, Any]:
    """List the images in the trash that the member may restore, newest first."""
    member = member_with_scope(request, Scope.READ)
    rows = images_service.in_trash(member)
    last = get_object_or_404(rows, pk=before) if before else None
    return _page(request, member, pagination.older(rows, last, limit), limit)


@router.get("/images/{uuid:pk}", response=responses(200, ImageOut, 404), summary="Get an image")
def get_image(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Return how an image was generated, with links to its files."""
    member = member_with_scope(request, *READ_OR_GENERATE)
    return serializers.image(member, visible_image(request, pk))


@router.get(
    "/images/{uuid:pk}/original",
    response=error_responses(404, 503),
    openapi_extra=IMAGE_FILE,
    summary="Get the original file",
)
def get_original(request: ApiRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Return the file exactly as the provider sent it. `ETag` is its SHA-256."""
    member_with_scope(request, *READ_OR_GENERATE)
    row = visible_image(request, pk)
    return delivery_responses.stream_object(request, row, name=delivery_responses.file_name(row))


@router.get(
    "/images/{uuid:pk}/download",
    response=error_responses(404, 422, 503),
    openapi_extra=IMAGE_FILE,
    summary="Download an image",
)
def download(request: ApiRequest, pk: uuid.UUID, query: Query[FileWanted]) -> HttpResponseBase:
    """Return the image with its prompt and parameters as metadata, or in another format."""
    member_with_scope(request, *READ_OR_GENERATE)
    row = visible_image(request, pk)
    return delivery_responses.download(row, OutputFormat(query.format, with_parameters=query.parameters))


@router.get(
    "/images/{uuid:pk}/thumbnail",
    response=error_responses(404, 422, 503),
    openapi_extra=IMAGE_FILE,
    summary="Get a thumbnail",
)
def get_thumbnail(request: ApiRequest, pk: uuid.UUID, size: Size = "small") -> HttpResponse:
    """Return a WebP that is 400 pixels wide, or 800 if `size` is `large`."""
    member_with_scope(request, *READ_OR_GENERATE)
    row = visible_image(request, pk)
    return delivery_responses.thumbnail(thumbnails.get_or_make(row, size))


@router.patch(
    "/images/{uuid:pk}", response=responses(200, ImageOut, 400, 404, 422), summary="Change an image"
)
def change_image(request: ApiRequest, pk: uuid.UUID, payload: ImageChange) -> dict[str, Any]:
    """Change the title of an image, or who sees it."""
    member = library_editor(request)
    row = visible_image(request, pk)
    if payload.title is not None and not images_service.set_title(
        member=member, image=pk, title=payload.title
    ):
        raise role_does_not_allow()
    if payload.visibility and payload.visibility != row.visibility:
        who = Visibility(payload.visibility)
        if not images_service.set_visibility(member=member, images=[pk], visibility=who):
            raise role_does_not_allow()
    return serializers.image(member, visible_image(request, pk))


@router.delete("/images/{uuid:pk}", response=responses(204, None, 404), summary="Move an image to the trash")
def trash_image(request: ApiRequest, pk: uuid.UUID) -> HttpResponse:
    """Move an image to the trash, from which it can be restored."""
    member = library_editor(request)
    visible_image(request, pk)
    if not images_service.trash(member=member, images=[pk]):
        raise role_does_not_allow()
    return HttpResponse(status=204)


@router.post("/images/{uuid:pk}/restore", response=responses(200, ImageOut, 404), summary="Restore an image")
def restore_image(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Move an image from the trash back to the library."""
    member = library_editor(request)
    readable = readable_images(request, images_service.in_trash(member)).filter(pk=pk).exists()
    if not readable or not images_service.restore(member=member, images=[pk]):
        raise not_found()
    return serializers.image(member, visible_image(request, pk))


@router.post(
    "/images/{uuid:pk}/upload",
    response=responses(201, UploadOut, 404, 422, 503),
    summary="Use an image as an input",
)
def use_as_start_image(request: ApiRequest, pk: uuid.UUID) -> Status[Upload]:
    """Create an upload from an image of the library. Send its id in `inputs`, or as `start_image`."""
    member = library_editor(request, "upload")
    return Status(201, input_images.from_image(member=member, image=visible_image(request, pk)))


@router.post(
    "/uploads", response=responses(201, UploadOut, 400, 413, 422, 503), summary="Upload an input image"
)
def upload_start_image(
    request: ApiRequest,
    image: File[UploadedFile],
    role: Role = "image",
    alpha: Alpha = "draw",
) -> Status[Upload]:
    """Upload a JPEG, PNG or WebP of at most 10 MB. Send its id in `inputs`, or as `start_image`.

    A mask is a PNG or WebP as large as its image, and white where the image shall change.
    """
    member = library_editor(request, "upload")
    if role not in catalogue_registry.roles():
        raise ApiError(422, "invalid", _("No model has inputs in this role."), "role")
    name = image.name or ""
    if role == MASK:
        edits = alpha == "edit"
        row = input_images.save_mask(member=member, file=image, name=name, transparent_is_white=edits)
    else:
        row = input_images.save_upload(member=member, file=image, name=name)
    return Status(201, row)


def _page(request: ApiRequest, member: Membership, found: list[Image], limit: int) -> dict[str, Any]:
    return pagination.keyset_page(request, found, limit, lambda rows: serializers.images(member, rows))
