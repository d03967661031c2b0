"""Parse request bodies: multipart and urlencoded forms, and JSON, each with limits on size and parts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from generations.api.compat.errors import bad_fields
from generations.api.compat.http import MAX_BODY

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
    media_type, options = parse_options_header(content_type)
    if urlencoded and media_type == b"application/x-www-form-urlencoded":
        return _urlencoded(body)
    if media_type != b"multipart/form-data" or not options.get(b"boundary"):
        raise bad_fields({"content-type": "must be multipart/form-data"})
    return _multipart(options[b"boundary"], body)


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


def _multipart(boundary: bytes, body: bytes) -> Form:
    collector = _Collector()
    limits = {
        "MAX_MEMORY_FILE_SIZE": MAX_BODY,
        "MAX_BODY_SIZE": MAX_BODY,
        "MAX_FIELDS": MAX_PARTS,
        "MAX_FIELD_SIZE": MAX_BODY,
    }
    try:
        parser = FormParser(
            "multipart/form-data",
            collector.add_text,
            collector.add_file,
            collector.finish,
            boundary=boundary,
            config=limits,
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError):
        raise bad_fields({"body": "the form could not be read"}) from None
    if not collector.finished:
        raise bad_fields({"body": "the form is incomplete"})
    return collector.form


class _Collector:
    """Collects the parts of a multipart form, with a file name or without."""

    def __init__(self) -> None:
        self.form, self.finished = Form(), False

    def add_text(self, part: Field) -> None:
        self._add(part.field_name, part.value or b"")

    def add_file(self, part: File) -> None:
        part.file_object.seek(0)
        name = self._add(part.field_name, part.file_object.read())
        self.form.file_names[name] = (part.file_name or b"").decode(errors="replace")[:200]
        part.close()

    def finish(self) -> None:
        self.finished = True

    def _add(self, name: bytes | None, data: bytes) -> str:
        text = (name or b"").decode()
        if data or text != "none":
            self.form.parts[text] = data
        return text
