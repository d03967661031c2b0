"""Errors of /api/v1: a status, a code for programs, a message for people, the field if one is invalid.

Every process has this; all else of /api/v1 is imported when the portal runs: docs/decisions/processes.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.api import addresses
from generations.api.auth import Caller

GetResponse = Callable[[HttpRequest], HttpResponseBase]


@dataclass(eq=False)
class ApiError(Exception):
    """A refused request."""

    status: int
    code: str
    message: str
    field_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """Return the error as JSON."""
        error = {"code": self.code, "message": self.message}
        if self.field_name:
            error["field"] = self.field_name
        text = json.dumps({"error": error}, ensure_ascii=True)
        return HttpResponse(
            text, status=self.status, content_type="application/json", headers=dict(self.headers)
        )


# Code and message of what Django and its middleware refuse by themselves, by status.
FRAMEWORK_ERRORS = {
    400: ("bad_request", gettext_lazy("This request cannot be read.")),
    403: ("forbidden", gettext_lazy("This is not allowed.")),
    404: ("not_found", gettext_lazy("Not found.")),
    405: ("method_not_allowed", gettext_lazy("This path does not accept that method.")),
    413: ("too_large", gettext_lazy("This request is larger than any this portal takes.")),
    500: ("internal_error", gettext_lazy("An unexpected error occurred. It was logged.")),
    503: ("busy", gettext_lazy("The portal is busy. Try again soon.")),
}


def middleware(get_response: GetResponse) -> GetResponse:
    """Give errors of Django the API's format, and add rate limit headers to every response.

    It stands before the middleware whose errors it translates.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        return _finish(request, response) if addresses.is_own(request.path) else response

    return respond


def translate(response: HttpResponse) -> None:
    """Give a response of Django, such as a page for an error, the format of the API's errors."""
    if response.headers.get("Location", "").startswith("https://"):  # it would make a GET of every request
        text = _("Call this portal by https. Create a new token: this one was sent unencrypted.")
        error = ApiError(403, "https_required", text)
    elif response.status_code in (301, 302):  # to the same path with a slash, which is no better
        error = not_found()
    elif response.status_code in FRAMEWORK_ERRORS:
        code, message = FRAMEWORK_ERRORS[response.status_code]
        error = ApiError(response.status_code, code, str(message))
    else:
        return
    body = error.response()
    response.status_code, response.content = error.status, body.content
    response.headers["Content-Type"] = body.headers["Content-Type"]
    for name in ("Location", "Content-Language"):
        response.headers.pop(name, None)
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(body.content))


def not_found() -> ApiError:
    """404: it does not exist, or the caller may not see it."""
    return ApiError(404, "not_found", _("Not found."))


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    if isinstance(response, HttpResponse) and not is_json:
        translate(response)
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller) and caller.allowance:
        for name, value in caller.allowance.headers.items():
            response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    return response
