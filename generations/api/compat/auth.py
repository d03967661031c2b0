"""Authentication of compatible calls: the API token in their headers, and what it may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from generations.api import auth
from generations.api.auth import Caller
from generations.api.compat import errors as compat_errors
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Scope, Token

BEARER = re.compile(r"(?:bearer\s+)?(\S{1,200})", re.IGNORECASE)  # one gateway's page shows the bare key


def require_https(scope: Mapping[str, Any]) -> None:
    """Raise CompatError (403) for plain HTTP on an HTTPS portal: the token was already sent unencrypted."""
    if settings.SECURE_SSL_REDIRECT and scope.get("scheme") == "http":
        raise compat_errors.forbidden(
            _("Call this portal by https. Create a new token: this one was sent unencrypted.")
        )


def authenticate(headers: Mapping[str, str]) -> Caller:
    """Return the caller and count the request. Raises CompatError (401), and rate_limit.TooManyRequests."""
    found = BEARER.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise compat_errors.unauthorized()
    try:
        return auth.authenticate(found[1])
    except auth.Unauthorized as refusal:
        raise compat_errors.unauthorized(str(refusal)) from None


def require_generate(token: Token) -> None:
    """Raise CompatError (403) unless the token and its member's role may generate images."""
    if not teams_api_tokens.allows(token, Scope.GENERATE):
        raise compat_errors.forbidden(_("This token may not generate images."))


def require_read(token: Token) -> None:
    """Raise CompatError (403) unless the token may read or generate; generating clients list models too."""
    if not (teams_api_tokens.allows(token, Scope.READ) or teams_api_tokens.allows(token, Scope.GENERATE)):
        raise compat_errors.forbidden(_("This token may not read."))
