"""Calls that happen once for each Idempotency-Key, and their answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from generations.api import idempotency
from generations.api.idempotency import StoredResponse

if TYPE_CHECKING:
    from generations.teams.models import Membership

Deed = Callable[[uuid.UUID], dict[str, Any]]


def asked(request: HttpRequest) -> str:
    """What a POST asks for, as a fingerprint."""
    return idempotency.fingerprint("POST", request.path, request.body)


def text(document: dict[str, Any]) -> str:
    """A document as JSON."""
    return json.dumps(document, cls=DjangoJSONEncoder)


def told(answer: StoredResponse) -> HttpResponse:
    """The answer, marked if it was given before."""
    headers = dict(answer.headers) | ({"Idempotent-Replayed": "true"} if answer.is_repeated else {})
    return HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=headers)


def make(request: HttpRequest, member: Membership, deed: Deed, *, whole: bool = False) -> HttpResponse:
    """201 with what the deed made, the same for all who ask with that key.

    The deed happens once for the UUID it is given; or, if it is a `whole` transaction, at most once anyway.
    """
    key = request.headers.get(idempotency.HEADER)
    call = idempotency.begin(member, key, asked(request))
    if call.response:
        return told(call.response)
    try:
        with transaction.atomic() if whole else nullcontext():
            answer = idempotency.finish(call, StoredResponse(201, text(deed(call.submission))))
    except Exception:  # refused; or done meanwhile by whoever asked with the same key, whose answer is ours
        faster = idempotency.begin(member, key, asked(request)).response if key else None
        if faster:
            return told(faster)
        idempotency.release(call)
        raise
    return told(answer)


def make_secret(request: HttpRequest, member: Membership, deed: Deed) -> HttpResponse:
    """As `make`, for an answer that holds a secret, so that it is kept nowhere: the deed tells it again.

    What the deed refuses by then is refused: a key does not show a secret to who may no longer have it.
    """
    call = idempotency.begin(member, request.headers.get(idempotency.HEADER), asked(request))
    with idempotency.released_if_refused(call):
        document = text(deed(call.submission))
    return told(replace(idempotency.finish(call, StoredResponse(201, "")), body=document))
