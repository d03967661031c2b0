"""The verbs of API tokens: issue, revoke, authenticate, touch.

A secret is `sdw_`, 40 random characters and a checksum of both in 6, as secret scanners like it:
they know ours when they see one, and a mistyped one is refused without asking the database.
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
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECK = 40, 6  # 238 bits; CRC-32 in base 62
SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM + CHECK}}}")
WRITTEN_EVERY = timedelta(minutes=1)
_by_hash = PreparedQuery(
    lambda: Token.objects.select_related("membership__team", "membership__user", "membership__wallet").filter(
        token_hash=Param("hash")
    )
)
ALLOWED_BY = {Scope.GENERATE: "generate", Scope.READ: "see", Scope.ADMINISTER: "manage_members"}


class Refused(Exception):
    """The secret lets nobody in; why is said to who knows it."""


class Unknown(Refused):
    """There is no such token, or it is not complete."""

    def __init__(self) -> None:
        super().__init__(_("This is no API token of this portal. Is it complete?"))


class Revoked(Refused):
    """Somebody took it back."""

    def __init__(self) -> None:
        super().__init__(_("This API token was revoked. Make a new one."))


class Expired(Refused):
    """It is too old."""

    def __init__(self) -> None:
        super().__init__(_("This API token has expired. Make a new one."))


class MemberGone(Refused):
    """Whose token it is no longer belongs to the team, or nobody does."""

    def __init__(self) -> None:
        super().__init__(_("Whose API token this is may no longer use the portal."))


class ScopeRefused(Exception):
    """The member's role does not allow what the token would be good for."""

    def __init__(self) -> None:
        super().__init__(_("A token may do no more than the member whose it is."))


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
    """A new token and its secret, which is not kept; ScopeRefused if the member's role allows less.

    `cap` is what it may ever spend, in hundredths of a credit; without `models` it may use all.
    `secret`: one of `secret_of`; else it is drawn by lot.
    """
    wanted = [scope for scope in Scope if scope in scopes]
    if not wanted or not all(may(membership, ALLOWED_BY[scope]) for scope in wanted):
        raise ScopeRefused
    secret = secret or new_secret()
    token = Token.objects.create(
        membership=membership,
        name=name,
        token_hash=hashed(secret),
        hint=f"{secret[: len(PREFIX) + 4]}…{secret[-4:]}",
        scopes=[scope.value for scope in wanted],
        expires_at=expires_at,
        cap=cap,
        models=list(models),
        made_by=by,
    )
    return token, secret


def revoke(token: Token) -> bool:
    """Let nobody in by it from now on; False if it was revoked before."""
    return Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1


def revoke_of(member: Membership) -> int:
    """Revoke all of the member's; how many. Who comes back makes new ones."""
    return Token.objects.filter(membership=member, revoked_at=None).update(revoked_at=timezone.now())


def authenticate(secret: str) -> Token:
    """The token of that secret with its membership, team, user and wallet; Refused says why there is none.

    Every secret of the right shape costs the same one query: it is looked up by its hash, so no time
    tells how near it is.
    """
    if not is_well_formed(secret):
        raise Unknown
    token = _by_hash.first(hash=hashed(secret))
    if token is None:
        raise Unknown
    if token.revoked_at:
        raise Revoked
    if not token.is_good_at(timezone.now()):
        raise Expired
    if not token.membership.is_current:
        raise MemberGone
    return token


def allows(token: Token, scope: Scope) -> bool:
    """Whether the token has the scope, and its member's role as it is now allows that."""
    return scope in token.scopes and may(token.membership, ALLOWED_BY[scope])


def touch(token: Token) -> None:
    """Remember that it was used; written once a minute at most."""
    now = timezone.now()
    if token.last_used_at and token.last_used_at > now - WRITTEN_EVERY:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - WRITTEN_EVERY)
    Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def new_secret() -> str:
    """One that nobody can guess."""
    return _complete("".join(secrets.choice(LETTERS) for _letter in range(RANDOM)))


def secret_of(*words: object) -> str:
    """The secret of these words, an HMAC of them that nobody computes without the installation's own.

    So a form that is sent twice makes one token, and can still show its secret, which is kept nowhere.
    """
    digest = salted_hmac(SALT, "/".join(map(str, words)), algorithm="sha512").digest()
    return _complete(_in_letters(int.from_bytes(digest, "big"), RANDOM))


def is_well_formed(secret: str) -> bool:
    """Whether it could be one of ours: complete, and its checksum right."""
    return bool(SHAPE.fullmatch(secret)) and checksum(secret[:-CHECK]) == secret[-CHECK:]


def checksum(body: str) -> str:
    """CRC-32 in base 62, the highest digit first."""
    return _in_letters(zlib.crc32(body.encode()), CHECK)


def hashed(secret: str) -> str:
    """What is kept of a secret: it is random enough that a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _complete(letters: str) -> str:
    return PREFIX + letters + checksum(PREFIX + letters)


def _in_letters(number: int, places: int) -> str:
    """The last places of the number in base 62, the highest digit first."""
    digits = ""
    for _place in range(places):
        number, digit = divmod(number, len(LETTERS))
        digits = LETTERS[digit] + digits
    return digits
