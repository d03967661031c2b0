"""Decode base64 as providers and gateways really send it: what was paid for is not lost over its wrapping."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

_DATA_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_GAPS = re.compile(rb"[\s\x00-\x20]+|\\[rnt]")  # also line ends that were escaped twice
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def decode(text: str) -> bytes:
    """Return the bytes of a base64 text; b"" if it is none.

    Accepted are a `data:` URL around it, white space in it, missing or surplus padding, URL-safe letters,
    and percent-encoding.
    """
    text = text.strip().strip("\"'")
    if found := _DATA_URL.match(text):
        text = text[found.end() :]
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        return b""
    raw = unquote_to_bytes(raw) if b"%" in raw else raw
    raw = _GAPS.sub(b"", raw).translate(_URL_SAFE).rstrip(b"=")
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""
