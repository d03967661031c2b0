"""The sandbox's errors as OpenAI answers them, and below a gateway's prefix as resellers do.

Source: docs/providers/openai.md, "Statuses".
"""

from __future__ import annotations

from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request

INVALID, USER_ERROR = "invalid_request_error", "image_generation_user_error"  # types
MODERATED = (
    "Your request was rejected by the safety system. If you believe this is an error, contact us at "
    "help.openai.com and include the request ID. safety_violations=[sexual]."
)
# Status, type, code and message of the errors that all systems have.
ANSWERS = {
    "content_moderation": (400, USER_ERROR, "moderation_blocked", MODERATED),
    "payment_required": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "rate_limit_exceeded": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for images per minute. Please try again later.",
    ),
    "internal_error": (
        500,
        "server_error",
        "server_error",
        "The server had an error while processing your request.",
    ),
    "payload_too_large": (413, INVALID, "payload_too_large", "The request is too large."),
}
RESELLER_MODERATED = 451  # some resellers' status for it


class RequestError(ApiError):
    """An error of the request, with the field that it is about."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(status, code or "bad_request", message)
        self.param, self.code = param, code
        self.kind = INVALID


class InvalidImage(RequestError):
    """An image that cannot be read."""

    def __init__(self, param: str) -> None:
        super().__init__(f"Invalid image file or mode for {param}.", param=param, code="invalid_image_file")
        self.kind = USER_ERROR


def unknown_field(name: str) -> RequestError:
    """Return the error of a field that the call does not have."""
    return RequestError(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def missing_field(name: str) -> RequestError:
    """Return the error of a field that is required."""
    message = f"Missing required parameter: '{name}'."
    return RequestError(message, param=name, code="missing_required_parameter")


def invalid_value(name: str, message: str) -> RequestError:
    """Return the error of a value that the field does not take."""
    return RequestError(message, param=name, code="invalid_value")


def model_not_found(name: str) -> RequestError:
    """Return the error of a model that never was, or has ended."""
    message = f"The model '{name[:60]}' does not exist or you do not have access to it."
    return RequestError(message, param="model", code="model_not_found", status=404)


def error_response(error: ApiError, request: Request) -> Response:
    """Return an error in OpenAI's format."""
    if isinstance(error, RequestError):
        return _response(error.status, error.kind, error.code, error.errors[0], param=error.param)
    if error.name == "unauthorized":
        return _response(401, INVALID, "invalid_api_key", _wrong_key(request.key))
    if error.name == "not_found":
        return _response(404, INVALID, None, f"Invalid URL ({request.method} {request.path})")
    if error.name == "content_moderation" and request.prefix:
        return _response(RESELLER_MODERATED, "new_api_error", None, "The request was blocked.")
    usual = (error.status, INVALID, None, "; ".join(error.errors))
    status, kind, code, message = ANSWERS.get(error.name, usual)
    return _response(status, kind, code, message, headers=error.headers)


def _response(
    status: int,
    kind: str,
    code: str | None,
    message: str,
    *,
    param: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return as_json({"error": error}, status, headers)


def _wrong_key(key: str) -> str:
    """Echo the ends of the key, as the real service does: clients must redact them."""
    if not key:
        return "You didn't provide an API key."
    return f"Incorrect API key provided: {key[:8]}{'*' * 20}{key[-4:]}."
