"""The sandbox's errors as Recraft sends them: in plain text, or as JSON with a code.

Source: docs/providers/recraft.md, "Statuses".
"""

from __future__ import annotations

from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request

TEXTS = {"unauthorized": "request unauthorized", "not_found": "404 page not found"}
CODES = {  # name of the sandbox's error: status and code
    "payment_required": (402, "not_enough_credits"),
    "content_moderation": (400, "prompt_is_improper"),
    "rate_limit_exceeded": (429, "rate_limit_exceeded"),
    "payload_too_large": (413, "image_too_big"),
    "bad_request": (400, "invalid_request"),
}


def error_response(error: ApiError, _request: Request) -> Response:
    """Return an error in plain text, or as JSON if Recraft has a code for it."""
    if error.name in TEXTS:
        return Response(error.status, TEXTS[error.name].encode(), "text/plain; charset=utf-8", error.headers)
    status, code = CODES.get(error.name, (error.status, error.name))
    return as_json({"code": code, "message": "; ".join(error.errors)}, status, error.headers)
