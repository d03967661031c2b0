"""Operations on saved prompts, and orders with one.

Who sees and changes them is as on the pages. All but saving one needs the scope `read` too: a prompt of the
team is shown, also by what an order with it returns.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router
from ninja.responses import Status

from generations.api.v1 import inputs as v1_inputs
from generations.api.v1 import orders, pagination, serializers
from generations.api.v1.auth import ApiRequest, library_editor, member_with_scope, permitted
from generations.api.v1.openapi import IDEMPOTENCY_KEY, responses
from generations.api.v1.orders import Order
from generations.api.v1.schemas.generations import BatchOut
from generations.api.v1.schemas.saved_prompts import (
    SavedPromptChange,
    SavedPromptIn,
    SavedPromptOrder,
    SavedPromptOut,
    SavedPromptPage,
    SavedPromptSearch,
)
from generations.jobs import inputs as job_inputs
from generations.jobs.create import controls, saved_prompts
from generations.jobs.models import SavedPrompt
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import InvalidValue
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership, Scope, Visibility

router = Router(tags=["Saved prompts"])
PAGE_SIZE = 50


@router.get("/saved-prompts", response=responses(200, SavedPromptPage, 422), summary="List saved prompts")
def list_saved_prompts(request: ApiRequest, query: Query[SavedPromptSearch]) -> dict[str, Any]:
    """List the team's and the member's own saved prompts by name, 50 per page."""
    found = Paginator(saved_prompts.found(_reader(request), query.q), PAGE_SIZE).get_page(query.page)
    return pagination.numbered_page(request, found, query.page, serializers.saved_prompt)


@router.post(
    "/saved-prompts", response=responses(201, SavedPromptOut, 400, 404, 422), summary="Save a prompt"
)
def create_saved_prompt(request: ApiRequest, payload: SavedPromptIn) -> Status[Any]:
    """Save a request under a name, for the member or for the team. A member has at most 200."""
    member = library_editor(request)
    model = catalogue_registry.get(payload.model)
    row = saved_prompts.save(
        member=member,
        name=payload.name,
        visibility=Visibility(payload.visibility),
        values={
            **_cleaned(model, payload.parameters),
            "model": model.name,
            "operation": model.operation.value,
            "inputs": _inputs(request, model, payload.inputs),
        },
    )
    return Status(201, serializers.saved_prompt(row))


@router.get(
    "/saved-prompts/{uuid:pk}", response=responses(200, SavedPromptOut, 404), summary="Get a saved prompt"
)
def get_saved_prompt(request: ApiRequest, pk: uuid.UUID) -> dict[str, Any]:
    """Return a saved prompt."""
    return serializers.saved_prompt(_saved_prompt(_reader(request), pk))


@router.patch(
    "/saved-prompts/{uuid:pk}",
    response=responses(200, SavedPromptOut, 400, 404, 422),
    summary="Change a saved prompt",
)
def change_saved_prompt(request: ApiRequest, pk: uuid.UUID, payload: SavedPromptChange) -> dict[str, Any]:
    """Change the name of a saved prompt, and who sees it."""
    row = _saved_prompt(_editor(request), pk)
    saved_prompts.change(
        member=request.auth.member,
        saved=row,
        name=row.name if payload.name is None else payload.name,
        visibility=Visibility(payload.visibility or row.visibility),
    )
    return serializers.saved_prompt(row)


@router.delete(
    "/saved-prompts/{uuid:pk}", response=responses(204, None, 404), summary="Delete a saved prompt"
)
def delete_saved_prompt(request: ApiRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a saved prompt. Images that were made with it stay."""
    row = _saved_prompt(_editor(request), pk)
    saved_prompts.delete(member=request.auth.member, saved=row)
    return HttpResponse(status=204)


@router.post(
    "/saved-prompts/{uuid:pk}/generations",
    response=responses(202, BatchOut, 400, 402, 404, 409, 413, 422, 503),
    summary="Generate images with a saved prompt",
    openapi_extra=IDEMPOTENCY_KEY,
)
def create_generations_with(request: ApiRequest, pk: uuid.UUID, payload: SavedPromptOrder) -> HttpResponse:
    """Queue a batch of images with what is saved, and return at once, as `POST /generations` does."""
    member = member_with_scope(request, Scope.GENERATE)
    _reader(request)
    return orders.place(request, lambda: _order(_saved_prompt(member, pk), payload))


def _order(row: SavedPrompt, payload: SavedPromptOrder) -> Order:
    saved = serializers.saved_prompt(row)
    return Order(
        model=saved["model"],
        parameters=saved["parameters"] | payload.parameters,
        count=payload.count,
        visibility=payload.visibility or "",
        inputs=saved["inputs"] | payload.inputs,
    )


def _cleaned(model: Model, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields of the model, without empty ones; InvalidParameters for others."""
    fields = {field.name: field for field in controls.fields_of(model)}
    errors: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for name, value in parameters.items():
        if name not in fields:
            errors[name] = _("%(model)s does not take this.") % {"model": model.title}
            continue
        try:
            cleaned[name] = fields[name].clean(value)
        except InvalidValue as problem:
            errors[name] = str(problem)
    if errors:
        raise InvalidParameters(errors)
    return {name: value for name, value in cleaned.items() if value is not None}


def _inputs(
    request: ApiRequest, model: Model, inputs: Mapping[str, Sequence[uuid.UUID]]
) -> Mapping[str, Sequence[uuid.UUID]]:
    """The images; ApiError (404) for one that the token may not use, InvalidParameters for a wrong role."""
    wrong = {role: _("%(model)s does not take this.") for role in inputs if model.input(role) is None}
    if wrong:
        raise InvalidParameters({role: text % {"model": model.title} for role, text in wrong.items()})
    job_inputs.check_most(model, {role: len(ids) for role, ids in inputs.items()})
    v1_inputs.find(request, inputs, None)
    return inputs


def _reader(request: ApiRequest) -> Membership:
    return permitted(member_with_scope(request, Scope.READ), "generate")


def _editor(request: ApiRequest) -> Membership:
    member_with_scope(request, Scope.READ)
    return library_editor(request)


def _saved_prompt(member: Membership, pk: uuid.UUID) -> SavedPrompt:
    found: SavedPrompt = get_object_or_404(saved_prompts.found(member), pk=pk)
    return found
