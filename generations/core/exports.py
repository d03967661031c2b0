"""Exported files: CSV text that is safe to open in a spreadsheet, and a response that streams a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets do not recognise UTF-8
# Where a spreadsheet would read a formula: OWASP, "CSV Injection". Some start a new cell after a tab, a line
# break, or a semicolon that is their separator.
FORMULA_STARTS = re.compile(r"""^(?=[ \u00a0"']*[=+\-@\t\r\n])|[;\t\r\n](?=[ \u00a0"']*[=+\-@])""")


def escape_formulas(value: str) -> str:
    """Return the text with an apostrophe before all that a spreadsheet would run. Not for numbers."""
    return FORMULA_STARTS.sub(r"\g<0>'", value)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV text. Escape their texts first with `escape_formulas`."""
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()


class StreamedFile(StreamingHttpResponse):
    """A file download that is sent while its chunks are made, in the memory of one chunk.

    Under ASGI each chunk is made in the request's own thread; Django by itself would collect all chunks of a
    plain iterator before it sends the first.
    """

    def __init__(
        self, chunks: Iterator[str] | Iterator[bytes], *, name: str, content_type: str = "text/csv"
    ) -> None:
        """Stream the chunks as a file called `name`, which is ASCII. Text is sent as UTF-8."""
        charset = "" if content_type == "application/zip" else "; charset=utf-8"
        super().__init__(chunks, content_type=f"{content_type}{charset}")
        self.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        self.headers["X-Accel-Buffering"] = "no"  # a proxy passes it on at once

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = iter(self)
        next_chunk = sync_to_async(lambda: next(chunks, None))
        while (chunk := await next_chunk()) is not None:
            yield chunk
