"""Parse multipart bodies of limited size."""

from __future__ import annotations

from dataclasses import dataclass, field

from generations.core import multipart
from generations.sandbox.responses import bad_request

MAX_BODY = 10 * 1024 * 1024
MAX_PARTS = 100


@dataclass
class Form:
    """The parts of a form: texts and files by name."""

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def parse_form(content_type: str, body: bytes) -> Form:
    """Parse a multipart body; ApiError (400) if it is invalid or incomplete."""
    try:
        parts = multipart.parse(content_type, body, max_size=MAX_BODY, max_parts=MAX_PARTS)
        if parts is None:
            raise bad_request("content-type: must be multipart/form-data")
        return Form(
            texts={part.name: part.data.decode() for part in parts if part.file_name is None},
            files={part.name: part.data for part in parts if part.file_name is not None},
        )
    except multipart.MalformedForm as error:
        raise bad_request(f"body: {error}") from error
    except UnicodeDecodeError as error:
        raise bad_request("body: the form could not be read") from error
