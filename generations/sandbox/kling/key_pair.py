"""What proves a key of Kling's: the key itself, or of a pair `access:secret` a token that the secret signed.

Source: docs/providers/kling.md, "Addresses and keys".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from generations.sandbox.system import is_key

LONGEST = 1_800 + 60  # seconds until a token may end: the maker's half hour, and clocks that differ


def proves(sent: str, key: str) -> bool:
    """Return whether what came after `Bearer` proves the key."""
    access, is_pair, secret = key.partition(":")
    return _is_signed(sent, access, secret) if is_pair else is_key(sent, key)


def _is_signed(token: str, access: str, secret: str) -> bool:
    """Whether it is a JWT (HS256) of the access key that holds now."""
    content, _, signature = token.rpartition(".")
    header, _, claims = content.partition(".")
    expected = hmac.new(secret.encode(), content.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(_decoded(signature), expected):
        return False
    said, now = _object(claims), time.time()
    ends, begins = said.get("exp"), said.get("nbf", 0)
    if not (isinstance(ends, int | float) and isinstance(begins, int | float)):
        return False
    named = _object(header).get("alg") == "HS256" and said.get("iss") == access
    return named and begins <= now < ends <= now + LONGEST


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
