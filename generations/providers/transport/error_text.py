"""Readable text from the error body of a provider, without keys and markup."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_REASON = 300  # characters
MAX_PARSED = 64 * 1024  # bytes of a body
MAX_CLEANED = 2_000  # characters of a text before it is cut to its maximum
KEY_FRAGMENT = 8  # characters of a key that are redacted when they occur in a row

# Every repetition is bounded: the text may be crafted to make matching slow.
_SECRETS = re.compile(
    r"\bbearer\s{1,9}[^\s\"',;<>]{1,500}|\b(?:sk|pk|rk|key)[-_][\w*.…•-]{6,500}|\bsk[-_][\w*.…•-]{1,500}",
    re.IGNORECASE,
)
_MASKED = re.compile(
    r"(?<![\w-])[\w-]{2,60}(?:\*{2,60}|•{2,60}|…|\.{3,60}|x{4,60})[\w*•.…-]{0,200}|\*{3,60}[\w-]{2,60}",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[^<>]{0,500}>|[<>]")
_CODE = re.compile(r"[\w.:-]{1,60}")
_CODE_AS_MESSAGE = re.compile(r"[a-z]{1,30}(_[a-z]{1,30}){1,6}")


@dataclass(frozen=True)
class ErrorBody:
    """A parsed error body: the provider's error codes, in lower case, and the message."""

    codes: frozenset[str] = frozenset()
    message: str = ""
    from_gateway: bool = False  # in the format of OpenAI or a gateway, not of Stability
    is_own: bool = False  # in a format of image APIs, so not written by some server before them

    @property
    def code(self) -> str:
        """One of the codes, the most specific one."""
        return min(self.codes, key=lambda code: (code.endswith("_error"), code), default="")


def redact(text: str, key: str) -> str:
    """Replace the key, parts of it and masked forms, and everything that looks like a key."""
    if key:
        text = re.sub(re.escape(key), "[key]", text, flags=re.IGNORECASE)
        windows = {
            re.escape(key[at : at + KEY_FRAGMENT]) for at in range(max(1, len(key) - KEY_FRAGMENT + 1))
        }
        if len(key) > KEY_FRAGMENT:
            text = re.sub(rf"(?:{'|'.join(windows)})[\w*.…•-]*", "[key]", text, flags=re.IGNORECASE)
        text = _MASKED.sub(lambda found: "[key]" if _is_masked(found[0], key) else found[0], text)
    return _SECRETS.sub("[key]", text)


def clean(text: str, key: str, *, max_length: int = MAX_REASON) -> str:
    """Return one line of readable text without markup and keys, cut to `max_length` characters."""
    text = _TAGS.sub(" ", text[:MAX_CLEANED])
    visible = (one if unicodedata.category(one)[0] != "C" else _gap(one) for one in text)
    line = redact(" ".join("".join(visible).split()), key)
    return line if len(line) <= max_length else line[: max_length - 1].rstrip() + "…"


def as_sentence(text: str) -> str:
    """Return the text with a full stop, cut to `MAX_REASON` characters."""
    if len(text) >= MAX_REASON:
        return text[: MAX_REASON - 1].rstrip() + "…"
    return text if text.endswith((".", "!", "?", "…", "。")) else f"{text}."


def parse_error_body(body: bytes, key: str) -> ErrorBody:
    """Parse an error body in Stability's, OpenAI's or any other format; empty if it has no text."""
    try:
        data = json.loads(body[:MAX_PARSED])
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return ErrorBody(message=_non_json_text(body, key))
    if not isinstance(data, dict):
        return ErrorBody(message=clean(data, key) if isinstance(data, str) else "")
    inner = data.get("error")
    error = inner if isinstance(inner, dict) else data
    codes = frozenset(_codes(error, key))
    message = clean("; ".join(_sentences(error)) or (inner if isinstance(inner, str) else ""), key)
    from_gateway = not ({"name", "errors"} & data.keys())
    return ErrorBody(codes, message, from_gateway, is_own=_is_own(data))


def _is_own(data: dict[Any, Any]) -> bool:
    """Return whether it is Stability's envelope or an `error` object.

    A bare `{"message": …}` is what load balancers write when they do not wait any longer.
    """
    is_stability = isinstance(data.get("name"), str) and bool({"errors", "message"} & data.keys())
    return is_stability or isinstance(data.get("error"), dict)


def _is_masked(token: str, key: str) -> bool:
    head, tail = re.match(r"[\w-]*", token), re.search(r"[\w-]{0,60}$", token)
    first, last = (found[0].lower() if found else "" for found in (head, tail))
    key = key.lower()
    return (len(first) >= 2 and key.startswith(first)) or (len(last) >= 2 and key.endswith(last))


def _gap(character: str) -> str:
    """Return a space for a line end or a tab, "" for invisible characters, which could split a key."""
    return " " if character in "\t\n\v\f\r\x85" else ""


def _non_json_text(body: bytes, key: str) -> str:
    """Return the text of a body that is not JSON, empty for HTML and binary data."""
    text = body[:MAX_PARSED].decode("utf-8", "replace").strip()
    if "<" in text or "\ufffd" in text or "\x00" in text or text[:1] in ("{", "["):
        return ""
    return clean(text, key, max_length=200)


def _codes(error: dict[Any, Any], key: str) -> Iterator[str]:
    for name in ("name", "code", "type"):
        value = error.get(name)
        if isinstance(value, str) and _CODE.fullmatch(value.strip()):
            yield redact(value.strip().lower(), key)
    for name in ("message", "description"):  # some gateways put the code there
        value = error.get(name)
        if isinstance(value, str) and _CODE_AS_MESSAGE.fullmatch(value):
            yield redact(value, key)


def _sentences(error: dict[Any, Any]) -> Iterator[str]:
    for name in ("errors", "message", "description", "detail"):
        value = error.get(name)
        entries = value[:5] if isinstance(value, list) else [value]
        found = [entry[:2_000] for entry in entries if isinstance(entry, str) and entry.strip()]
        if found:
            yield from found
            return
