"""Operations on generations and batches."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api import idempotency
from generations.api.idempotency import Call, StoredResponse
from generations.api.v1 import idempotent_post, pagination, serializers
from generations.api.v1 import inputs as v1_inputs
from generations.api.v1.auth import (
    READ_OR_GENERATE,
    ApiRequest,
    member_with_scope,
    readable_batches,
    readable_generations,
    readable_images,
)
from generations.api.v1.errors import ApiError
from generations.api.v1.openapi import IDEMPOTENCY_KEY, responses
from generations.api.v1.schemas.generations import (
    BatchOut,
    GenerationIn,
    GenerationOut,
    GenerationPage,
    GenerationRequest,
    Status,
)
from generations.jobs import submission
from generations.jobs.models import Batch, Generation
from generations.library.images import service as images_service
from generations.library.models import Image
from generations.teams.models import Membership, Scope

router = Router(tags=["Generations"])
OTHER_FIELDS = set(GenerationRequest.model_fields)  # than those of the model


@router.post(
    "/generations",
    response=responses(202, BatchOut, 400, 402, 404, 409, 413, 422, 503),
    summary="Generate images",
    openapi_extra=IDEMPOTENCY_KEY,
)
def create_generations(request: ApiRequest, payload: GenerationIn) -> HttpResponse:
    """Queue a batch of images and return at once. Poll `Location` until `finished` is true.

    The price is put on hold, and an image is charged only when it has succeeded.
    """
    member = member_with_scope(request, Scope.GENERATE)
    call = idempotent_post.begin(request, member)
    if call.response:
        _check_not_erased(member, call)
        return idempotent_post.respond(call.response)
    with idempotency.released_if_refused(call):
        batch = _submit(request, payload, call)
    return idempotent_post.respond(idempotency.finish(call, _accepted(member, batch)))


@router.get("/generations", response=responses(200, GenerationPage, 404, 422), summary="List generations")
def list_generations(
    request: ApiRequest,
    limit: pagination.Limit = 50,
    before: pagination.Before = None,
    status: Annotated[Status | None, Query(description="Only generations with this status.")] = None,
    batch: Annotated[uuid.UUID | None, Query(description="Id of a batch.")] = None,
) -> dict[str, Any]:
    """List the member's generations, newest first."""
    member = member_with_scope(request, *READ_OR_GENERATE)
    rows = readable_generations(request)
    if status:
        rows = rows.filter(status=status)
    if batch:
        rows = rows.filter(batch=batch)
    last = get_object_or_404(readable_generations(request), pk=before) if before else None
    found = pagination.older(rows, last, limit)

    def serialize(shown: list[Generation]) -> list[dict[str, Any]]:
        found = serializers.related(member, shown)
        return [serializers.generation(row, found) for row in shown]

    return pagination.keyset_page(request, found, limit, serialize)


