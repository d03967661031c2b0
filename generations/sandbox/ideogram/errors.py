"""The sandbox's errors as Ideogram sends them: one text, with a reason where an account is at its limit.

Source: docs/providers/ideogram.md, "Statuses".
"""

from __future__ import annotations

from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request

REASONS = {"payment_required": "insufficient_funds", "rate_limit_exceeded": "inflight_limit"}
STATUSES = {"content_moderation": 422, "payload_too_large": 400, "generation_not_found": 404}
FORBIDDEN = ("/remix", "/upscale")  # legacy calls that answer 403 to a wrong key


def error_response(error: ApiError, request: Request) -> Response:
    """Return an error in Ideogram's form."""
    status = STATUSES.get(error.name, error.status)
    if error.name == "unauthorized" and request.path in FORBIDDEN:
        status = 403
    reason = {"reject_reason": REASONS[error.name]} if error.name in REASONS else {}
    return as_json({"error": "; ".join(error.errors), **reason}, status, error.headers)
