"""Who calls: from an Authorization header to a token, and what is left of its limit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from generations.api import rate_limit as api_rate_limit
from generations.api.rate_limit import Allowance
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope, Token

BEARER = re.compile(r"bearer +(\S{1,200})", re.IGNORECASE)


class Unauthorised(Exception):
    """No token, or one that lets nobody in."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("Send an API token of this portal as Authorization: Bearer sdw_…"))


class ScopeMissing(Exception):
    """The token is not for that, or its member's role no longer is."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            _("This API token may not %(scope)s, or its member's role does not allow it.")
            % {"scope": scope.value}
        )


@dataclass(frozen=True)
class Caller:
    """A token that was let in, and what is left of its limit; None while nobody counts."""

    token: Token
    allowance: Allowance | None

    @property
    def member(self) -> Membership:
        """For whom the token acts."""
        return self.token.membership


def enter(header: str) -> Caller:
    """Let in whoever sends this Authorization header, and count the request.

    Raises Unauthorised and limits.TooManyRequests.
    """
    found = BEARER.fullmatch(header.strip())
    if found is None:
        raise Unauthorised
    return admit(found[1])


def admit(secret: str) -> Caller:
    """As `enter`, for the secret by itself."""
    try:
        token = teams_api_tokens.authenticate(secret)
    except teams_api_tokens.TokenInvalid as refusal:
        raise Unauthorised(str(refusal)) from None
    allowance = api_rate_limit.count(token)
    teams_api_tokens.touch(token)
    return Caller(token, allowance)


def require(token: Token, scope: Scope) -> None:
    """ScopeMissing unless the token has the scope, and its member's role allows it now."""
    if not teams_api_tokens.allows(token, scope):
        raise ScopeMissing(scope)
