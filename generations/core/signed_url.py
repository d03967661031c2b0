"""Signatures of URLs that open without signing in: an HMAC with the portal's secret key."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.utils.crypto import salted_hmac

BYTES = 16


def sign(salt: str, value: str | bytes, secret: str | None = None) -> bytes:
    """The signature of a value, 128 bits; the salt is different for each kind of URL.

    `secret` is one of `secrets`, by default the newest.
    """
    return salted_hmac(salt, value, secret, algorithm="sha256").digest()[:BYTES]


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
