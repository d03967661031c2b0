"""Operations on generations and batches."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api.idempotency import StoredResponse
from generations.api.v1 import idempotent_post, orders, pagination, serializers
from generations.api.v1.auth import (
    READ_OR_GENERATE,
    ApiRequest,
    member_with_scope,
    readable_batches,
    readable_generations,
)
from generations.api.v1.error_format import ApiError
from generations.api.v1.openapi import IDEMPOTENCY_KEY, responses
from generations.api.v1.orders import Order
from generations.api.v1.schemas.generations import (
    BatchOut,
    GenerationIn,
    GenerationOut,
    GenerationPage,
    GenerationRequest,
    Status,
)
from generations.jobs import retries, submission
from generations.jobs.models import Generation
from generations.teams.models import Scope

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
    member_with_scope(request, Scope.GENERATE)
    return orders.place(request, lambda: _order(payload))


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
        row = retries.retry(member=member, generation=pk, token=request.auth.token)
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


def _order(payload: GenerationIn) -> Order:
    values = payload.model_dump(exclude_none=True)
    return Order(
        model=payload.model,
        parameters={name: value for name, value in values.items() if name not in OTHER_FIELDS},
        count=payload.count,
        visibility=payload.visibility or "",
        inputs=payload.inputs or {},
        start_image=payload.start_image,
        parent=payload.parent,
        action=payload.action or "",
    )


def _generation(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    row = get_object_or_404(readable_generations(request), pk=pk)
    return serializers.generation(row, serializers.related(request.auth.member, [row]))


def _batch(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    found = readable_batches(request).prefetch_related(serializers.with_generations())
    row = get_object_or_404(found, pk=pk)
    rows = row.generations.all()
    return serializers.batch(row, rows, serializers.related(request.auth.member, rows))
