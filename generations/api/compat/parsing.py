"""Parse request bodies: multipart and urlencoded forms, and JSON, each with limits on size and parts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header

from generations.api.compat.base import MAX_UPLOAD
from generations.api.compat.errors import bad_fields
from generations.core import multipart
from generations.core.multipart import Part

MAX_PARTS = 100


@dataclass
class Form:
    """The parts of a form by name; of a repeated name the last part counts."""

    parts: dict[str, bytes] = field(default_factory=dict)
    file_names: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return the part as text; None if it is missing. Raises CompatError (400) if it is not UTF-8."""
        try:
            return self.parts[name].decode() if name in self.parts else None
        except UnicodeDecodeError:
            raise bad_fields({name: "must be UTF-8 text"}) from None


def read_form(content_type: str, body: bytes, *, urlencoded: bool = False) -> Form:
    """Parse a form; CompatError (400) for any other body.

    The empty part `none` is left out: clients send it to force multipart without a file
    (docs/providers/stability.md, "Request headers").
    """
    media_type, _options = parse_options_header(content_type)
    if urlencoded and media_type == b"application/x-www-form-urlencoded":
        return _urlencoded(body)
    try:
        parts = read_parts(content_type, body, max_size=MAX_UPLOAD)
    except multipart.MalformedForm as error:
        raise bad_fields({"body": str(error)}) from None
    file_names = {part.name: part.file_name[:200] for part in parts if part.file_name is not None}
    return Form({part.name: part.data for part in parts}, file_names)


def read_parts(content_type: str, body: bytes, *, max_size: int) -> list[Part]:
    """Parse a multipart form with all parts of a repeated name, in order.

    Raises CompatError (400) for another type of body, MalformedForm.
    """
    parts = multipart.parse(content_type, body, max_size=max_size, max_parts=MAX_PARTS)
    if parts is None:
        raise bad_fields({"content-type": "must be multipart/form-data"})
    return parts


def read_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; CompatError (400) for any other body."""
    try:
        values = json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise bad_fields({"body": "must be valid JSON"}) from None
    if not isinstance(values, dict):
        raise bad_fields({"body": "must be a JSON object"})
    return values


def _reject_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_PARTS, errors="strict")
        return Form({name: value.encode() for name, value in pairs})
    except ValueError:
        raise bad_fields({"body": "the form could not be read"}) from None
