"""Stream images as a zip while it is packed; memory is bounded by a few images, however many the zip has.

An exception while it is sent aborts the connection, so that the browser reports a failed download and not a
zip that is merely short.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import ParamSpec, Protocol, TypeVar
from zipfile import ZIP_STORED

from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from zipstream import ZipStream

from generations.core import db_connections
from generations.library.models import Image

P = ParamSpec("P")
T = TypeVar("T")
Files = list[tuple[str, bytes]]  # names and bytes

READ_AHEAD = 2  # images; in memory are these and the one that is being sent
BATCH_SIZE = 50  # images of one query; access is checked again with each
HEADERS = {
    "Content-Type": "application/zip",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # a proxy that buffers would let the portal pack for nobody
}

# Not the threads that read single images: those requests should not wait behind zips.
_READERS = ThreadPoolExecutor(24, thread_name_prefix="packing")


@dataclass(frozen=True)
class ZipEntry:
    """A file in a zip. `size` is that of the stored object, in bytes."""

    image: uuid.UUID
    name: str
    size: int


class Chunks(Protocol):
    """What yields the bytes of a zip, once."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The same, to be closed."""


class ZipResponse(StreamingHttpResponse):
    """A response with a zip, which is closed as soon as the client disconnects."""

    def __init__(self, request: HttpRequest, stream: Chunks, headers: Mapping[str, str]) -> None:
        self.stream = stream
        # The test client is WSGI and has no event loop: it gets the whole zip as one chunk.
        content = stream if isinstance(request, ASGIRequest) else map(_collect, [stream])
        super().__init__(content, headers=HEADERS | dict(headers))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks, closed at once; Django's own leaves that to the garbage collector."""
        async with aclosing(self.stream.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk


class Packer:
    """Packs images into a zip; `packed` is how many of them were sent.

    `load` returns the images of some entries, or raises if they may not be had any more; `read` returns the
    files of one. Both are called in threads.
    """

    def __init__(
        self,
        entries: Sequence[ZipEntry],
        *,
        load: Callable[[Sequence[ZipEntry]], Mapping[uuid.UUID, Image]],
        read: Callable[[ZipEntry, Image], Files],
    ) -> None:
        self.entries, self.load, self.read = entries, load, read
        self.packed = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the zip, once."""
        zipped = ZipStream(compress_type=ZIP_STORED)
        async with aclosing(self._files()) as files:
            async for files_of_image in files:
                for name, data in files_of_image:
                    for chunk in await _in_reader_thread(_add_file, zipped, name, data):
                        yield chunk
                self.packed += 1
        yield b"".join(zipped.finalize())

    async def _files(self) -> AsyncGenerator[Files, None]:
        """Yield the files of each image in order; the next ones are read meanwhile."""
        pending: deque[asyncio.Future[Files]] = deque()
        try:
            async with aclosing(self._images()) as images:
                async for entry, image in images:
                    pending.append(_in_reader_thread(self.read, entry, image))
                    if len(pending) > READ_AHEAD:
                        yield await pending.popleft()
            while pending:
                yield await pending.popleft()
        finally:
            for reading in pending:
                reading.cancel()

    async def _images(self) -> AsyncGenerator[tuple[ZipEntry, Image], None]:
        """Yield each entry with its image; one call of `load` for each batch."""
        for start_at in range(0, len(self.entries), BATCH_SIZE):
            batch = self.entries[start_at : start_at + BATCH_SIZE]
            images = await in_db_thread(self.load, batch)
            for entry in batch:
                yield entry, images[entry.image]


def unique_entries(images: Iterable[Image], name_of: Callable[[Image], str]) -> Iterator[ZipEntry]:
    """Yield an entry for each image, with unique names."""
    taken: set[str] = set()
    for image in images:
        name = name_of(image)
        stem, _dot, extension = name.rpartition(".")
        numbered = (f"{stem}-{number}.{extension}" for number in count(2))
        while name in taken:
            name = next(numbered)
        taken.add(name)
        yield ZipEntry(image.pk, name, image.bytes)


async def in_db_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that uses the database in the request's thread, and give its connection back."""

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            db_connections.release_connections()

    return await sync_to_async(call)()


def _add_file(zipped: ZipStream, name: str, data: bytes) -> list[bytes]:
    """Add a file to the zip and return its chunks: local header, bytes, data descriptor."""
    zipped.add(data, name)
    return list(zipped.file())


def _in_reader_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Call a slow function in the thread pool of this module."""
    return asyncio.get_running_loop().run_in_executor(_READERS, partial(function, *args, **kwargs))


def _collect(stream: Chunks) -> bytes:
    async def collected() -> bytes:
        return b"".join([chunk async for chunk in stream.chunks()])

    return async_to_sync(collected)()
