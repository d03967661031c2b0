"""Parse multipart bodies of limited size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from generations.core import multipart
from generations.sandbox.responses import bad_request

MAX_BODY = 10 * 1024 * 1024
MAX_PARTS = 100


@dataclass
class Form:
    """The parts of a form: texts and files by name; a second part of a name is `name[2]`, and so on."""

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def parse_form(content_type: str, body: bytes) -> Form:
    """Parse a multipart body; ApiError (400) if it is invalid or incomplete."""
    try:
        parts = multipart.parse(content_type, body, max_size=MAX_BODY, max_parts=MAX_PARTS)
        if parts is None:
            raise bad_request("content-type: must be multipart/form-data")
        return _form(parts)
    except multipart.MalformedForm as error:
        raise bad_request(f"body: {error}") from error
    except UnicodeDecodeError as error:
        raise bad_request("body: the form could not be read") from error


def _form(parts: list[multipart.Part]) -> Form:
    form, seen = Form(), Counter[str]()
    for part in parts:
        seen[part.name] += 1
        name = part.name if seen[part.name] == 1 else f"{part.name}[{seen[part.name]}]"
        if part.file_name is None:
            form.texts[name] = part.data.decode()
        else:
            form.files[name] = part.data
    return form
