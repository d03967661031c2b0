"""Responses and errors of every system; each system writes the errors in its own format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]


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


def bad_request(*errors: str) -> ApiError:
    """Return the error of invalid fields, one sentence each."""
    return ApiError(400, "bad_request", *errors)


def unauthorized() -> ApiError:
    """Return the error of a missing or wrong key."""
    return ApiError(401, "unauthorized", "authorization: invalid or missing header value")


def payment_required() -> ApiError:
    """Return the error of a too low balance."""
    return ApiError(402, "payment_required", "Insufficient credits.")


def moderated() -> ApiError:
    """Return the error of a flagged prompt, which is not charged."""
    return ApiError(403, "content_moderation", "The prompt was flagged. You were not charged.")


def not_found() -> ApiError:
    """Return the error of an unknown path or method."""
    return ApiError(404, "not_found", "The requested resource does not exist.")


def generation_not_found() -> ApiError:
    """Return the error of a task that is unknown, expired or another key's."""
    text = "id: the generation either does not exist or has expired."
    return ApiError(404, "generation_not_found", text)


def payload_too_large() -> ApiError:
    """Return the error of a body over 10 MiB."""
    return ApiError(413, "payload_too_large", "body: payloads cannot be larger than 10MiB in size")


def wrong_language() -> ApiError:
    """Return the error of a prompt that is not English."""
    return ApiError(422, "invalid_language", "English is the only supported language for this service.")


def public_figure() -> ApiError:
    """Return the error of an image that shows a public figure."""
    return ApiError(422, "public_figure", "The image shows the likeness of a public figure.")


def rate_limited(seconds: str = "") -> ApiError:
    """Return the error of too many calls, with a Retry-After header if `seconds` are given."""
    headers = (("retry-after", seconds),) if seconds else ()
    return ApiError(429, "rate_limit_exceeded", "Too many requests.", headers=headers)


def internal_error() -> ApiError:
    """Return the error of a failure of the provider."""
    return ApiError(500, "internal_error", "An unexpected server error has occurred, please try again later.")
