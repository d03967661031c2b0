"""API tokens: issue, revoke, authenticate, and record their last use.

A secret is the prefix `sdw_`, 40 random characters and a checksum of 6 characters. Secret scanners recognise
the format, and a mistyped secret is refused without a database query.
"""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.teams.models import Membership, Scope, Token, User
from generations.teams.permissions import may

PREFIX = "sdw_"
SALT = "generations.teams.tokens"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH, CHECKSUM_LENGTH = 40, 6  # 238 bits; CRC-32 in base 62
PATTERN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
TOUCH_INTERVAL = timedelta(minutes=1)
_by_hash = PreparedQuery(
    lambda: Token.objects.select_related("membership__team", "membership__user", "membership__wallet").filter(
        token_hash=Param("hash")
    )
)
SCOPE_PERMISSIONS = {Scope.GENERATE: "generate", Scope.READ: "see", Scope.ADMINISTER: "manage_members"}


class TokenInvalid(Exception):
    """The secret does not authenticate; the message says why."""


class TokenUnknown(TokenInvalid):
    """No token has this secret, or the secret is incomplete."""

    def __init__(self) -> None:
        super().__init__(_("This is no API token of this portal. Is it complete?"))


class TokenRevoked(TokenInvalid):
    """The token was revoked."""

    def __init__(self) -> None:
        super().__init__(_("This API token was revoked. Make a new one."))


class TokenExpired(TokenInvalid):
    """The token has expired."""

    def __init__(self) -> None:
        super().__init__(_("This API token has expired. Make a new one."))


class MembershipInactive(TokenInvalid):
    """The membership has ended, or its team or user is deactivated."""

    def __init__(self) -> None:
        super().__init__(_("The owner of this API token may no longer use the portal."))


class ScopeNotAllowed(Exception):
    """The role of the member does not allow one of the token's scopes."""

    def __init__(self) -> None:
        super().__init__(_("A token may do no more than its member."))


def issue(
    *,
    membership: Membership,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    cap: int | None = None,
    models: Collection[str] = (),
    by: User | None = None,
    secret: str = "",
) -> tuple[Token, str]:
    """Create a token; return it and its secret, which is not stored.

    `cap` limits what the token may ever spend, in hundredths of a credit. Without `models` the token may use
    every model. `secret` comes from `derive_secret`; without it a random one is generated.

    Raises ScopeNotAllowed if the member's role does not allow a scope.
    """
    requested = [scope for scope in Scope if scope in scopes]
    if not requested or not all(may(membership, SCOPE_PERMISSIONS[scope]) for scope in requested):
        raise ScopeNotAllowed
    secret = secret or generate_secret()
    token = Token.objects.create(
        membership=membership,
        name=name,
        token_hash=hash_secret(secret),
        hint=f"{secret[: len(PREFIX) + 4]}…{secret[-4:]}",
        scopes=[scope.value for scope in requested],
        expires_at=expires_at,
        cap=cap,
        models=list(models),
        made_by=by,
    )
    return token, secret


def lock(token: Token) -> Token:
    """Lock the row of a token that is about to make something, so that one being revoked makes nothing.

    Raises TokenRevoked or TokenExpired.
    """
    row = Token.objects.select_for_update(no_key=True).get(pk=token.pk)
    if row.revoked_at:
        raise TokenRevoked
    if not row.is_valid_at(timezone.now()):
        raise TokenExpired
    return row


def revoke(token: Token) -> bool:
    """Revoke the token; False if it was revoked before."""
    return Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1


def revoke_all(member: Membership) -> int:
    """Revoke all tokens of a member; return how many. A member who rejoins creates new ones."""
    return Token.objects.filter(membership=member, revoked_at=None).update(revoked_at=timezone.now())


def authenticate(secret: str) -> Token:
    """Return the token with this secret, and its membership, team, user and wallet.

    Every well-formed secret costs the same single query, by its hash, so response times reveal nothing about
    stored secrets. Raises a subclass of TokenInvalid.
    """
    if not is_well_formed(secret):
        raise TokenUnknown
    token = _by_hash.first(hash=hash_secret(secret))
    if token is None:
        raise TokenUnknown
    if token.revoked_at:
        raise TokenRevoked
    if not token.is_valid_at(timezone.now()):
        raise TokenExpired
    if not token.membership.is_current:
        raise MembershipInactive
    return token


def allows(token: Token, scope: Scope) -> bool:
    """Whether the token has the scope, and the current role of its member allows it."""
    return scope in token.scopes and may(token.membership, SCOPE_PERMISSIONS[scope])


def touch(token: Token) -> None:
    """Record the time of use, at most once a minute."""
    now = timezone.now()
    if token.last_used_at and token.last_used_at > now - TOUCH_INTERVAL:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - TOUCH_INTERVAL)
    Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def generate_secret() -> str:
    """Return a random secret of 238 bits."""
    return _with_checksum("".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH)))


def derive_secret(*parts: object) -> str:
    """Derive a secret from the parts, by HMAC under SECRET_KEY.

    A form that is sent twice therefore creates one token and can still show its secret, which is stored
    nowhere.
    """
    digest = salted_hmac(SALT, "/".join(map(str, parts)), algorithm="sha512").digest()
    return _with_checksum(_base62(int.from_bytes(digest, "big"), RANDOM_LENGTH))


def is_well_formed(secret: str) -> bool:
    """Whether the secret has our format and a correct checksum."""
    return (
        bool(PATTERN.fullmatch(secret)) and checksum(secret[:-CHECKSUM_LENGTH]) == secret[-CHECKSUM_LENGTH:]
    )


def checksum(body: str) -> str:
    """Return the CRC-32 of the text in base 62, the highest digit first."""
    return _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def hash_secret(secret: str) -> str:
    """Return the stored hash of a secret: SHA-256, since a slow hash adds nothing to 238 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _with_checksum(body: str) -> str:
    return PREFIX + body + checksum(PREFIX + body)


def _base62(number: int, length: int) -> str:
    """Return the last `length` digits of the number in base 62, the highest digit first."""
    digits = ""
    for _position in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
