"""Read the JSON of an answer, with bounds, however large the base64 in it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# A larger answer is read only if nearly all of it is base64: many small values take more memory than bytes.
MAX_DENSE_JSON = 24 * 1024 * 1024  # bytes
MAX_VALUES = 10_000  # of a larger answer
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def is_json(body: bytes) -> bool:
    """Decide by content: some servers respond in another format than requested."""
    return body[:64].removeprefix(BYTE_ORDER_MARK).lstrip()[:1] in (b"{", b"[")


def parse(body: bytes) -> Any:
    """Return what the body says; None if it is no JSON, or too large to be read."""
    try:
        # Not strict: base64 in lines may have its line ends in the text as they are.
        text = body.removeprefix(BYTE_ORDER_MARK)
        return json.loads(text, strict=False) if _is_bounded(body) else None
    except (ValueError, RecursionError):  # not UTF-8, no JSON, a number without end, too deep
        return None


def parse_object(body: bytes) -> Mapping[str, Any]:
    """Return the object of the body, an empty one if it is none."""
    data = parse(body)
    return data if isinstance(data, dict) else {}


def text(data: Any, *path: str | int, most: int = 2_000) -> str:
    """Return the text at a path such as ("data", 0, "url"); "" if there is none, or a longer one."""
    found = value(data, *path)
    return found if isinstance(found, str) and len(found) <= most else ""


def value(data: Any, *path: str | int) -> Any:
    """Return what is at a path of names and places, None if there is nothing."""
    for step in path:
        if isinstance(step, str) and isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(step, int) and isinstance(data, list) and -len(data) <= step < len(data):
            data = data[step]
        else:
            return None
    return data


def number(data: Any, *path: str | int) -> float | None:
    """Return the finite number at a path, also if it is written as a text; None if there is none."""
    found = value(data, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        result = float(found)
    except (ValueError, OverflowError):
        return None
    return result if abs(result) < float("inf") else None


def _is_bounded(body: bytes) -> bool:
    return len(body) <= MAX_DENSE_JSON or sum(map(body.count, (b"{", b"[", b","))) <= MAX_VALUES
