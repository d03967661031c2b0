"""Stream a zip while it is packed; memory is bounded by a few images, however many the zip has.

After any failure the connection is aborted, so that the browser reports a failed download and not a zip
that is merely short; the reason is recorded in the archive.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from time import monotonic
from typing import ParamSpec, TypeVar
from zipfile import ZIP_STORED

from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import override
from zipstream import ZipStream

from generations.core import db_connections
from generations.library.archives import entries as archives_entries
from generations.library.archives import service as archives_service
from generations.library.archives.service import Plan, ZipEntry
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Image

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

READ_AHEAD = 2  # images; in memory are these and the one that is being sent
BATCH_SIZE = 50  # images of one query; access is checked again with each
REPORT_EVERY = 1.0  # seconds, while images are sent
REPORT_AT_LEAST_EVERY = 5.0  # seconds, while a slow client holds up the next image

# Not the threads that read single images: those requests should not wait behind zips.
_READERS = ThreadPoolExecutor(24, thread_name_prefix="packing")


class ArchiveResponse(StreamingHttpResponse):
    """A response with the zip, which is closed as soon as the client disconnects."""

    def __init__(self, request: HttpRequest, plan: Plan, headers: dict[str, str]) -> None:
        self.stream = ArchiveStream(plan)
        # The test client is WSGI and has no event loop: it gets the whole zip as one chunk.
        content = self.stream if isinstance(request, ASGIRequest) else map(_collect, [self.stream])
        super().__init__(content, headers=headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks, closed at once; Django's own leaves that to the garbage collector."""
        async with aclosing(self.stream.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk


class ArchiveStream:
    """One zip that is being sent, and its progress."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.packed = plan, 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the zip, once; progress and outcome are recorded in the archive."""
        reporting = asyncio.create_task(self._report())
        try:
            async with aclosing(self._zipped()) as chunks:
                async for chunk in chunks:
                    yield chunk
            await _in_db_thread(archives_service.finish, self.plan.archive, self.packed)
        except BaseException as error:  # also when the client disconnects, which cancels or closes this
            reporting.cancel()
            await self._fail(error)
            raise
        finally:
            reporting.cancel()

    async def _zipped(self) -> AsyncGenerator[bytes, None]:
        zipped = ZipStream(compress_type=ZIP_STORED)
        async with aclosing(self._files()) as files:
            async for files_of_image in files:
                for name, data in files_of_image:
                    for chunk in await _in_reader_thread(_add_file, zipped, name, data):
                        yield chunk
                self.packed += 1
        yield b"".join(zipped.finalize())

    async def _files(self) -> AsyncGenerator[list[tuple[str, bytes]], None]:
        """Yield names and bytes of each image's files in order; the next ones are read meanwhile."""
        pending: deque[asyncio.Future[list[tuple[str, bytes]]]] = deque()
        try:
            async with aclosing(self._images()) as images:
                async for entry, image in images:
                    reading = _in_reader_thread(archives_entries.read_entry, entry, image, self.plan.output)
                    pending.append(reading)
                    if len(pending) > READ_AHEAD:
                        yield await pending.popleft()
            while pending:
                yield await pending.popleft()
        finally:
            for reading in pending:
                reading.cancel()

    async def _images(self) -> AsyncGenerator[tuple[ZipEntry, Image], None]:
        """Yield each entry with its image; one query for each batch."""
        for start_at in range(0, len(self.plan.entries), BATCH_SIZE):
            batch = self.plan.entries[start_at : start_at + BATCH_SIZE]
            images = await _in_db_thread(archives_entries.load_images, self.plan.member, batch)
            for entry in batch:
                yield entry, images[entry.image]

    async def _report(self) -> None:
        """Record the progress, and regularly that this process is alive."""
        reported, reported_at = 0, monotonic()
        while True:
            await asyncio.sleep(REPORT_EVERY)
            if self.packed == reported and monotonic() - reported_at < REPORT_AT_LEAST_EVERY:
                continue
            reported, reported_at = self.packed, monotonic()
            try:
                await _in_db_thread(archives_service.report_progress, self.plan.archive, reported)
            except DatabaseError as error:
                log.warning("The progress of a zip could not be recorded: %s", error)

    async def _fail(self, error: BaseException) -> None:
        with override(self.plan.language):
            reason = archives_entries.failure_reason(error)
        log.info("A zip failed after %s images: %s", self.packed, reason)
        try:
            await _in_db_thread(archives_service.fail, self.plan.archive, reason, packed=self.packed)
        except DatabaseError as database_error:  # it counts as abandoned after a while
            log.warning("The failure of a zip could not be recorded: %s", database_error)


def content_length(plan: Plan) -> int | None:
    """The size of the zip in bytes; None if the images are converted, so that it is not known beforehand."""
    if plan.output.format != imaging_convert.STORED:
        return None
    zipped = ZipStream(compress_type=ZIP_STORED, sized=True)
    for entry in plan.entries:
        zipped.add(iter(()), entry.name, size=entry.size)
    return len(zipped)


def _add_file(zipped: ZipStream, name: str, data: bytes) -> list[bytes]:
    """Add a file to the zip and return its chunks: local header, bytes, data descriptor."""
    zipped.add(data, name)
    return list(zipped.file())


async def _in_db_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that uses the database in the request's thread, and give its connection back."""

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            db_connections.release_connections()

    return await sync_to_async(call)()


def _in_reader_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Call a slow function in the thread pool of this module."""
    return asyncio.get_running_loop().run_in_executor(_READERS, partial(function, *args, **kwargs))


def _collect(stream: ArchiveStream) -> bytes:
    async def collected() -> bytes:
        return b"".join([chunk async for chunk in stream])

    return async_to_sync(collected)()
