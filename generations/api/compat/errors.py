"""Why a call gets no picture, in one vocabulary: each wire format writes it down in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from generations.api import idempotency
from generations.api.rate_limit import TooManyRequests
from generations.credits import ledger
from generations.jobs import model_access, pricing, submission
from generations.library.storage.client import StorageUnavailable
from generations.library.uploads.start_images import BadUpload
from generations.providers.catalogue.registry import InvalidParameters


@dataclass(eq=False)
class Problem(Exception):
    """A call that is refused or failed: status and name as in docs/providers/stability.md, "Statuses".

    `errors` are sentences for whoever wrote the program; `about` names the field that is wrong, if one is.
    """

    status: int
    name: str
    errors: tuple[str, ...]
    about: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return "; ".join(self.errors)


def bad_fields(errors: Mapping[str, str]) -> Problem:
    """400, with a sentence for each field."""
    sentences = tuple(f"{name[:60]}: {sentence}" for name, sentence in errors.items())
    return Problem(400, "bad_request", sentences, about=next(iter(errors)))


def unauthorized(sentence: str = "") -> Problem:
    """401: no token, or one that lets nobody in."""
    said = ("authorization: invalid or missing header value", *([sentence] if sentence else []))
    return Problem(401, "unauthorized", said, headers={"www-authenticate": "Bearer"})


def payment_required(sentence: str) -> Problem:
    """402: credits or a cap do not cover this call."""
    return Problem(402, "payment_required", (sentence,))


def forbidden(sentence: str) -> Problem:
    """403: the token or its member may not do this."""
    return Problem(403, "permission_denied", (sentence,))


def not_found(sentence: str = "The requested resource does not exist.") -> Problem:
    """404: nothing is served at this address with this method."""
    return Problem(404, "not_found", (sentence,))


def too_large() -> Problem:
    """413: over 10 MiB."""
    return Problem(413, "payload_too_large", ("body: payloads cannot be larger than 10MiB in size",))


def conflict(sentence: str) -> Problem:
    """409: the key stands for another call."""
    return Problem(409, "idempotency_key_reused", (sentence,), about="Idempotency-Key")


def bad_key(sentence: str) -> Problem:
    """400: the key is none."""
    return bad_fields({"Idempotency-Key": sentence})


def unavailable(sentence: str) -> Problem:
    """503: the portal cannot do it now, and may in a moment."""
    return Problem(503, "service_unavailable", (sentence,), headers={"retry-after": "10"})


def internal_error() -> Problem:
    """500: nobody knows why."""
    text = "An unexpected server error has occurred, please try again later."
    return Problem(500, "internal_error", (text,))


def of(refusal: Exception) -> Problem | None:
    """What a verb's refusal is to a program; None for what is no refusal."""
    if isinstance(refusal, Problem):
        return refusal
    if isinstance(refusal, InvalidParameters):
        return bad_fields(refusal.errors)
    if isinstance(refusal, BadUpload):
        return bad_fields({"image": str(refusal)})
    if isinstance(refusal, TooManyRequests):
        return Problem(429, "rate_limit_exceeded", (str(refusal),), headers=refusal.allowance.headers)
    return next((make(str(refusal)) for kind, make in REFUSALS.items() if isinstance(refusal, kind)), None)


def canceled() -> Problem:
    """Somebody took the picture back while its call waited. Not charged."""
    return Problem(400, "canceled", (_("This picture was canceled while it waited. It was not charged."),))


REFUSALS: Mapping[type[Exception], Callable[[str], Problem]] = {
    ledger.InsufficientCredits: payment_required,
    ledger.CapReached: payment_required,
    ledger.MembershipEnded: unauthorized,
    pricing.PriceRose: payment_required,
    model_access.ModelNotAllowed: forbidden,
    model_access.TokenCapReached: payment_required,
    idempotency.BadKey: bad_key,
    idempotency.KeyReused: conflict,
    submission.NoUpstream: unavailable,
    StorageUnavailable: unavailable,
}
