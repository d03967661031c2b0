"""Parse multipart forms, bounded in size and number of parts."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header


class MalformedForm(ValueError):
    """The body is not a valid multipart form; the text says what is wrong."""


class TooManyParts(MalformedForm):
    """The form has more parts than are read; `name` is that of the first one too many."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True)
class Part:
    """A part of a form; `file_name` is None unless it was sent as a file."""

    name: str
    data: bytes
    file_name: str | None = None


def parse(content_type: str, body: bytes, *, max_size: int, max_parts: int) -> list[Part] | None:
    """The parts in order, without the empty part `none`; None for another media type. MalformedForm.

    Clients send `none` to be multipart without a file: docs/providers/stability.md, "Request headers".
    """
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data" or not options.get(b"boundary"):
        return None
    parts, finished = list[Part](), list[bool]()

    def add(part: Part) -> None:
        parts.append(part)
        if len(parts) > max_parts:
            raise TooManyParts("the form has too many parts", part.name)

    def add_text(field: Field) -> None:
        add(Part((field.field_name or b"").decode(), field.value or b""))

    def add_file(file: File) -> None:
        file.file_object.seek(0)
        name, file_name = file.field_name or b"", file.file_name or b""
        add(Part(name.decode(), file.file_object.read(), file_name.decode(errors="replace")))
        file.close()

    limits = {"MAX_MEMORY_FILE_SIZE": max_size, "MAX_BODY_SIZE": max_size, "MAX_FIELD_SIZE": max_size}
    try:
        parser = FormParser(
            "multipart/form-data",
            add_text,
            add_file,
            lambda: finished.append(True),
            boundary=options[b"boundary"],
            config=limits,
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as error:
        raise MalformedForm("the form could not be read") from error
    if not finished:
        raise MalformedForm("the form is incomplete")
    return [part for part in parts if part.data or part.name != "none"]
