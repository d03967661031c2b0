"""From a wish to generations that are paid for and wait, and from ended generations to results."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass

from generations.api import idempotency
from generations.api.compat import errors as compat_errors
from generations.api.compat.base import Result, Wish
from generations.api.compat.errors import Problem
from generations.jobs import submission
from generations.jobs.models import Attempt, Batch, Generation, Outcome, Status
from generations.library.models import Image, Upload
from generations.library.uploads import start_images
from generations.providers.stability.errors import CONTENT_CODES
from generations.teams.models import Membership, Token

# As the provider says it (docs/providers/stability.md, "Statuses"): programs look for these words.
FLAGGED = "Your request was flagged by our content moderation system, as a result your request was denied."
NOT_CHARGED = "You were not charged for this request."
ENGLISH_ONLY = "English is the only supported language for this service."
REFUSED = {
    400: "bad_request",
    403: "permission_denied",
    413: "payload_too_large",
    422: "unprocessable_entity",
}


@dataclass(frozen=True)
class Order:
    """What was asked for by one call, or by several with the same Idempotency-Key."""

    batch: uuid.UUID
    generations: tuple[uuid.UUID, ...]


def place(token: Token, wish: Wish, path: str, key: str | None) -> Order:
    """Ask for a wish; the same key gives the same order, at the same address and for the same wish alone.

    What is kept with a key is the order: whoever repeats a call waits for the same pictures, and gets them.
    Raises what `submit` does, BadUpload, BadKey and KeyReused.
    """
    call = idempotency.begin(token.membership, key, _fingerprint(path, wish))
    if call.answer is not None:
        return _order(uuid.UUID(call.answer.body))
    with idempotency.released_if_refused(call):
        batch = _submit(token, wish, call.submission if call.pk else None)
    idempotency.finish(call, idempotency.Answer(200, str(batch.pk)))
    return Order(batch.pk, tuple(row.pk for row in batch.created)) if batch.created else _order(batch.pk)


def results(order: Order) -> list[Result]:
    """What became of every generation of an order. Problem (500) names what has not ended yet."""
    rows = Generation.objects.in_bulk(order.generations)
    images = Image.objects.filter(generation__in=order.generations).order_by("-position")
    pictures = {image.generation: image for image in images}
    return [_result(rows[pk], pictures.get(pk)) for pk in order.generations]


def _submit(token: Token, wish: Wish, named: uuid.UUID | None) -> Batch:
    member = token.membership
    return submission.submit(
        member=member,
        model=wish.model,
        parameters=wish.parameters,
        count=wish.count,
        submission=named,
        prices_at=None,
        start_image=_upload(member, wish),
        token=token,
    )


def _order(batch: uuid.UUID) -> Order:
    rows = Generation.objects.filter(batch=batch, retry_of=None)
    return Order(batch, tuple(rows.order_by("position").values_list("pk", flat=True)))


def _fingerprint(path: str, wish: Wish) -> str:
    """Of what is wished: a client that sends a form again draws another line between its parts."""
    wished = json.dumps([wish.model, wish.count, dict(wish.parameters)], sort_keys=True)
    return idempotency.fingerprint("POST", path, wished.encode(), wish.image or b"")


def _upload(member: Membership, wish: Wish) -> Upload | None:
    if wish.image is None:
        return None
    return start_images.save_upload(member=member, file=io.BytesIO(wish.image), name=wish.image_name)


def _result(row: Generation, image: Image | None) -> Result:
    if row.status == Status.SUCCEEDED and image is not None:
        return Result(row, image)
    if row.status == Status.FILTERED:
        return Result(row)
    if row.status == Status.CANCELED:
        return Result(row, failure=compat_errors.canceled())
    return Result(row, failure=_failure(row))


def _failure(row: Generation) -> Problem:
    """What the provider said to our call is what we say to the one that waited for it."""
    if row.code in CONTENT_CODES:
        return Problem(403, "content_moderation", (f"{FLAGGED} {NOT_CHARGED}",))
    if row.code == "invalid_language":
        return Problem(422, row.code, (ENGLISH_ONLY,))
    if row.code == "public_figure":
        return Problem(422, row.code, (row.reason,))
    last = Attempt.objects.filter(generation=row).order_by("-number").first()
    if last is not None and last.outcome == Outcome.REFUSED:
        status = last.status_code if last.status_code in REFUSED else 400
        return Problem(status, REFUSED[status], (row.reason,))
    return Problem(500, "internal_error", (row.reason or str(compat_errors.internal_error()),))
