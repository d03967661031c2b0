"""Parse multipart bodies of limited size."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from generations.sandbox.stability.responses import bad_request

MAX_BODY = 10 * 1024 * 1024
MAX_PARTS = 100


@dataclass
class Form:
    """The parts of a form: texts and files by name."""

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def parse_form(content_type: str, body: bytes) -> Form:
    """Parse a multipart body; ApiError (400) if it is invalid or incomplete."""
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data" or not options.get(b"boundary"):
        raise bad_request("content-type: must be multipart/form-data")
    collector = _Collector()
    try:
        parser = FormParser(
            "multipart/form-data",
            collector.add_text,
            collector.add_file,
            collector.finish,
            boundary=options[b"boundary"],
            config={"MAX_MEMORY_FILE_SIZE": MAX_BODY, "MAX_BODY_SIZE": MAX_BODY},
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as problem:
        raise bad_request("body: the form could not be read") from problem
    if not collector.finished:
        raise bad_request("body: the form is incomplete")
    return collector.form


class _Collector:
    """Callbacks of the parser, which collect parts, without the empty part `none`.

    Clients send that for a multipart body without a file: docs/providers/stability.md, "Request headers".
    """

    def __init__(self) -> None:
        self.form = Form()
        self.finished = False
        self.parts = 0

    def add_text(self, part: Field) -> None:
        name = self._name(part.field_name)
        if name != "none" or part.value:
            self.form.texts[name] = (part.value or b"").decode()

    def add_file(self, part: File) -> None:
        name = self._name(part.field_name)
        part.file_object.seek(0)
        data = part.file_object.read()
        part.close()
        if name != "none" or data:
            self.form.files[name] = data

    def finish(self) -> None:
        self.finished = True

    def _name(self, name: bytes | None) -> str:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise FormParserError("too many parts")
        return (name or b"").decode()
