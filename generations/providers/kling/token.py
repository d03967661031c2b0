"""The bearer token of a key pair: a JWT, signed with the secret key.

Source: docs/providers/kling.md, "Addresses and keys".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

LIFETIME, LEEWAY = 1_800, 5  # seconds


def bearer(key: str) -> str:
    """Return what follows `Bearer`: a single key as it is, for a pair `access:secret` a new JWT (HS256)."""
    access, colon, secret = key.partition(":")
    if not (colon and access and secret):
        return key
    now = int(time.time())
    claims = {"iss": access, "exp": now + LIFETIME, "nbf": now - LEEWAY}
    content = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    signature = hmac.new(secret.encode(), content.encode(), hashlib.sha256).digest()
    return f"{content}.{_base64url(signature)}"


def _encoded(value: dict[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
