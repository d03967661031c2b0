"""Answers as long as they need to be: sent while they are made, in as much memory as one piece takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


class Streamed(StreamingHttpResponse):
    """A file made of pieces of text. Under ASGI each piece is made in the request's own thread.

    Django itself would collect all pieces of a plain iterator first, before it sends one.
    """

    def __init__(self, pieces: Iterator[str], *, name: str, content_type: str = "text/csv") -> None:
        """`name` is what the file is called, in plain letters."""
        super().__init__(pieces, content_type=f"{content_type}; charset=utf-8")
        self.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        self.headers["X-Accel-Buffering"] = "no"  # a proxy passes it on at once

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        another = sync_to_async(lambda: next(pieces, None))
        while (piece := await another()) is not None:
            yield piece
