"""From the spool into object storage and the library: image, status and charge, all of it or none."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Collection
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generations.credits import ledger
from generations.jobs import events
from generations.jobs.engine import outcomes, spool
from generations.jobs.engine.spool import Spooled
from generations.jobs.models import UNFINISHED, Generation, Status
from generations.library.images import service as images_service
from generations.library.storage import client as storage_client
from generations.providers.transport.media_check import InvalidImage, validate_image

Facts = dict[str, Any]

log = logging.getLogger(__name__)


def store(row: Generation) -> bool:
    """Upload what the spool has of a `storing` row and close it; False if it must wait for S3."""
    images = spool.read(row.pk, row.attempt)
    try:
        keys = [_upload(row, image, position, of=len(images)) for position, image in enumerate(images)]
    except storage_client.StorageUnavailable as problem:
        log.warning("Generation %s waits in the spool: %s", row.pk, problem)
        return False
    if images:
        log.info("stored", extra={"objects": keys})
    return bool(images) and _finish(
        row, [(image.facts, key) for image, key in zip(images, keys, strict=True)]
    )


def find(row: Generation) -> bool:
    """Close a `storing` row whose worker is lost, if its images were uploaded before; False if not all were.

    Raises StorageUnavailable.
    """
    try:
        found = [
            (_facts(key), key)
            for key in storage_client.keys(
                storage_client.image_prefix(generation=row.pk, attempt=row.attempt)
            )
        ]
    except InvalidImage as problem:
        log.warning("What object storage has of generation %s is damaged: %s", row.pk, problem)
        return False
    if not found or len(found) != found[0][0]["of"]:
        return False
    log.warning("Generation %s was found in object storage", row.pk)
    return _finish(row, sorted(found, key=lambda one: one[0]["position"]))


def still_needed(keys: Collection[str]) -> set[str]:
    """Those of these objects whose generations have not ended: `find` may make images of them.

    Such a row may wait for its lost worker or for storage as long as it takes, so age says nothing. An
    ended row never reopens.
    """
    owners = {key: generation for key in keys if (generation := storage_client.generation_of(key))}
    waiting = Generation.objects.filter(pk__in=set(owners.values()), status__in=UNFINISHED)
    unfinished = set(waiting.values_list("pk", flat=True))
    return {key for key, generation in owners.items() if generation in unfinished}


@transaction.atomic
def give_up(generation: uuid.UUID) -> bool:
    """An operator's word that a `storing` image will never come back; its hold is released."""
    row = Generation.objects.get(pk=generation)
    return outcomes.end(
        row, Status.FAILED, _("The image was lost before it could be stored."), code="given_up"
    )


def _upload(row: Generation, image: Spooled, position: int, *, of: int) -> str:
    facts = image.facts
    key = storage_client.image_key(
        generation=row.pk, attempt=row.attempt, sha256=facts["sha256"], media_type=facts["media_type"]
    )
    names = ("attempt", "upstream", "seed", "finish_reason", "request_id")
    about = {name: str(facts[name]) for name in names} | {"position": position, "of": of}
    storage_client.put(key, image.read(), media_type=facts["media_type"], metadata=about)
    return key


def _facts(key: str) -> Facts:
    """What the spool knew of an image, from its object: bytes, and the notes that were stored with them."""
    notes = storage_client.head(key).metadata
    seed = int(notes["seed"]) if notes.get("seed", "").isdecimal() else None
    image = validate_image(storage_client.read(key), seed)
    return {
        "sha256": hashlib.sha256(image.data).hexdigest(),
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "bytes": len(image.data),
        "seed": seed,
        "position": int(notes.get("position", "0")),
        "of": int(notes.get("of", "1")),
    }


@transaction.atomic
def _finish(row: Generation, stored: list[tuple[Facts, str]]) -> bool:
    """Image, status and charge in one transaction: all of it or none."""
    if not Generation.objects.move(row.pk, fence=row.attempt, to=Status.SUCCEEDED, ended_at=Now()):
        return False
    for position, (facts, key) in enumerate(stored):
        _add(row, position, facts, key)
    ledger.settle(reference=row.pk)
    transaction.on_commit(partial(log.info, "settled", extra={"charged": row.price}))
    transaction.on_commit(partial(spool.mark_stored, row.pk, row.attempt))
    transaction.on_commit(partial(events.generation_ended, row))
    return True


def _add(row: Generation, position: int, facts: Facts, key: str) -> None:
    images_service.add(
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
