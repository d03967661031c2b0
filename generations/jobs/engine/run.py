"""Calling a provider for a claimed row, and writing down what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import OperationalError, connection
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.core.prepared_queries import Param, PreparedQuery
from generations.jobs import events
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import outcomes, persist
from generations.jobs.engine.claim import Claim, give_back_connection
from generations.jobs.models import Batch, Generation
from generations.library.storage import client as storage_client
from generations.providers.base import Done, ImageRequest, Pending, ProviderError
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit

log = logging.getLogger(__name__)

# With what is asked of it later on, so that one query is enough.
_batch = PreparedQuery(
    lambda: Batch.objects.select_related("member__team", "start_image").filter(pk=Param("pk"))
)

T = TypeVar("T")

NEW_PERMITS = 3  # for a claimed row, until it is handed back
INSISTENCE = 60.0  # seconds in which a busy or restarting database is asked again


def run(claim: Claim) -> None:
    """Call the provider for a claimed row, and do what its answer asks for."""
    row = claim.generation
    about = log_context.bind(generation=str(row.pk), attempt=row.attempt, upstream=claim.upstream.name)
    with about, engine_leases.keeping(row.pk, row.attempt):
        log.info("claimed", extra={"model": row.model})
        try:
            request = _request(row)
        except storage_client.Missing:
            outcomes.call_off(row, _("The start image is no longer in storage."), code="start_image_gone")
            return
        except storage_client.StorageUnavailable:
            insist(outcomes.hand_back, row, 10.0)
            return
        events.generation_changed(row)
        give_back_connection()
        if not _may_call(claim):
            insist(outcomes.hand_back, row)
            return
        answer = _call(claim, request)
        if insist(outcomes.record, row, claim.upstream, answer):
            insist(persist.store, row)


def insist(write: Callable[..., T], row: Generation, *more: Any) -> T:
    """Write down what became of a call, again if need be: an image that was paid for is not bought twice.

    SQLite lets some wait in vain when many write, and PostgreSQL may be restarted.
    """
    deadline = time.monotonic() + INSISTENCE
    while True:
        try:
            return write(row, *more)
        except OperationalError as problem:
            if time.monotonic() > deadline:
                raise
            log.warning("The database is asked again about generation %s: %s", row.pk, problem)
            connection.close()
            time.sleep(0.5)


def _may_call(claim: Claim) -> bool:
    """Whether the call may leave this very moment; a permit that came too late is replaced first.

    Were the row handed back then, that would cost two more writes on a machine that is busy
    anyway, make the next claim late as well, and so on for ever.
    """
    if upstreams_rate_limit.confirm(claim.permit):
        return True
    for _attempt in range(NEW_PERMITS):
        if not engine_leases.is_ours(claim.generation):  # it may have been given to another in so long a time
            return False
        give_back_connection()
        try:
            permit = upstreams_rate_limit.reserve(
                claim.upstream, horizon=2 * upstreams_rate_limit.HORIZON
            )  # before those who only ask
        except RedisError:
            return False
        if permit is None:
            return False
        time.sleep(permit.delay)
        if upstreams_rate_limit.confirm(permit):
            return True
    return False


def _request(row: Generation) -> ImageRequest:
    [row.batch] = _batch.all(pk=row.batch_id)
    row.member = row.batch.member
    upload = row.batch.start_image
    image = storage_client.read(upload.key) if upload else None
    return ImageRequest(row.model, row.parameters, image)


def _call(claim: Claim, request: ImageRequest) -> Done | ProviderError:
    began = time.monotonic()
    answer = _answer(claim, request)
    said = {
        "outcome": outcomes.name(answer).value,
        "status": answer.status or 0,
        "seconds": round(time.monotonic() - began, 3),
        "provider_request": answer.request_id,
    }
    log.info("called", extra=said)
    return answer


def _answer(claim: Claim, request: ImageRequest) -> Done | ProviderError:
    deadline = time.monotonic() + engine_leases.CALL_LIMIT
    try:
        provider = accounts.provider(claim.upstream)
        answer: Done | Pending = provider.generate(request, timeout=engine_leases.CALL_LIMIT)
        while isinstance(answer, Pending):
            time.sleep(answer.ask_after)
            answer = provider.collect(answer, timeout=deadline - time.monotonic())
    except ProviderError as problem:
        return problem
    return answer
