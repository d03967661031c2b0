"""Words for people out of whatever a provider sent, without keys and without markup."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_LETTERS = 300  # of a reason
MOST_READ = 64 * 1024  # bytes of an answer that are looked at for a reason
MOST_CLEANED = 2_000  # letters of a text that are cleaned, of which a part is kept
FRAGMENT = 8  # so many letters of a key in a row give it away

# Every repetition has a bound: these run over text that somebody may have made to be slow.
_SECRETS = re.compile(
    r"\bbearer\s{1,9}[^\s\"',;<>]{1,500}|\b(?:sk|pk|rk|key)[-_][\w*.…•-]{6,500}|\bsk[-_][\w*.…•-]{1,500}",
    re.IGNORECASE,
)
_MASKED = re.compile(
    r"(?<![\w-])[\w-]{2,60}(?:\*{2,60}|•{2,60}|…|\.{3,60}|x{4,60})[\w*•.…-]{0,200}|\*{3,60}[\w-]{2,60}",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[^<>]{0,500}>|[<>]")
_NAME = re.compile(r"[\w.:-]{1,60}")
_NAME_AS_MESSAGE = re.compile(r"[a-z]{1,30}(_[a-z]{1,30}){1,6}")


@dataclass(frozen=True)
class Complaint:
    """What an error body says: the provider's own names for it, lower case, and its words."""

    codes: frozenset[str] = frozenset()
    message: str = ""
    from_gateway: bool = False  # in the shape of OpenAI or of a gateway, not of Stability

    @property
    def code(self) -> str:
        """One name, for the record."""
        return min(self.codes, key=lambda code: (code.endswith("_error"), code), default="")


def redact(text: str, key: str) -> str:
    """The text without the key, whole, in part or masked, and without anything that looks like one."""
    if key:
        text = re.sub(re.escape(key), "[key]", text, flags=re.IGNORECASE)
        windows = {re.escape(key[at : at + FRAGMENT]) for at in range(max(1, len(key) - FRAGMENT + 1))}
        if len(key) > FRAGMENT:
            text = re.sub(rf"(?:{'|'.join(windows)})[\w*.…•-]*", "[key]", text, flags=re.IGNORECASE)
        text = _MASKED.sub(lambda found: "[key]" if _is_masked(found[0], key) else found[0], text)
    return _SECRETS.sub("[key]", text)


def plain(text: str, key: str, *, most: int = MOST_LETTERS) -> str:
    """One line of readable text without markup and keys, cut to `most` letters."""
    text = _TAGS.sub(" ", text[:MOST_CLEANED])
    letters = (letter if unicodedata.category(letter)[0] != "C" else _gap(letter) for letter in text)
    line = redact(" ".join("".join(letters).split()), key)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def read(body: bytes, key: str) -> Complaint:
    """What an error body says, in Stability's, OpenAI's or any other shape; empty if it says nothing."""
    try:
        data = json.loads(body[:MOST_READ])
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return Complaint(message=_bare(body, key))
    if not isinstance(data, dict):
        return Complaint(message=plain(data, key) if isinstance(data, str) else "")
    inner = data.get("error")
    fault = inner if isinstance(inner, dict) else data
    codes = frozenset(_codes(fault, key))
    message = plain("; ".join(_sentences(fault)) or (inner if isinstance(inner, str) else ""), key)
    return Complaint(codes, message, from_gateway=not ({"name", "errors"} & data.keys()))


def _is_masked(token: str, key: str) -> bool:
    head, tail = re.match(r"[\w-]*", token), re.search(r"[\w-]{0,60}$", token)
    first, last = (found[0].lower() if found else "" for found in (head, tail))
    key = key.lower()
    return (len(first) >= 2 and key.startswith(first)) or (len(last) >= 2 and key.endswith(last))


def _gap(letter: str) -> str:
    """A space for a line end or a tab, nothing for invisible letters that could split a key."""
    return " " if letter in "\t\n\v\f\r\x85" else ""


def _bare(body: bytes, key: str) -> str:
    """The text of a body that is no JSON, unless it is a page or no text at all."""
    text = body[:MOST_READ].decode("utf-8", "replace").strip()
    if "<" in text or "\ufffd" in text or "\x00" in text or text[:1] in ("{", "["):
        return ""
    return plain(text, key, most=200)


def _codes(fault: dict[Any, Any], key: str) -> Iterator[str]:
    for name in ("name", "code", "type"):
        value = fault.get(name)
        if isinstance(value, str) and _NAME.fullmatch(value.strip()):
            yield redact(value.strip().lower(), key)
    for name in ("message", "description"):  # some gateways have the code stand there
        value = fault.get(name)
        if isinstance(value, str) and _NAME_AS_MESSAGE.fullmatch(value):
            yield redact(value, key)


def _sentences(fault: dict[Any, Any]) -> Iterator[str]:
    for name in ("errors", "message", "description", "detail"):
        value = fault.get(name)
        entries = value[:5] if isinstance(value, list) else [value]
        found = [entry[:2_000] for entry in entries if isinstance(entry, str) and entry.strip()]
        if found:
            yield from found
            return
