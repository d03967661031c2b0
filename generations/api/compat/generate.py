"""Submit generations for a call, wait until they end, and read their results."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from generations.api import idempotency
from generations.api.compat import errors as compat_errors
from generations.api.compat import undelivered
from generations.api.compat.base import GenerationRequest, InputFile, MaskChanges, Result, wire_errors
from generations.api.compat.errors import CompatError
from generations.api.compat.http import ClientDisconnected
from generations.api.compat.undelivered import Delivery
from generations.core import asgi
from generations.core.asgi import Receive
from generations.jobs import inputs as job_inputs
from generations.jobs import submission
from generations.jobs.inputs import NewInput
from generations.jobs.live import sse
from generations.jobs.models import Attempt, Batch, Generation, Outcome, Status
from generations.library.models import Image
from generations.library.uploads import input_images
from generations.providers.base import CONTENT_CODES
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership, Token

# The provider's own sentences (docs/providers/stability.md, "Statuses"): clients search for these words.
FLAGGED = "Your request was flagged by our content moderation system, as a result your request was denied."
NOT_CHARGED = "You were not charged for this request."
GOES_ON = (
    "It continues; its image will be in the library. Send the same request again within ten minutes to wait"
    " for it: nothing more is ordered."
)
ENGLISH_ONLY = "English is the only supported language for this service."
REFUSED = {
    400: "bad_request",
    403: "permission_denied",
    413: "payload_too_large",
    422: "unprocessable_entity",
}


@dataclass(frozen=True)
class Submitted:
    """The batch of a call, or of several with the same Idempotency-Key, and its generations in order.

    `delivery` is what a call without a key has to report: whether the client got the answer.
    """

    batch: uuid.UUID
    generations: tuple[uuid.UUID, ...]
    delivery: Delivery | None = None


class Order:
    """What one call orders: `submit` it until that is decided.

    The same key, path and request have the same batch. Without a key, a request that equals one of this token
    whose answer was not delivered has that one's batch. Only the id of the batch is stored, so a repeated
    call waits for the same images.
    """

    def __init__(self, token: Token, request: GenerationRequest, path: str, key: str | None) -> None:
        self.token, self.request, self._key = token, request, key
        self._fingerprint = _fingerprint(path, request)
        self._search = undelivered.Search(token, self._fingerprint)

    def submit(self) -> Submitted:
        """Submit the request, or find what it joins.

        Raises CompatError for wrong fields and files, undelivered.Undecided, what else
        `jobs.submission.submit` raises, BadKey and KeyReused.
        """
        try:
            return self._submit() if self._key is None else self._submit_once()
        except InvalidParameters as problem:
            raise compat_errors.bad_fields(wire_errors(self.request, problem.errors)) from None

    def _submit(self) -> Submitted:
        if delivery := self._search.take():
            return of_batch(delivery.batch, delivery)
        inputs = self._inputs(None)
        batch, delivery = undelivered.record(self.token, self._fingerprint, lambda: self._batch(inputs))
        assert batch.created is not None  # without a submission id it is always a new one
        return Submitted(batch.pk, tuple(row.pk for row in batch.created), delivery)

    def _submit_once(self) -> Submitted:
        call = idempotency.begin(self.token.membership, self._key, self._fingerprint)
        if call.response is not None:
            return of_batch(uuid.UUID(call.response.body))
        with idempotency.released_if_refused(call):
            batch = self._batch(self._inputs(call.submission), call.submission)
        idempotency.finish(call, idempotency.StoredResponse(200, str(batch.pk)))
        return of_batch(batch.pk)

    def _batch(self, inputs: Sequence[NewInput], submission_id: uuid.UUID | None = None) -> Batch:
        return submission.submit(
            member=self.token.membership,
            model=self.request.model,
            parameters=self.request.parameters,
            count=self.request.count,
            submission=submission_id,
            prices_at=None,
            inputs=inputs,
            token=self.token,
        )

    def _inputs(self, submission_id: uuid.UUID | None) -> list[NewInput]:
        """Store the files as the model takes them, before a transaction begins: it would take too long.

        Nothing is stored if the order would be refused whatever they are. Raises CompatError (400), which
        names their parts, and what `submission.check` and `inputs.prepare` raise.
        """
        request, member = self.request, self.token.membership
        if not request.files:
            return []
        submission.check(
            member=member,
            model=request.model,
            parameters=request.parameters,
            roles={file.role for file in request.files},
            count=request.count,
            submission=submission_id,
            prices_at=None,
            token=self.token,
        )
        inputs = [_input(member, request, file) for file in request.files]
        return job_inputs.prepare(member, catalogue_registry.get(request.model), inputs)


def of_batch(batch: uuid.UUID, delivery: Delivery | None = None) -> Submitted:
    """Return the batch with its generations; a retry of one is not part of the call."""
    rows = Generation.objects.filter(batch=batch, retry_of=None)
    return Submitted(batch, tuple(rows.order_by("position").values_list("pk", flat=True)), delivery)


async def wait(generations: Sequence[uuid.UUID], receive: Receive, seconds: float) -> None:
    """Return once all generations have ended; meanwhile the call holds only this coroutine.

    Raises ClientDisconnected, and CompatError (424) after `seconds` or if this process stops. In each case
    the generations continue, and their images are added to the library.
    """
    awaited = sse.hub().registry
    waiter = awaited.begin(generations)
    ended = asyncio.create_task(waiter.over.wait())
    disconnected = asyncio.create_task(asgi.wait_for_disconnect(receive))
    try:
        await asyncio.wait({ended, disconnected}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if waiter.closed:
            raise _stopping(generations)
        if ended.done():
            return
        raise ClientDisconnected if disconnected.done() else _timed_out(generations)
    except asyncio.CancelledError:  # the server cancels calls that are still running when it stops
        raise _stopping(generations) from None
    finally:
        ended.cancel()
        disconnected.cancel()
        awaited.leave(waiter)


def results(submitted: Submitted) -> list[Result]:
    """Return the result of every generation, in order.

    A failure of CompatError: 410 for one whose image was deleted since, 500 for one that has not ended.
    """
    rows = Generation.objects.in_bulk(submitted.generations)
    images = Image.objects.filter(generation__in=submitted.generations, trashed_at=None).order_by("-position")
    by_generation = {image.generation: image for image in images}
    return [_result(rows[pk], by_generation.get(pk)) for pk in submitted.generations]


def _fingerprint(path: str, request: GenerationRequest) -> str:
    """Of the parsed request, not of the body: a client that repeats a form chooses another boundary."""
    parsed = json.dumps([request.model, request.count, dict(request.parameters)], sort_keys=True)
    # As it was when there was one image at most: keys from before an upgrade are still known.
    image = next((file for file in request.files if file.role == IMAGE), None)
    parts = [parsed.encode(), image.data if image else b""]
    for file in request.files:
        if file is not image:
            parts += [f"{file.role} {file.mask_changes.value}".encode(), file.data]
    return idempotency.fingerprint("POST", path, *parts)


def _input(member: Membership, request: GenerationRequest, file: InputFile) -> NewInput:
    content, changes = io.BytesIO(file.data), file.mask_changes
    try:
        if file.role != MASK:
            return NewInput(file.role, input_images.save_upload(member=member, file=content, name=file.name))
        mask = input_images.save_mask(
            member=member,
            file=content,
            name=file.name,
            transparent_is_white=changes is MaskChanges.TRANSPARENT,
            black_is_white=changes is MaskChanges.BLACK,
        )
    except input_images.BadUpload as problem:
        raise compat_errors.bad_fields(wire_errors(request, {file.role: str(problem)})) from None
    return NewInput(file.role, mask)


def _timed_out(generations: Sequence[uuid.UUID]) -> CompatError:
    return compat_errors.order_goes_on(
        "timeout", f"Timed out while waiting for {_names(generations)}. {GOES_ON}"
    )


def _stopping(generations: Sequence[uuid.UUID]) -> CompatError:
    return compat_errors.order_goes_on(
        "service_unavailable", f"The portal is restarting. {_names(generations)} is not done yet. {GOES_ON}"
    )


def _names(generations: Sequence[uuid.UUID]) -> str:
    return ", ".join(f"generation {pk}" for pk in generations)


def _result(row: Generation, image: Image | None) -> Result:
    if row.status == Status.SUCCEEDED and image is not None:
        return Result(row, image)
    if row.status == Status.SUCCEEDED:
        return Result(row, failure=compat_errors.deleted())
    if row.status == Status.FILTERED:
        return Result(row)
    if row.status == Status.CANCELED:
        return Result(row, failure=compat_errors.canceled())
    return Result(row, failure=_failure(row))


def _failure(row: Generation) -> CompatError:
    """Pass the provider's refusal on to the client, with the provider's status."""
    if row.code in CONTENT_CODES:
        return CompatError(403, "content_moderation", (f"{FLAGGED} {NOT_CHARGED}",))
    if row.code == "invalid_language":
        return CompatError(422, row.code, (ENGLISH_ONLY,))
    if row.code == "public_figure":
        return CompatError(422, row.code, (row.reason,))
    attempts = list(Attempt.objects.filter(generation=row).order_by("number"))
    if attempts and attempts[-1].outcome == Outcome.REFUSED:
        status = attempts[-1].status_code if attempts[-1].status_code in REFUSED else 400
        return CompatError(status, REFUSED[status], (row.reason,))
    if any(attempt.outcome == Outcome.UNKNOWN for attempt in attempts):
        return compat_errors.perhaps_bought(row.reason)
    return CompatError(500, "internal_error", (row.reason or str(compat_errors.internal_error()),))
