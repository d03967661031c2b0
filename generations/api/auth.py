"""Who calls: from an Authorization header to a token, and what is left of its limit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from generations.api import limits
from generations.api.limits import Allowance
from generations.teams import tokens
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
        token = tokens.authenticate(secret)
    except tokens.Refused as refusal:
        raise Unauthorised(str(refusal)) from None
    allowance = limits.count(token)
    tokens.touch(token)
    return Caller(token, allowance)


def require(token: Token, scope: Scope) -> None:
    """ScopeMissing unless the token has the scope, and its member's role allows it now."""
    if not tokens.allows(token, scope):
        raise ScopeMissing(scope)
