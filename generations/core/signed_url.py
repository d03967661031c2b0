"""Signatures of URLs that open without signing in: an HMAC with the portal's secret key."""

from __future__ import annotations

import hmac

from django.utils.crypto import salted_hmac

BYTES = 16


def sign(salt: str, value: str | bytes) -> bytes:
    """The signature of a value, 128 bits; the salt is different for each kind of URL."""
    return salted_hmac(salt, value, algorithm="sha256").digest()[:BYTES]


def is_valid(signature: str, salt: str, value: str) -> bool:
    """Whether the signature in hexadecimal is that of the value, compared in constant time."""
    return signature.isascii() and hmac.compare_digest(signature, sign(salt, value).hex())


def parse_number(text: str) -> int | None:
    """A non-negative number from a query string; None for anything else, such as digits of other scripts."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
