"""POST requests that happen once per Idempotency-Key, and their JSON responses."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from generations.api import idempotency
from generations.api.idempotency import Call, StoredResponse
from generations.teams.models import Membership

Create = Callable[[uuid.UUID], dict[str, Any]]


def begin(request: HttpRequest, member: Membership) -> Call:
    """Begin the call of the request's Idempotency-Key. Raises as `idempotency.begin`."""
    fingerprint = idempotency.fingerprint("POST", request.path, request.body)
    return idempotency.begin(member, request.headers.get(idempotency.HEADER), fingerprint)


def to_json(document: dict[str, Any]) -> str:
    """Serialize a document."""
    return json.dumps(document, cls=DjangoJSONEncoder)


def respond(stored: StoredResponse) -> HttpResponse:
    """Return a stored response as HTTP, with Idempotent-Replayed if it was sent before."""
    headers = dict(stored.headers) | ({"Idempotent-Replayed": "true"} if stored.is_repeated else {})
    return HttpResponse(stored.body, status=stored.status, content_type="application/json", headers=headers)


def create_once(
    request: HttpRequest, member: Membership, create: Create, *, in_transaction: bool = False
) -> HttpResponse:
    """Respond 201 with what `create` returns, the same to all requests with the key.

    `create` must act once per UUID that it gets; or `in_transaction` must be set, which rolls back what a
    slower concurrent request has created.
    """
    call = begin(request, member)
    if call.response:
        return respond(call.response)
    try:
        with transaction.atomic() if in_transaction else nullcontext():
            stored = idempotency.finish(call, StoredResponse(201, to_json(create(call.submission))))
    except Exception:  # refused, perhaps because a concurrent request with the key was faster
        faster = begin(request, member).response if call.pk else None
        if faster:
            return respond(faster)
        idempotency.release(call)
        raise
    return respond(stored)


def create_secret(request: HttpRequest, member: Membership, create: Create) -> HttpResponse:
    """Respond 201 with a document that holds a secret and is therefore not stored.

    `create` runs for every request with the key, must return the same secret for the same UUID, and refuses
    requests that may no longer see it.
    """
    call = begin(request, member)
    with idempotency.released_if_refused(call):
        document = to_json(create(call.submission))
    return respond(replace(idempotency.finish(call, StoredResponse(201, "")), body=document))
