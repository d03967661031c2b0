"""Which body an address takes, and who may send it: decided before a byte of the body is read.

Every address takes a megabyte. Uploads take more, from people with a session in the team and from programs
with a token.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.handlers.asgi import get_script_prefix
from django.db import DatabaseError, connection
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from generations.api import addresses, auth
from generations.api.v1.error_format import ApiError
from generations.core import asgi, request_body
from generations.core.asgi import Scope
from generations.core.request_body import MIB
from generations.jobs.live import connections
from generations.teams import api_tokens as teams_api_tokens

log = logging.getLogger(__name__)

MAX_BODY = MIB
# By the name of the address. Far above the 10 MiB of a picture, so that the form can explain that one is a
# little too large, and without scripts several are imported at once.
UPLOADS: Mapping[str, int] = {
    "jobs:create": 32 * MIB,
    "library:upload": 32 * MIB,
    "library:upload_images": 32 * MIB,
    "office:grant_csv": 2 * MIB,
    "v1:upload_start_image": 10 * MIB,
}
RETRY_AFTER = "5"  # seconds
CHECK_SECONDS = 10.0  # for which an upload waits until its sender is known
# Few: they compete with the event loop for the GIL, and 200 uploads at once on eight threads held it up for
# seconds. Two check 150 uploads a second.
check_threads = asgi.Threads("check", 2)
BARE_HEADERS = {  # which Django's middleware sets on other responses
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Address:
    """What a path leads to; `name` is empty if it leads nowhere."""

    path: str
    name: str = ""
    team: str = ""

    @property
    def is_api(self) -> bool:
        """Whether programs read its responses, so that errors are JSON."""
        return addresses.is_own(self.path)

    @property
    def max_body(self) -> int:
        """How large a body it takes, in bytes."""
        return UPLOADS.get(self.name, MAX_BODY)


def address_of(scope: Scope) -> Address:
    """The address that the request's path leads to."""
    path = scope["path"].removeprefix(get_script_prefix(scope).rstrip("/"))
    try:
        found = resolve(path)
    except Resolver404:
        return Address(path)
    return Address(path, found.view_name, found.kwargs.get("team", ""))


async def refusal(address: Address, headers: Mapping[str, str]) -> HttpResponse | None:
    """The response to a body that must not be read at all, None if it may.

    Nothing is asked of forms: they are small, and their views say who may send them.
    """
    try:
        length = request_body.declared_length(headers)
    except request_body.BadLength as problem:
        return refused(address, problem)
    if length is not None and length > address.max_body:
        return refused(address, request_body.TooLarge())
    if address.name not in UPLOADS or not request_body.is_announced(headers):
        return None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await (_without_token(headers) if address.is_api else _without_session(address, headers))
    except (TimeoutError, DatabaseError) as problem:
        log.warning("The sender of an upload could not be checked: %r", problem)
        return error(address, 503, "busy", _("The portal is busy. Try again soon."))


def refused(address: Address, problem: request_body.BodyRefused) -> HttpResponse:
    """The response to a body that was refused, in the format of the address."""
    most = {"most": address.max_body // MIB}
    code, message = {
        400: ("bad_request", _("The Content-Length of this request is not a number.")),
        408: ("too_slow", _("This request did not arrive in time. Try again.")),
        413: ("too_large", _("This request is larger than the %(most)s MB that are taken here.") % most),
        503: ("busy", _("The portal is busy. Try again soon.")),
    }[problem.status]
    return error(address, problem.status, code, message)


def error(address: Address, status: int, code: str, message: str) -> HttpResponse:
    """An error that was found before Django could respond, in the format of the address."""
    response = (
        ApiError(status, code, message).response()
        if address.is_api
        else HttpResponse(message, status=status, content_type="text/plain")
    )
    return _bare(response)


async def _without_token(headers: Mapping[str, str]) -> HttpResponse | None:
    """401 unless the headers have a valid API token; its scopes are checked by the view."""
    found = auth.BEARER.fullmatch(headers.get("authorization", "").strip())
    problem = await check_threads.run(_token_problem, found[1]) if found else auth.Unauthorized()
    if problem is None:
        return None
    return _bare(
        ApiError(401, "unauthorized", str(problem), headers={"WWW-Authenticate": "Bearer"}).response()
    )


def _token_problem(secret: str) -> Exception | None:
    """Why it is no valid token. The request is counted later, by the view."""
    try:
        teams_api_tokens.authenticate(secret)
    except teams_api_tokens.TokenInvalid as problem:
        return problem
    finally:
        connection.close()
    return None


async def _without_session(address: Address, headers: Mapping[str, str]) -> HttpResponse | None:
    """The way to the sign-in page unless the session cookie is that of a member of the team."""
    page = await check_threads.run(connections.sign_in, headers.get("cookie", ""), address.team)
    if page is not None:
        return None
    back = reverse("jobs:create", args=[address.team]) if address.name == "library:upload" else address.path
    location = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({REDIRECT_FIELD_NAME: back})}"
    if "hx-request" in headers:
        return _bare(HttpResponse(headers={"HX-Redirect": location}))
    return _bare(HttpResponseRedirect(location, status=303))  # a GET, also of the form that was sent


def _bare(response: HttpResponse) -> HttpResponse:
    for name, value in BARE_HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status_code == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response
