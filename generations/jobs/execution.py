"""The other side of the queue: take a row, call a provider for it, store what comes."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _
from redis import RedisError

from generations.credits import ledger
from generations.jobs import events, leases, outcomes, spool, trace
from generations.jobs.models import Attempt, Generation, Status
from generations.jobs.spool import Spooled
from generations.library import catalog, storage
from generations.providers.base import Done, ImageRequest, Pending, ProviderError
from generations.upstreams import accounts, pacing
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

T = TypeVar("T")

NEW_PERMITS = 3  # for a claimed row, until it is handed back
INSISTENCE = 60.0  # seconds in which a busy or restarting database is asked again


@dataclass(frozen=True)
class Claim:
    """A row that is ours, the account to call for it, and the permit to do so."""

    generation: Generation
    upstream: Upstream
    permit: pacing.Permit


def claim_next() -> tuple[Claim | None, int]:
    """Wait for a slot and claim the fairest ready row; and how many successors to ring.

    None if nothing is ready, no account has a slot soon, or others took what was ready.
    """
    reserved = _reserve()
    if reserved is None:
        return None, 0
    upstream, models, permit = reserved
    connection.close()  # hundreds of threads wait here, and the database serves a few
    time.sleep(permit.delay)
    row = _claim(upstream, models)
    if row is None:
        return None, 0
    return Claim(row, upstream, permit), int(Generation.objects.ready().exists())


def run(claim: Claim) -> None:
    """Call the provider for a claimed row, and do what its answer asks for."""
    row = claim.generation
    about = trace.following(generation=str(row.pk), attempt=row.attempt, upstream=claim.upstream.name)
    with about, leases.keeping(row.pk, row.attempt):
        log.info("claimed", extra={"model": row.model})
        try:
            request = _request(row)
        except storage.Missing:
            outcomes.call_off(row, _("The start image is no longer in storage."), code="start_image_gone")
            return
        except storage.StorageUnavailable:
            insist(outcomes.hand_back, row, 10.0)
            return
        events.generation_changed(row.pk)
        connection.close()
        if not _may_call(claim):
            insist(outcomes.hand_back, row)
            return
        answer = _call(claim, request)
        if insist(outcomes.record, row, claim.upstream, answer):
            insist(store, row)


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


def store(row: Generation) -> bool:
    """Upload what the spool has of a `storing` row and close it; False if it must wait for S3."""
    images = spool.read(row.pk, row.attempt)
    try:
        keys = [_upload(row, image) for image in images]
    except storage.StorageUnavailable as problem:
        log.warning("Generation %s waits in the spool: %s", row.pk, problem)
        return False
    if images:
        log.info("stored", extra={"objects": keys})
    return bool(images) and _finish(row, list(zip(images, keys, strict=True)))


@transaction.atomic
def give_up(generation: uuid.UUID) -> bool:
    """An operator's word that a `storing` image will never come back; its hold is released."""
    row = Generation.objects.get(pk=generation)
    return outcomes.end(
        row, Status.FAILED, _("The image was lost before it could be stored."), code="given_up"
    )


def _reserve() -> tuple[Upstream, list[str], pacing.Permit] | None:
    ready = set(Generation.objects.ready().values_list("model", flat=True).distinct())
    if not ready or not spool.has_room():
        return None
    for upstream in Upstream.objects.open():
        models = [model for model in ready if upstream.serves(model)]
        try:
            permit = pacing.reserve(upstream) if models else None
        except RedisError as problem:
            log.warning("No calls while Redis is away: %s", problem)
            return None
        if permit:
            return upstream, models, permit
    return None


@transaction.atomic
def _claim(upstream: Upstream, models: Collection[str]) -> Generation | None:
    ready = Generation.objects.ready().filter(model__in=models).fairest_first()
    row = ready.select_for_update(skip_locked=True).first()
    if row is None:
        return None
    Generation.objects.move(
        row.pk,
        fence=row.attempt,
        to=Status.RUNNING,
        attempt=F("attempt") + 1,
        upstream=upstream,
        worker=spool.WORKER,
        lease_until=Now() + leases.LEASE,
        started_at=Now(),
        called_at=Coalesce("called_at", Now()),
        waited_out=outcomes.waited_out(row),
        reason="",
        code="",
    )
    row.refresh_from_db()
    Attempt.objects.create(
        generation=row, number=row.attempt, upstream=upstream, unit=upstream.unit, worker=spool.WORKER
    )
    return row


def _may_call(claim: Claim) -> bool:
    """Whether the call may leave this very moment; a permit that came too late is replaced first.

    On a busy machine the claim takes longer than a permit lives. Were the row handed back then,
    that would cost two more writes, make the next claim late as well, and so on for ever.
    """
    permit = claim.permit
    for _attempt in range(NEW_PERMITS):
        if pacing.confirm(permit):
            return True
        try:
            new = pacing.reserve(claim.upstream, horizon=2 * pacing.HORIZON)  # before those who only ask
        except RedisError:
            return False
        if new is None:
            return False
        permit = new
        time.sleep(permit.delay)
    return pacing.confirm(permit)


def _request(row: Generation) -> ImageRequest:
    upload = row.batch.start_image
    image = storage.read(upload.key) if upload else None
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
    deadline = time.monotonic() + leases.CALL_LIMIT
    try:
        provider = accounts.provider(claim.upstream)
        answer: Done | Pending = provider.generate(request, timeout=leases.CALL_LIMIT)
        while isinstance(answer, Pending):
            time.sleep(answer.ask_after)
            answer = provider.collect(answer, timeout=deadline - time.monotonic())
    except ProviderError as problem:
        return problem
    return answer


def _upload(row: Generation, image: Spooled) -> str:
    facts = image.facts
    key = storage.image_key(
        generation=row.pk, attempt=row.attempt, sha256=facts["sha256"], media_type=facts["media_type"]
    )
    about = {
        name: str(facts[name]) for name in ("attempt", "upstream", "seed", "finish_reason", "request_id")
    }
    storage.put(key, image.read(), media_type=facts["media_type"], metadata=about)
    return key


@transaction.atomic
def _finish(row: Generation, stored: list[tuple[Spooled, str]]) -> bool:
    """Image, status and charge in one transaction: all of it or none."""
    if not Generation.objects.move(row.pk, fence=row.attempt, to=Status.SUCCEEDED, ended_at=Now()):
        return False
    for position, (image, key) in enumerate(stored):
        _add(row, position, image, key)
    ledger.settle(reference=row.pk)
    transaction.on_commit(partial(log.info, "settled", extra={"charged": row.price}))
    transaction.on_commit(partial(spool.mark_stored, row.pk, row.attempt))
    transaction.on_commit(partial(events.generation_changed, row.pk))
    return True


def _add(row: Generation, position: int, image: Spooled, key: str) -> None:
    facts = image.facts
    catalog.add(
        member=row.member,
        generation=row.pk,
        batch=row.batch_id,
        position=position,
        model=row.model,
        parameters=row.parameters,
        visibility=row.batch.visibility,
        key=key,
        sha256=facts["sha256"],
        media_type=facts["media_type"],
        width=facts["width"],
        height=facts["height"],
        size=facts["bytes"],
        seed=facts["seed"] if facts["seed"] is not None else row.parameters.get("seed"),
    )
