"""Call a provider for a claimed generation, and record the result: images, a task, or an error."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import OperationalError, connection
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import log_context
from generations.jobs import events
from generations.jobs.engine import claim_statement, outcomes, persist, spool, transitions
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine.claim import Claim, release_connection
from generations.jobs.models import Batch, BatchInput, Generation, PromptHelp
from generations.library.storage import client as storage_client
from generations.providers.base import (
    Accepted,
    Action,
    Done,
    ImageRequest,
    InputImage,
    ProviderError,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_NEW_PERMITS = 3  # for a claim whose permit expired; then it is undone
DB_RETRY_SECONDS = 60.0  # in which a write is tried again while the database is busy or restarts


def run(claim: Claim) -> None:
    """Call the provider for a claimed generation, record the result, and store the image if there is one."""
    row = claim.generation
    about = log_context.bind(generation=str(row.pk), attempt=row.attempt, upstream=claim.upstream.name)
    earlier = spool.earlier_attempt(row.pk, row.attempt) if row.attempt > 1 else None
    if earlier is not None:
        _use_earlier_attempt(row, earlier)
        return
    with about, engine_leases.renewing(row.pk, row.attempt, call_seconds(row.model)):
        log.info("claimed", extra={"model": row.model})
        try:
            request = _request(row)
        except storage_client.ObjectMissing:
            transitions.fail_unsent(
                row, _("The start image is no longer in storage."), code="start_image_gone"
            )
            return
        except storage_client.StorageUnavailable:
            retry_on_db_error(transitions.unclaim, row, 10.0)
            return
        events.generation_changed(row)
        release_connection()
        if not _may_call(claim):
            retry_on_db_error(transitions.unclaim, row)
            return
        result = _call(claim, request)
        with spool.in_hand():
            if retry_on_db_error(outcomes.record, row, claim.upstream, result):
                retry_on_db_error(persist.store, row)
        if isinstance(result, Done | Accepted):
            accounts.open_model(claim.upstream, row.model)


def _use_earlier_attempt(row: Generation, number: int) -> None:
    about = log_context.bind(generation=str(row.pk), attempt=number)
    with about, engine_leases.renewing(row.pk, number):
        log.warning("Not called again: the image of an earlier attempt is in the spool")
        if retry_on_db_error(outcomes.use_earlier_attempt, row, number):
            retry_on_db_error(persist.store, row)


def retry_on_db_error(write: Callable[..., T], row: Generation | PromptHelp, *arguments: Any) -> T:
    """Record the end of a call, again on OperationalError, so that nothing is paid for twice.

    SQLite can time out when many threads write, and PostgreSQL may be restarted.
    """
    deadline = time.monotonic() + DB_RETRY_SECONDS
    while True:
        try:
            return write(row, *arguments)
        except OperationalError as problem:
            if time.monotonic() > deadline:
                raise
            log.warning("Writing %s failed and is tried again: %s", row.pk, problem)
            connection.close()
            time.sleep(0.5)


def _may_call(claim: Claim) -> bool:
    """Whether the call may be sent now; an expired permit is replaced first.

    Undoing the claim instead would cost two more writes on a machine that is already too busy, and make
    the next claim late as well.
    """
    if upstreams_rate_limit.confirm(claim.permit):
        return True
    for _attempt in range(MAX_NEW_PERMITS):
        if not engine_leases.renew_if_held(claim.generation):
            return False
        release_connection()
        try:
            # A longer horizon than that of new claims, so that this one comes first.
            permit = upstreams_rate_limit.reserve(claim.upstream, horizon=2 * upstreams_rate_limit.HORIZON)
        except RedisError:
            return False
        if permit is None:
            return False
        time.sleep(permit.delay)
        if upstreams_rate_limit.confirm(permit):
            return True
    return False


def call_seconds(model: str) -> float:
    """The seconds that a call for this model may take in all; the catalogue may not have it any more."""
    declared = catalogue_registry.MODELS.get(model)
    return (declared and declared.call_seconds) or engine_leases.CALL_TIMEOUT


def _request(row: Generation) -> ImageRequest:
    claim_statement.load_batch(row)
    action = Action(**row.batch.action) if row.batch.action else None
    return ImageRequest(row.model, row.parameters, _inputs(row.batch), action)


def _inputs(batch: Batch) -> tuple[InputImage, ...]:
    declared = catalogue_registry.MODELS.get(batch.model)
    if declared is not None and not declared.inputs:
        return ()
    uploads = [
        (each.role, each.upload) for each in BatchInput.objects.filter(batch=batch).select_related("upload")
    ]
    if not uploads and batch.start_image:  # submitted by an older version
        uploads = [(IMAGE, batch.start_image)]
    return tuple(
        InputImage(role, storage_client.read(upload.key), upload.media_type) for role, upload in uploads
    )


def _call(claim: Claim, request: ImageRequest) -> Done | Accepted | ProviderError:
    began = time.monotonic()
    result = _result(claim, request)
    fields = {
        "outcome": outcomes.outcome_of(result).value,
        "status": result.status or 0,
        "seconds": round(time.monotonic() - began, 3),
        "provider_request": result.request_id,
    }
    log.info("called", extra=fields)
    return result


def _result(claim: Claim, request: ImageRequest) -> Done | Accepted | ProviderError:
    try:
        provider = accounts.provider(claim.upstream)
        return provider.submit(request, timeout=call_seconds(request.model))
    except ProviderError as problem:
        return problem
    except Exception:  # a fault of ours, after which it is not known what was sent
        log.exception("The client of provider account %s failed", claim.upstream.name)
        return Unknown(_("The provider's answer could not be read."))
