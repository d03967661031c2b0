"""Authentication of API calls: from an Authorization header to a token and its rate limit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from generations.api import rate_limit as api_rate_limit
from generations.api.rate_limit import Allowance
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope, Token

BEARER = re.compile(r"bearer +(\S{1,200})", re.IGNORECASE)


class Unauthorized(Exception):
    """The token is missing, unknown, expired or revoked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("Send an API token of this portal as Authorization: Bearer sdw_…"))


class ScopeMissing(Exception):
    """The token does not have the scope, or its member's role no longer allows it."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            _("This API token may not %(scope)s, or its member's role does not allow it.")
            % {"scope": scope.value}
        )


@dataclass(frozen=True)
class Caller:
    """An authenticated token and what is left of its rate limit; None if requests are not counted."""

    token: Token
    allowance: Allowance | None

    @property
    def member(self) -> Membership:
        """The member for whom the token acts."""
        return self.token.membership


def authenticate_header(header: str) -> Caller:
    """Authenticate an Authorization header and count the request.

    Raises Unauthorized and rate_limit.TooManyRequests.
    """
    found = BEARER.fullmatch(header.strip())
    if found is None:
        raise Unauthorized
    return authenticate(found[1])


def authenticate(secret: str) -> Caller:
    """Authenticate a token and count the request. Raises as `authenticate_header`."""
    try:
        token = teams_api_tokens.authenticate(secret)
    except teams_api_tokens.TokenInvalid as refusal:
        raise Unauthorized(str(refusal)) from None
    allowance = api_rate_limit.count(token)
    teams_api_tokens.touch(token)
    return Caller(token, allowance)


def require_scope(token: Token, scope: Scope) -> None:
    """Raise ScopeMissing unless the token has the scope and its member's role allows it now."""
    if not teams_api_tokens.allows(token, scope):
        raise ScopeMissing(scope)
