"""Orders of images: a batch for each Idempotency-Key, answered with the batch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from generations.api import idempotency
from generations.api.idempotency import Call, StoredResponse
from generations.api.v1 import idempotent_post, serializers
from generations.api.v1 import inputs as v1_inputs
from generations.api.v1.auth import ApiRequest, readable_images
from generations.api.v1.error_format import ApiError
from generations.jobs import submission
from generations.jobs.models import Batch, Generation
from generations.library.images import service as images_service
from generations.library.models import Image
from generations.teams.models import Membership


@dataclass(frozen=True)
class Order:
    """What is asked for; `inputs` are ids of uploads and images by role, `parent` is one of an image."""

    model: str
    parameters: Mapping[str, Any]
    count: int
    visibility: str
    inputs: Mapping[str, Sequence[uuid.UUID]] = field(default_factory=dict)
    start_image: uuid.UUID | None = None
    parent: uuid.UUID | None = None
    action: str = ""


def place(request: ApiRequest, order: Callable[[], Order]) -> HttpResponse:
    """Submit the order and return its batch; one that was placed with this key before is not looked at."""
    member = request.auth.member
    call = idempotent_post.begin(request, member)
    if call.response:
        _check_not_erased(member, call)
        return idempotent_post.respond(call.response)
    with idempotency.released_if_refused(call):
        batch = _submit(request, order(), call)
    return idempotent_post.respond(idempotency.finish(call, _accepted(member, batch)))


def _submit(request: ApiRequest, order: Order, call: Call) -> Batch:
    """Submit the batch; concurrent requests with the same key get the same batch."""
    token = request.auth.token
    parent = _parent(request, order.parent)
    inputs = v1_inputs.find(request, order.inputs, order.start_image)
    submission_id = call.submission if call.pk else None
    if not order.action:  # before an image is copied
        v1_inputs.check(order.model, order.parameters, inputs)
    if inputs and not order.action:
        submission.check(
            member=token.membership,
            model=order.model,
            parameters=order.parameters,
            roles={each.role for each in inputs},
            count=order.count,
            submission=submission_id,
            prices_at=None,
            token=token,
        )
    return submission.submit(
        member=token.membership,
        model=order.model,
        parameters=order.parameters,
        count=order.count,
        submission=submission_id,
        prices_at=None,
        inputs=v1_inputs.uploads(token.membership, inputs),
        parent=parent,
        action=order.action,
        visibility=order.visibility,
        token=token,
    )


def _parent(request: ApiRequest, pk: uuid.UUID | None) -> Image | None:
    """The image that the request continues; ApiError (404) if the token may not see it."""
    if pk is None:
        return None
    row = readable_images(request, images_service.visible(request.auth.member)).filter(pk=pk)
    if found := row.first():
        return found
    raise ApiError(404, "not_found", _("This image does not exist."), "parent")


def _check_not_erased(member: Membership, call: Call) -> None:
    """Raise Http404 for a batch that was erased with its last image: the stored response has its prompt."""
    if Batch.objects.filter(member=member, submission=call.submission, parameters={}).exists():
        raise Http404


def _accepted(member: Membership, batch: Batch) -> StoredResponse:
    if batch.created:
        rows, found = batch.created, serializers.of_new(batch)
    else:
        rows = list(Generation.objects.filter(batch=batch).order_by("position", "pk"))
        found = serializers.related(member, rows)
    document = serializers.batch(batch, rows, found)
    return StoredResponse(202, idempotent_post.to_json(document), {"Location": document["links"]["self"]})
