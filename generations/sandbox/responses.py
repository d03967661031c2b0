"""What goes back over the wire: answers, and refusals in the envelope of each API version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]

# docs/providers/stability.md, "v1 text to image"; v2beta names without an entry keep their spelling.
V1_NAMES = {
    "internal_error": "server_error",
    "content_moderation": "permission_denied",
}


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer. `cut` sends only that many bytes of the body, then closes."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Headers = ()
    cut: int | None = None
    dropped: bool = False


class RefusalError(Exception):
    """The call is answered with an error: status, name, and one sentence per problem."""

    def __init__(self, status: int, name: str, *errors: str, headers: Headers = ()) -> None:
        super().__init__(*errors)
        self.status = status
        self.name = name
        self.errors = list(errors)
        self.headers = headers


def as_json(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """Answer with a JSON document."""
    return Answer(status, json.dumps(value).encode(), headers=headers)


def refused(refusal: RefusalError, *, version: str, request_id: str) -> Answer:
    """Put a refusal into the envelope of v1 (`message`) or v2beta (`errors`)."""
    identity = "rate_limit_exceeded" if refusal.status == 429 else request_id
    if version == "v1":
        name = V1_NAMES.get(refusal.name, refusal.name)
        envelope: dict[str, Any] = {"id": identity, "name": name, "message": "; ".join(refusal.errors)}
    else:
        envelope = {"id": identity, "name": refusal.name, "errors": refusal.errors}
    return as_json(envelope, refusal.status, refusal.headers)


def bad_request(*errors: str) -> RefusalError:
    """Name what is wrong, field by field."""
    return RefusalError(400, "bad_request", *errors)


def not_found() -> RefusalError:
    """Nothing is served at this path with this method."""
    return RefusalError(404, "not_found", "The requested resource does not exist.")


def payload_too_large() -> RefusalError:
    """The body is over 10 MiB."""
    return RefusalError(413, "payload_too_large", "body: payloads cannot be larger than 10MiB in size")


def payment_required() -> RefusalError:
    """The balance does not cover this call."""
    text = "Insufficient credits. Purchase more credits at https://platform.stability.ai/account/credits."
    return RefusalError(402, "payment_required", text)


def moderated() -> RefusalError:
    """The prompt was flagged; not charged."""
    text = "Your request was flagged by our content moderation system, as a result your request was denied."
    return RefusalError(403, "content_moderation", f"{text} You were not charged for this request.")


def wrong_language() -> RefusalError:
    """The prompt is not in English."""
    return RefusalError(422, "invalid_language", "English is the only supported language for this service.")


def too_many(seconds: str = "") -> RefusalError:
    """Too many calls; the real service is not known to send Retry-After, so only when asked."""
    text = "You have exceeded the rate limit of 150 requests within a 10 second period."
    headers = (("retry-after", seconds),) if seconds else ()
    return RefusalError(
        429, "rate_limit_exceeded", f"{text} You are timed out for 60 seconds.", headers=headers
    )


def internal_error() -> RefusalError:
    """Something broke on the provider's side."""
    return RefusalError(
        500, "internal_error", "An unexpected server error has occurred, please try again later."
    )


def unauthorized(version: str, key: str) -> RefusalError:
    """The key is missing or wrong. v1 echoes it, as the real one does: callers must redact."""
    if version != "v1":
        return RefusalError(401, "unauthorized", "authorization: invalid or missing header value")
    where = "You can find your API key at https://platform.stability.ai/account/keys."
    text = f"Incorrect API key provided: {key}. {where}" if key else "missing authorization header"
    return RefusalError(401, "unauthorized", text)
