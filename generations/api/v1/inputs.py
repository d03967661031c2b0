"""Images that go with a request: ids of uploads, or of images of the library, by role."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from generations.api.v1.auth import ApiRequest, readable_images
from generations.api.v1.error_format import ApiError
from generations.jobs import inputs as job_inputs
from generations.jobs.inputs import NewInput
from generations.library.images import service as images_service
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership


@dataclass(frozen=True)
class RequestedInput:
    """An upload, or an image of the library that will be copied to one, for one role."""

    role: str
    row: Upload | Image


def find(
    request: ApiRequest, inputs: Mapping[str, Sequence[uuid.UUID]], start_image: uuid.UUID | None
) -> list[RequestedInput]:
    """Return what the ids of a request stand for; `start_image` is one for the role `image`.

    Raises ApiError: 404 for an id that the token may not use, 422 if `image` is there twice.
    """
    wanted = {pk for ids in inputs.values() for pk in ids} | ({start_image} if start_image else set())
    if not wanted:
        return []
    member = request.auth.member
    rows: dict[uuid.UUID, Upload | Image] = {**Upload.objects.filter(owner=member).in_bulk(wanted)}
    rows |= readable_images(request, images_service.visible(member)).in_bulk(wanted - rows.keys())
    if start_image and inputs.get(IMAGE):
        text = _("Send the image either as `start_image` or in `inputs`.")
        raise ApiError(422, "invalid", text, "start_image")
    if start_image and start_image not in rows:
        raise ApiError(404, "not_found", _("This start image does not exist."), "start_image")
    for role, ids in inputs.items():
        if not rows.keys() >= set(ids):
            raise ApiError(404, "not_found", _("There is no upload and no image with this id."), role[:60])
    found = [RequestedInput(role, rows[pk]) for role, ids in inputs.items() for pk in ids]
    return [RequestedInput(IMAGE, rows[start_image]), *found] if start_image else found


def check(model: str, parameters: Mapping[str, Any], inputs: Sequence[RequestedInput]) -> None:
    """Check everything that can be checked before an image is copied. InvalidParameters, UnknownModel."""
    declared = catalogue_registry.get(model)
    counts = Counter(each.role for each in inputs)
    catalogue_registry.validate(declared, parameters, roles=counts.keys())
    job_inputs.check_counts(declared, counts)


def uploads(member: Membership, inputs: Sequence[RequestedInput]) -> list[NewInput]:
    """Return the uploads for a request; an image of the library is copied.

    Raises InvalidParameters for an image that is none, StorageUnavailable, DecodingBusy.
    """
    return [_new_input(member, each.role, each.row) for each in inputs]


def _new_input(member: Membership, role: str, row: Upload | Image) -> NewInput:
    if isinstance(row, Upload):
        return NewInput(role, row)
    try:
        return NewInput(role, _copied(member, role, row), row.pk)
    except input_images.BadUpload as problem:
        raise InvalidParameters({role: str(problem)}) from None


def _copied(member: Membership, role: str, image: Image) -> Upload:
    if role != MASK:
        return input_images.from_image(member=member, image=image)
    file = io.BytesIO(storage_client.read(image.key))
    return input_images.save_mask(member=member, file=file, name=f"{image.pk}.png")
