"""Signatures of URLs that open without signing in: an HMAC with the portal's secret key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from functools import lru_cache

from django.conf import settings

BYTES = 16


def sign(salt: str, value: str | bytes, secret: str | None = None) -> bytes:
    """The signature of a value, 128 bits; the salt is different for each kind of URL.

    `secret` is one of `secrets`, by default the newest.
    """
    message = value.encode() if isinstance(value, str) else value
    return hmac.digest(_key(salt, secret or settings.SECRET_KEY), message, "sha256")[:BYTES]


@lru_cache(maxsize=64)
def _key(salt: str, secret: str) -> bytes:
    """The key that Django's `salted_hmac` derives, kept: a page has a hundred signatures."""
    return hashlib.sha256(salt.encode() + secret.encode()).digest()


def secrets() -> Iterator[str]:
    """The keys whose signatures are valid: SECRET_KEY, and those that it has replaced."""
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def is_valid(signature: str, salt: str, value: str) -> bool:
    """Whether the signature in hexadecimal is that of the value, compared in constant time."""
    return signature.isascii() and any(
        hmac.compare_digest(signature, sign(salt, value, secret).hex()) for secret in secrets()
    )


def parse_number(text: str) -> int | None:
    """A non-negative number from a query string; None for anything else, such as digits of other scripts."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