@router.get("/generations/{uuid:pk}", response=responses(200, GenerationOut, 404), summary="Get a generation")
def get_generation(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Return the status of a generation, and a link to its image once it has succeeded."""
    member_with_scope(request, *READ_OR_GENERATE)
    return _generation(request, pk)


@router.post(
    "/generations/{uuid:pk}/cancel",
    response=responses(200, GenerationOut, 404, 409),
    summary="Cancel a generation",
)
def cancel_generation(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Cancel a queued generation and release its hold. 409 if it has started."""
    member = member_with_scope(request, Scope.GENERATE)
    found = get_object_or_404(readable_generations(request), pk=pk)
    submission.cancel(member=member, generation=found.pk)
    document = _generation(request, pk)
    if document["status"] != "canceled":
        raise ApiError(409, "not_waiting", _("It has started, so it cannot be canceled."))
    return document


@router.post(
    "/generations/{uuid:pk}/retry",
    response=responses(202, GenerationOut, 402, 404, 409, 503),
    summary="Retry a generation",
)
def retry_generation(request: ApiRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue a failed, filtered or canceled generation again, in the same batch.

    Retrying it twice returns the same new generation. 409 if its price has risen.
    """
    member = member_with_scope(request, Scope.GENERATE)
    get_object_or_404(readable_generations(request), pk=pk)
    try:
        row = submission.retry(member=member, generation=pk, token=request.auth.token)
    except Generation.DoesNotExist:
        raise ApiError(
            409, "not_ended", _("Only a generation that ended without an image can be retried.")
        ) from None
    text = idempotent_post.to_json(_generation(request, row.pk))
    return idempotent_post.respond(
        StoredResponse(202, text, {"Location": f"{serializers.ROOT}/generations/{row.pk}"})
    )


@router.get("/batches/{uuid:pk}", response=responses(200, BatchOut, 404), summary="Get a batch")
def get_batch(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Return the generations of a batch, each with a link to its image once it has succeeded."""
    member_with_scope(request, *READ_OR_GENERATE)
    return _batch(request, pk)


@router.post("/batches/{uuid:pk}/cancel", response=responses(200, BatchOut, 404), summary="Cancel a batch")
def cancel_batch(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Cancel the queued generations of a batch; those that have started continue."""
    member = member_with_scope(request, Scope.GENERATE)
    found = get_object_or_404(readable_batches(request), pk=pk)
    for each in found.generations.order_by("virtual_start", "pk"):
        submission.cancel(member=member, generation=each.pk)
    return _batch(request, pk)


def _submit(request: ApiRequest, payload: GenerationIn, call: Call) -> Batch:
    """Submit the batch; concurrent requests with the same key get the same batch."""
    values = payload.model_dump(exclude_none=True)
    parameters = {name: value for name, value in values.items() if name not in OTHER_FIELDS}
    token = request.auth.token
    parent = _parent(request, payload)
    inputs = v1_inputs.find(request, payload.inputs or {}, payload.start_image)
    submission_id = call.submission if call.pk else None
    if not payload.action:  # before an image is copied
        v1_inputs.check(payload.model, parameters, inputs)
    if inputs and not payload.action:
        submission.check(
            member=token.membership,
            model=payload.model,
            parameters=parameters,
            roles={each.role for each in inputs},
            count=payload.count,
            submission=submission_id,
            prices_at=None,
            token=token,
        )
    return submission.submit(
        member=token.membership,
        model=payload.model,
        parameters=parameters,
        count=payload.count,
        submission=submission_id,
        prices_at=None,
        inputs=v1_inputs.uploads(token.membership, inputs),
        parent=parent,
        action=payload.action or "",
        visibility=payload.visibility or "",
        token=token,
    )


def _parent(request: ApiRequest, payload: GenerationIn) -> Image | None:
    """The image that the request continues; ApiError (404) if the token may not see it."""
    if payload.parent is None:
        return None
    row = readable_images(request, images_service.visible(request.auth.member)).filter(pk=payload.parent)
    if found := row.first():
        return found
    raise ApiError(404, "not_found", _("This image does not exist."), "parent")


def _check_not_erased(member: Membership, call: Call) -> None:
    """Raise Http404 for a batch that was erased with its last image: the stored response has its prompt."""
    if Batch.objects.filter(member=member, submission=call.submission, parameters={}).exists():
        raise Http404


def _accepted(member: Membership, batch: Batch) -> StoredResponse:
    rows = batch.created or list(Generation.objects.filter(batch=batch).order_by("position", "pk"))
    document = serializers.batch(batch, rows, serializers.related(member, rows))
    return StoredResponse(202, idempotent_post.to_json(document), {"Location": document["links"]["self"]})


def _generation(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    row = get_object_or_404(readable_generations(request), pk=pk)
    return serializers.generation(row, serializers.related(request.auth.member, [row]))


def _batch(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    found = readable_batches(request).prefetch_related(serializers.with_generations())
    row = get_object_or_404(found, pk=pk)
    rows = row.generations.all()
    return serializers.batch(row, rows, serializers.related(request.auth.member, rows))
