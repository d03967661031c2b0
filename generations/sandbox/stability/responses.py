"""Responses, and errors in the format of each API version."""

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
class Response:
    """A complete HTTP response.

    `cut` sends only that many bytes of the body, then closes; `dropped` closes without a response.
    """

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Headers = ()
    cut: int | None = None
    dropped: bool = False


class ApiError(Exception):
    """The call gets an error response: status, name, and one sentence per error."""

    def __init__(self, status: int, name: str, *errors: str, headers: Headers = ()) -> None:
        super().__init__(*errors)
        self.status = status
        self.name = name
        self.errors = list(errors)
        self.headers = headers


def as_json(value: Any, status: int = 200, headers: Headers = ()) -> Response:
    """Return a JSON response."""
    return Response(status, json.dumps(value).encode(), headers=headers)


def error_response(error: ApiError, *, version: str, request_id: str) -> Response:
    """Return an error in the format of v1 (`message`) or v2beta (`errors`)."""
    identity = "rate_limit_exceeded" if error.status == 429 else request_id
    if version == "v1":
        name = V1_NAMES.get(error.name, error.name)
        envelope: dict[str, Any] = {"id": identity, "name": name, "message": "; ".join(error.errors)}
    else:
        envelope = {"id": identity, "name": error.name, "errors": error.errors}
    return as_json(envelope, error.status, error.headers)


def bad_request(*errors: str) -> ApiError:
    """Return the error of invalid fields, one sentence each."""
    return ApiError(400, "bad_request", *errors)


def not_found() -> ApiError:
    """Return the error of an unknown path or method."""
    return ApiError(404, "not_found", "The requested resource does not exist.")


def payload_too_large() -> ApiError:
    """Return the error of a body over 10 MiB."""
    return ApiError(413, "payload_too_large", "body: payloads cannot be larger than 10MiB in size")


def payment_required() -> ApiError:
    """Return the error of a too low balance."""
    text = "Insufficient credits. Purchase more credits at https://platform.stability.ai/account/credits."
    return ApiError(402, "payment_required", text)


def moderated() -> ApiError:
    """Return the error of a flagged prompt, which is not charged."""
    text = "Your request was flagged by our content moderation system, as a result your request was denied."
    return ApiError(403, "content_moderation", f"{text} You were not charged for this request.")


def wrong_language() -> ApiError:
    """Return the error of a prompt that is not English."""
    return ApiError(422, "invalid_language", "English is the only supported language for this service.")


def rate_limited(seconds: str = "") -> ApiError:
    """Return the error of too many calls.

    The real service is not known to send Retry-After, so it is only sent if `seconds` are given.
    """
    text = "You have exceeded the rate limit of 150 requests within a 10 second period."
    headers = (("retry-after", seconds),) if seconds else ()
    return ApiError(429, "rate_limit_exceeded", f"{text} You are timed out for 60 seconds.", headers=headers)


def internal_error() -> ApiError:
    """Return the error of a failure of the provider."""
    return ApiError(500, "internal_error", "An unexpected server error has occurred, please try again later.")


def unauthorized(version: str, key: str) -> ApiError:
    """Return the error of a missing or wrong key. v1 echoes it, as the real one does: clients must redact."""
    if version != "v1":
        return ApiError(401, "unauthorized", "authorization: invalid or missing header value")
    where = "You can find your API key at https://platform.stability.ai/account/keys."
    text = f"Incorrect API key provided: {key}. {where}" if key else "missing authorization header"
    return ApiError(401, "unauthorized", text)
