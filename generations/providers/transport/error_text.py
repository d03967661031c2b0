"""Readable text from the error body of a provider, without keys and markup."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
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
class Envelope:
    """How a maker's own error bodies are told from those of gateways and of servers between.

    A body is not a gateway's if it has one of the names of `marks`, and the maker's own words if it has all
    the names of one of `forms`. Codes are texts or numbers under the names of `codes`.
    """

    marks: frozenset[str] = frozenset()
    forms: tuple[frozenset[str], ...] = ()
    codes: tuple[str, ...] = ("name", "code", "type")


ANY = Envelope()


@dataclass(frozen=True)
class ErrorBody:
    """A parsed error body: the provider's error codes, in lower case, and the message."""

    codes: frozenset[str] = frozenset()
    message: str = ""
    from_gateway: bool = False  # in the format of OpenAI or a gateway, not in the maker's envelope
    is_own: bool = False  # in a format of image APIs, so not written by some server before them

    @property
    def code(self) -> str:
        """One of the codes, the most specific one."""
        return min(self.codes, key=lambda code: (code.endswith("_error"), code.isdecimal(), code), default="")


def redact(text: str, key: str) -> str:
    """Replace the key, parts of it and masked forms, and everything that looks like a key."""
    return _SECRETS.sub("[key]", redact_key(text, key))


def redact_key(text: str, key: str) -> str:
    """Replace the key, parts of it and masked forms."""
    if key:
        text = re.sub(re.escape(key), "[key]", text, flags=re.IGNORECASE)
        windows = {
            re.escape(key[at : at + KEY_FRAGMENT]) for at in range(max(1, len(key) - KEY_FRAGMENT + 1))
        }
        if len(key) > KEY_FRAGMENT:
            text = re.sub(rf"(?:{'|'.join(windows)})[\w*.…•-]*", "[key]", text, flags=re.IGNORECASE)
        text = _MASKED.sub(lambda found: "[key]" if _is_masked(found[0], key) else found[0], text)
    return text


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


def parse_error_body(body: bytes, key: str, envelope: Envelope = ANY) -> ErrorBody:
    """Parse an error body in the maker's, OpenAI's or any other format; empty if it has no text."""
    try:
        data = json.loads(body[:MAX_PARSED])
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return ErrorBody(message=_non_json_text(body, key))
    return error_body_of(data, key, envelope)


def error_body_of(data: Any, key: str, envelope: Envelope = ANY) -> ErrorBody:
    """Return what an error says that was parsed already, as `parse_error_body` does."""
    if not isinstance(data, dict):
        return ErrorBody(message=clean(data, key) if isinstance(data, str) else "")
    inner = data.get("error")
    error = inner if isinstance(inner, dict) else data
    codes = frozenset(_codes(error, envelope.codes, key))
    message = clean("; ".join(_sentences(error)) or (inner if isinstance(inner, str) else ""), key)
    return ErrorBody(codes, message, not envelope.marks & data.keys(), is_own=_is_own(data, envelope))


def _is_own(data: dict[Any, Any], envelope: Envelope) -> bool:
    """Return whether it is the maker's envelope or an `error` object.

    A bare `{"message": …}` is what load balancers write when they do not wait any longer.
    """
    return isinstance(data.get("error"), dict) or any(form <= data.keys() for form in envelope.forms)


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


def _codes(error: dict[Any, Any], names: Iterable[str], key: str) -> Iterator[str]:
    for name in names:
        value = error.get(name)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and _CODE.fullmatch(text.strip()):
            yield redact(text.strip().lower(), key)
    for name in ("message", "description"):  # some gateways put the code there
        value = error.get(name)
        if isinstance(value, str) and _CODE_AS_MESSAGE.fullmatch(value):
            yield redact(value, key)


def _sentences(error: dict[Any, Any]) -> Iterator[str]:
    for name in ("errors", "message", "description", "detail", "msg"):
        value = error.get(name)
        entries = value[:5] if isinstance(value, list) else [value]
        found = [text for entry in entries if (text := _sentence(entry))]
        if found:
            yield from found
            return


def _sentence(entry: Any) -> str:
    """The text of an entry; of one of FastAPI's, the name of the field and what is wrong with it."""
    if isinstance(entry, dict) and isinstance(said := entry.get("msg") or entry.get("message"), str):
        place = entry.get("loc")
        field = place[-1] if isinstance(place, list) and place and isinstance(place[-1], str) else ""
        entry = f"{field[:60]}: {said}" if field and field != "body" else said
    return entry[:2_000] if isinstance(entry, str) and entry.strip() else ""
