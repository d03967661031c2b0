"""The sandbox's errors as Black Forest Labs answers them: `detail` is a sentence, or a list about fields.

Source: docs/providers/flux.md, "Statuses".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request

NOT_AUTHENTICATED = "Not authenticated"
# Statuses and sentences where they are not the sandbox's own; the sentences are not known, but the first one.
ANSWERS = {
    "unauthorized": (403, NOT_AUTHENTICATED),
    "content_moderation": (403, NOT_AUTHENTICATED),  # moderation is said by the task, and never so
    "payment_required": (402, "Insufficient credits"),
    "not_found": (404, "Not Found"),
    "rate_limit_exceeded": (429, "Too many tasks in progress"),
    "internal_error": (500, "Internal Server Error"),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field, as FastAPI says it."""

    field: str
    message: str
    kind: str

    def as_json(self) -> dict[str, object]:
        """The entry of `detail`."""
        return {"type": self.kind, "loc": ["body", self.field], "msg": self.message}


class Unprocessable(ApiError):
    """422: some fields are missing, unknown or out of their range."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(422, "unprocessable", *(f"{each.field}: {each.message}" for each in problems))
        self.problems = problems


def too_many_tasks() -> ApiError:
    """Return the error of more tasks under way than the account may have."""
    return ApiError(429, "rate_limit_exceeded")


def error_response(error: ApiError, request: Request) -> Response:
    """Return an error in the maker's format; a gateway refuses keys in its own."""
    if isinstance(error, Unprocessable):
        return as_json({"detail": [each.as_json() for each in error.problems]}, 422)
    if request.prefix and error.name == "unauthorized":
        said = {"message": "Invalid token (request id: 1)", "type": "new_api_error"}
        return as_json({"error": said}, 401)
    status, sentence = ANSWERS.get(error.name, (error.status, "; ".join(error.errors)))
    return as_json({"detail": sentence}, status, error.headers)
