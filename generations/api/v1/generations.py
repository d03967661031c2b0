"""Asking for pictures, and what becomes of them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Router

from generations.api import idempotency
from generations.api.idempotency import Answer
from generations.api.v1 import idempotent, pagination, serializers
from generations.api.v1.auth import EITHER, Asked, member_for
from generations.api.v1.errors import Problem
from generations.api.v1.responses import KEY, answers
from generations.api.v1.schemas.library import BatchOut, GenerationIn, GenerationOut, GenerationPage, Status
from generations.jobs import submission
from generations.jobs.models import Batch, Generation
from generations.library.models import Upload
from generations.teams.models import Membership, Scope, Token

if TYPE_CHECKING:
    from generations.api.idempotency import Call

router = Router(tags=["Generations"])
NOT_PARAMETERS = {"model", "count", "start_image", "visibility"}


@router.post(
    "/generations",
    response=answers(202, BatchOut, 400, 402, 404, 409, 413, 422, 503),
    summary="Ask for pictures",
    openapi_extra=KEY,
)
def create(request: Asked, payload: GenerationIn) -> HttpResponse:
    """Holds the price of `count` pictures and answers at once; ask at `Location` until `finished` is true.

    Nothing is charged for a picture that does not arrive.
    """
    member = member_for(request, Scope.GENERATE)
    call = idempotency.begin(member, request.headers.get(idempotency.HEADER), idempotent.asked(request))
    if call.answer:
        return idempotent.told(call.answer)
    with idempotency.released_if_refused(call):
        batch = _submit(request.auth.token, payload, call)
    return idempotent.told(idempotency.finish(call, _accepted(member, batch)))


@router.get("/generations", response=answers(200, GenerationPage, 404, 422), summary="List my generations")
def listed(
    request: Asked,
    limit: pagination.Limit = 50,
    before: pagination.Before = None,
    status: Status | None = None,
    batch: uuid.UUID | None = None,
) -> dict[str, Any]:
    """The newest first."""
    member = member_for(request, *EITHER)
    rows = Generation.objects.filter(member=member)
    if status:
        rows = rows.filter(status=status)
    if batch:
        rows = rows.filter(batch=batch)
    last = get_object_or_404(member.generations, pk=before) if before else None
    found = pagination.older(rows, last, limit)
    shown = found[:limit]
    images = serializers.pictures_of(member, shown)
    return {
        "items": [serializers.generation(row, images.get(row.pk)) for row in shown],
        "next": pagination.following(request, shown[-1].pk if len(found) > limit else None),
    }


@router.get("/generations/{uuid:pk}", response=answers(200, GenerationOut, 404), summary="One generation")
def one(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """How far it is, and where its picture is."""
    return _one(member_for(request, *EITHER), pk)


@router.post(
    "/generations/{uuid:pk}/cancel",
    response=answers(200, GenerationOut, 404, 409),
    summary="Cancel a generation that waits",
)
def cancel(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """Its price is given back. 409 if it no longer waits; one that was canceled stays so."""
    member = member_for(request, Scope.GENERATE)
    found = get_object_or_404(member.generations, pk=pk)
    submission.cancel(member=member, generation=found.pk)
    told = _one(member, pk)
    if told["status"] != "canceled":
        raise Problem(409, "not_waiting", _("It no longer waits, so it cannot be canceled."))
    return told


@router.post(
    "/generations/{uuid:pk}/retry",
    response=answers(202, GenerationOut, 402, 404, 409, 503),
    summary="Ask once more for what ended without a picture",
)
def retry(request: Asked, pk: uuid.UUID) -> HttpResponse:
    """A new generation of the same batch; asked twice it is the same one. 409 if it costs more by now."""
    member = member_for(request, Scope.GENERATE)
    get_object_or_404(member.generations, pk=pk)
    try:
        row = submission.retry(member=member, generation=pk, token=request.auth.token)
    except Generation.DoesNotExist:
        raise Problem(409, "not_ended", _("Only what ended without a picture is tried again.")) from None
    text = idempotent.text(_one(member, row.pk))
    return idempotent.told(Answer(202, text, {"Location": f"{serializers.ROOT}/generations/{row.pk}"}))


@router.get("/batches/{uuid:pk}", response=answers(200, BatchOut, 404), summary="What one call asked for")
def batch(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """All its generations, each with its picture once it is there."""
    return _batch(member_for(request, *EITHER), pk)


@router.post("/batches/{uuid:pk}/cancel", response=answers(200, BatchOut, 404), summary="Cancel what waits")
def cancel_batch(request: Asked, pk: uuid.UUID) -> dict[str, Any]:
    """What no longer waits stays as it is."""
    member = member_for(request, Scope.GENERATE)
    found = get_object_or_404(member.batches, pk=pk)
    for each in found.generations.order_by("virtual_start", "pk"):
        submission.cancel(member=member, generation=each.pk)
    return _batch(member, pk)


def _submit(token: Token, payload: GenerationIn, call: Call) -> Batch:
    """Once for each call, whoever carries it out first."""
    given = payload.model_dump(exclude_none=True)
    return submission.submit(
        member=token.membership,
        model=payload.model,
        parameters={name: value for name, value in given.items() if name not in NOT_PARAMETERS},
        count=payload.count,
        submission=call.submission if call.pk else None,
        prices_at=None,
        start_image=_start_image(token.membership, payload.start_image),
        visibility=payload.visibility or "",
        token=token,
    )


def _start_image(member: Membership, pk: uuid.UUID | None) -> Upload | None:
    if pk is None:
        return None
    upload = Upload.objects.filter(owner=member, pk=pk).first()
    if upload is None:
        raise Problem(404, "not_found", _("There is no such start image."), "start_image")
    return upload


def _accepted(member: Membership, batch: Batch) -> Answer:
    rows = batch.created or list(Generation.objects.filter(batch=batch).order_by("position", "pk"))
    document = serializers.batch(batch, rows, serializers.pictures_of(member, rows))
    return Answer(202, idempotent.text(document), {"Location": document["links"]["self"]})


def _one(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    row = get_object_or_404(member.generations, pk=pk)
    return serializers.generation(row, serializers.pictures_of(member, [row]).get(row.pk))


def _batch(member: Membership, pk: uuid.UUID) -> dict[str, Any]:
    row = get_object_or_404(member.batches.prefetch_related(serializers.with_generations()), pk=pk)
    rows = row.generations.all()
    return serializers.batch(row, rows, serializers.pictures_of(member, rows))
