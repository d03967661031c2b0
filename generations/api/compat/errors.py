"""Errors of compatible calls, independent of the wire format that writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from generations.api import idempotency
from generations.api.rate_limit import TooManyRequests
from generations.credits import ledger
from generations.jobs import model_access, pricing, submission
from generations.library.imaging.decode import DecodingBusy
from generations.library.storage.client import StorageUnavailable
from generations.providers.catalogue.registry import InvalidParameters


@dataclass(eq=False)
class CompatError(Exception):
    """A refused or failed call: status and name as in docs/providers/stability.md, "Statuses".

    `errors` are sentences for developers; `field_name` is the invalid field, if one is. `keeps_order` says
    that the same request gets what this one ordered.
    """

    status: int
    name: str
    errors: tuple[str, ...]
    field_name: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    keeps_order: bool = False

    def __str__(self) -> str:
        return "; ".join(self.errors)


def bad_fields(errors: Mapping[str, str]) -> CompatError:
    """400: invalid fields, with a sentence for each."""
    sentences = tuple(f"{name[:60]}: {sentence}" for name, sentence in errors.items())
    return CompatError(400, "bad_request", sentences, field_name=next(iter(errors)))


def unauthorized(sentence: str = "") -> CompatError:
    """401: the token is missing, unknown, expired or revoked."""
    messages = ("authorization: invalid or missing header value", *([sentence] if sentence else []))
    return CompatError(401, "unauthorized", messages, headers={"www-authenticate": "Bearer"})


def payment_required(sentence: str) -> CompatError:
    """402: credits or a cap do not cover the price of this call."""
    return CompatError(402, "payment_required", (sentence,))


def forbidden(sentence: str) -> CompatError:
    """403: the token, or its member's role, does not allow this."""
    return CompatError(403, "permission_denied", (sentence,))


def not_found(sentence: str = "The requested resource does not exist.") -> CompatError:
    """404: nothing is served at this address with this method."""
    return CompatError(404, "not_found", (sentence,))


def result_not_found() -> CompatError:
    """404: no such result, of another member, or older than a day; in the provider's words."""
    text = "id: the generation either does not exist or has expired."
    return CompatError(404, "generation_not_found", (text,))


def too_large(limit: int) -> CompatError:
    """413: over the limit, in bytes."""
    text = f"body: payloads cannot be larger than {limit // 2**20}MiB in size"
    return CompatError(413, "payload_too_large", (text,))


def conflict(sentence: str) -> CompatError:
    """409: the Idempotency-Key was used for another call."""
    return CompatError(409, "idempotency_key_reused", (sentence,), field_name="Idempotency-Key")


def bad_key(sentence: str) -> CompatError:
    """400: the Idempotency-Key is malformed."""
    return bad_fields({"Idempotency-Key": sentence})


def order_goes_on(name: str, sentence: str) -> CompatError:
    """424: the images are ordered, and this call cannot wait for them or send them.

    No client repeats this status by itself, as many do with 408, 409, 429 and 5xx: a repeated request would
    be another order.
    """
    return CompatError(424, name, (sentence,), keeps_order=True)


def perhaps_bought(sentence: str) -> CompatError:
    """424: the provider may have drawn, but its answer was lost. No client repeats it by itself."""
    return CompatError(424, "internal_error", (sentence,))


def unavailable(sentence: str) -> CompatError:
    """503: temporarily not possible, and nothing was ordered; the client may try again."""
    return CompatError(503, "service_unavailable", (sentence,), headers={"retry-after": "10"})


def response_busy() -> CompatError:
    """503: the images are there, and too many others are being sent; the same request again gets them."""
    text = (
        "Too many images are being sent at the moment. Yours are kept in the library: send the same request"
        " again in a moment to get them, nothing more is ordered."
    )
    return CompatError(503, "response_busy", (text,), headers={"retry-after": "5"}, keeps_order=True)


def internal_error() -> CompatError:
    """500: an unexpected error."""
    text = "An unexpected server error has occurred, please try again later."
    return CompatError(500, "internal_error", (text,))


def from_exception(refusal: Exception) -> CompatError | None:
    """Translate a refusal of a service into an error of the API; None for an unexpected exception."""
    if isinstance(refusal, CompatError):
        return refusal
    if isinstance(refusal, InvalidParameters):
        return bad_fields(refusal.errors)
    if isinstance(refusal, TooManyRequests):
        return CompatError(429, "rate_limit_exceeded", (str(refusal),), headers=refusal.allowance.headers)
    return next((make(str(refusal)) for kind, make in REFUSALS.items() if isinstance(refusal, kind)), None)


def canceled() -> CompatError:
    """400: the generation was canceled while the call waited. It is not charged."""
    return CompatError(
        400, "canceled", (_("This generation was canceled before it started. You were not charged."),)
    )


def deleted() -> CompatError:
    """410: the image of a repeated call is in the trash, or deleted for good."""
    return CompatError(
        410, "deleted", (_("The image of this request was deleted. Use a new Idempotency-Key."),)
    )


REFUSALS: Mapping[type[Exception], Callable[[str], CompatError]] = {
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
    DecodingBusy: unavailable,
}
