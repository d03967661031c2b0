"""Who calls: headers, and the token among them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from generations.api import auth
from generations.api.auth import Caller
from generations.api.compat import errors as compat_errors
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Scope, Token

SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
BEARER = re.compile(r"(?:bearer\s+)?(\S{1,200})", re.IGNORECASE)  # one gateway's page shows the bare key


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Headers by lower name; what was sent twice stands side by side, and so is no token."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1").strip()
        key = name.decode("latin-1").lower()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def must_be_safe(scope: Mapping[str, Any]) -> None:
    """Problem (403) if a portal of https is called without: a redirect would come too late for the token."""
    if settings.SECURE_SSL_REDIRECT and scope.get("scheme") == "http":
        raise compat_errors.forbidden(_("Call this portal by https. Make a new token: this one was seen."))


def request_name(headers: Mapping[str, str]) -> str:
    """The call's name in logs and answers; a sane one of the client's is kept."""
    given = headers.get("x-request-id", "")
    return given if SANE.fullmatch(given) else uuid.uuid4().hex


def enter(headers: Mapping[str, str]) -> Caller:
    """Who calls, counted. Raises Problem (401), and limits.TooManyRequests."""
    found = BEARER.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise compat_errors.unauthorized()
    try:
        return auth.admit(found[1])
    except auth.Unauthorised as refusal:
        raise compat_errors.unauthorized(str(refusal)) from None


def must_generate(token: Token) -> None:
    """Problem (403) if the token, or its member's role, is not for making pictures."""
    if not teams_api_tokens.allows(token, Scope.GENERATE):
        raise compat_errors.forbidden(_("This token may not make pictures."))


def must_look(token: Token) -> None:
    """Problem (403) if the token is neither for looking nor for making pictures, which begins by it."""
    if not (teams_api_tokens.allows(token, Scope.READ) or teams_api_tokens.allows(token, Scope.GENERATE)):
        raise compat_errors.forbidden(_("This token may not read."))
