"""Move received images from the spool to object storage; commit image row, status and charge together."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Collection
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generations.core.one_message import write_together
from generations.credits import ledger
from generations.jobs import events, styles
from generations.jobs.engine import spool, transitions
from generations.jobs.engine.spool_files import SpooledImage
from generations.jobs.models import UNFINISHED, Generation, PreparedMove, Status
from generations.library.images import service as images_service
from generations.library.images.service import Provenance, StoredFile
from generations.library.imaging import svg as imaging_svg
from generations.library.models import Image, ImageKind
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.catalogue.model import STYLE_NAME
from generations.providers.transport import media_check
from generations.providers.transport.media_check import InvalidImage, validate_image

Facts = dict[str, Any]  # of one image, as in the spool

MAX_TEXT = 100_000  # letters of a text that pages show; its file has all

log = logging.getLogger(__name__)

_to_succeeded = PreparedMove(Status.SUCCEEDED, ended_at=Now())


def store(row: Generation) -> bool:
    """Upload the spooled images of a STORING generation and complete it; False if storage is unavailable."""
    images = spool.read(row.pk, row.attempt)
    try:
        stored = [_upload(row, image, position, of=len(images)) for position, image in enumerate(images)]
    except storage_client.StorageUnavailable as problem:
        log.warning("The images of generation %s stay in the spool: %s", row.pk, problem)
        return False
    if images:
        log.info("stored", extra={"objects": [key for _facts, key in stored]})
    return bool(images) and _finish(row, stored)


def find_in_storage(row: Generation) -> bool:
    """Complete a STORING generation whose worker is lost, from its uploaded images; False if any is missing.

    Raises StorageUnavailable.
    """
    try:
        found = [
            (_facts(key), key)
            for key in storage_client.list_keys(
                storage_keys.image_prefix(generation=row.pk, attempt=row.attempt)
            )
        ]
    except InvalidImage as problem:
        log.warning("An object of generation %s in storage is damaged: %s", row.pk, problem)
        return False
    if not found or len(found) != found[0][0]["of"]:
        return False
    log.warning("Generation %s was found in object storage", row.pk)
    return _finish(row, sorted(found, key=lambda one: one[0]["position"]))


def still_needed(keys: Collection[str]) -> set[str]:
    """Those of these object keys whose generations are unfinished, so that `find_in_storage` may use them.

    Their age does not matter: a generation may wait for storage without a limit. A finished one never
    reopens.
    """
    owners = {key: generation for key in keys if (generation := storage_keys.generation_of(key))}
    waiting = Generation.objects.filter(pk__in=set(owners.values()), status__in=UNFINISHED)
    unfinished = set(waiting.values_list("pk", flat=True))
    return {key for key, generation in owners.items() if generation in unfinished}


@transaction.atomic
def give_up(generation: uuid.UUID) -> bool:
    """Fail a STORING generation whose image is lost, and release its hold; False if it is not STORING."""
    row = Generation.objects.get(pk=generation)
    return transitions.end_uncharged(
        row, Status.FAILED, _("The image was lost before it could be stored."), code="given_up"
    )


def _upload(row: Generation, image: SpooledImage, position: int, *, of: int) -> tuple[Facts, str]:
    """Upload an image; its facts, with those that are only in its bytes, and its key."""
    facts, data = image.facts, image.data
    key = storage_keys.image_key(
        generation=row.pk, attempt=row.attempt, sha256=facts["sha256"], media_type=facts["media_type"]
    )
    names = ("attempt", "upstream", "seed", "finish_reason", "request_id", "kind", "width", "height", "total")
    metadata = {name: str(facts[name]) for name in names} | {"position": position, "of": of}
    storage_client.put(key, data, media_type=facts["media_type"], metadata=metadata)
    return _content(facts.get("kind", "image"), facts["media_type"], data, facts) | facts, key


def _content(kind: str, media_type: str, data: bytes, known: Facts) -> Facts:
    """What pages show of the bytes themselves: a text, the words of a drawing, whether an image moves."""
    if kind in (ImageKind.TEXT, ImageKind.STYLE):
        text = data[: 4 * MAX_TEXT].decode(errors="replace")[:MAX_TEXT]
        return {"text": text.replace("\0", "\ufffd")}  # PostgreSQL takes no NUL
    if kind == ImageKind.SVG:
        return {"text": imaging_svg.texts(data)}
    if "is_animated" in known:
        return {}
    moves = kind == ImageKind.IMAGE and media_type != "image/jpeg"
    return {"is_animated": moves and media_check.is_animated_image(data)}


def _facts(key: str) -> Facts:
    """What the spool said of an image, read from its object and the object's metadata.

    Raises InvalidImage if the object is damaged.
    """
    metadata, data = storage_client.head(key), storage_client.read(key)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 not in key:
        raise InvalidImage("not what was uploaded")
    told = metadata.metadata
    seed = int(told["seed"]) if told.get("seed", "").isdecimal() else None
    if "kind" not in told:  # uploaded by an older version, which knew images alone
        image = validate_image(data, seed)
        told |= {"width": str(image.width), "height": str(image.height)}
    kind = told.get("kind", "image")
    return _content(kind, metadata.media_type, data, {}) | {
        "kind": kind,
        "sha256": sha256,
        "media_type": metadata.media_type,
        "width": int(told["width"]),
        "height": int(told["height"]),
        "bytes": len(data),
        "seed": seed,
        "actions": [],
        "position": int(told.get("position", "0")),
        "of": int(told.get("of", "1")),
        "total": int(told.get("total", told.get("of", "1"))),
    }


def _finish(row: Generation, stored: list[tuple[Facts, str]]) -> bool:
    """Add the images to the library, end the generation and settle its hold, in one transaction.

    Images that the provider withheld are not charged.
    """
    images = []
    for position, (facts, key) in enumerate(stored):
        images.append(_new_image(row, position, facts, key))
    charged = _charge(row, len(stored), stored[0][0].get("total", len(stored)))
    if not (_write_usual_end(row, images, charged) or _write_end(row, images, charged)):
        return False
    transaction.on_commit(partial(log.info, "settled", extra={"charged": charged}))
    transaction.on_commit(partial(spool.mark_stored, row.pk, row.attempt))
    transaction.on_commit(partial(events.generation_ended, row))
    return True


def _write_usual_end(row: Generation, images: Collection[Image], charged: int) -> bool:
    """Write the end of a generation of which all came, and nothing else is to be told; or do nothing."""
    if charged < row.price or any(image.kind == ImageKind.STYLE for image in images):
        return False
    writes = [write for image in images for write in images_service.writes(image)]
    try:
        return write_together(
            [_to_succeeded.write(row), *writes, *ledger.settling(reference=row.pk, amount=charged)]
        )
    except IntegrityError:
        return False


@transaction.atomic
def _write_end(row: Generation, images: Collection[Image], charged: int) -> bool:
    """Write the end of a generation; False if another writer moved it first."""
    if not _to_succeeded.run(row):
        return False
    for image in images:
        images_service.save(image)
        if image.kind == ImageKind.STYLE:
            styles.add(image, row)
    ledger.settle(reference=row.pk, amount=charged if charged < row.price else None)
    return True


def _charge(row: Generation, arrived: int, total: int) -> int:
    """The part of the price for those that arrived of all that the call should have brought, rounded up."""
    return -(-row.price * arrived // max(total, arrived))


def _new_image(row: Generation, position: int, facts: Facts, key: str) -> Image:
    file = StoredFile(
        key=key,
        sha256=facts["sha256"],
        media_type=facts["media_type"],
        width=facts["width"],
        height=facts["height"],
        size=facts["bytes"],
        kind=facts.get("kind", ImageKind.IMAGE),
        text=facts.get("text", ""),
        is_animated=facts.get("is_animated", False),
    )
    provenance = Provenance(
        generation=row.pk,
        batch=row.batch_id,
        position=position,
        model=row.model,
        parameters=row.parameters,
        seed=facts["seed"] if facts["seed"] is not None else row.parameters.get("seed"),
        parent=row.batch.parent,
        is_composite=row.batch.start_image_id is not None,
        actions=facts.get("actions", []),
    )
    return images_service.new(
        member=row.member,
        visibility=row.batch.visibility,
        file=file,
        provenance=provenance,
        title=str(row.parameters.get(STYLE_NAME) or "") if file.kind == ImageKind.STYLE else "",
    )
