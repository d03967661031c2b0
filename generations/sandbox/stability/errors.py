"""The sandbox's errors in Stability's words, and in the format of each version of its API."""

from __future__ import annotations

from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request

# docs/providers/stability.md, "v1 text to image"; v2beta names without an entry keep their spelling.
V1_NAMES = {
    "internal_error": "server_error",
    "content_moderation": "permission_denied",
}
# Sentences of the real service, where they differ from the sandbox's own.
SENTENCES = {
    "payment_required": "Insufficient credits. Purchase more credits at "
    "https://platform.stability.ai/account/credits.",
    "content_moderation": "Your request was flagged by our content moderation system, as a result your "
    "request was denied. You were not charged for this request.",
    # It is not known to send Retry-After.
    "rate_limit_exceeded": "You have exceeded the rate limit of 150 requests within a 10 second period. You "
    "are timed out for 60 seconds.",
}


def error_response(error: ApiError, request: Request) -> Response:
    """Return an error in the format of v1 (`message`) or v2beta (`errors`)."""
    identity = "rate_limit_exceeded" if error.status == 429 else request.request_id
    sentences = [SENTENCES[error.name]] if error.name in SENTENCES else error.errors
    if not request.path.startswith("/v1/"):
        return as_json({"id": identity, "name": error.name, "errors": sentences}, error.status, error.headers)
    name = V1_NAMES.get(error.name, error.name)
    message = _wrong_key(request.key) if error.name == "unauthorized" else "; ".join(sentences)
    return as_json({"id": identity, "name": name, "message": message}, error.status, error.headers)


def _wrong_key(key: str) -> str:
    """Echo the key, as the real v1 does: clients must redact it."""
    where = "You can find your API key at https://platform.stability.ai/account/keys."
    return f"Incorrect API key provided: {key}. {where}" if key else "missing authorization header"
