"""Sending a zip while it is packed: a few pictures in memory, however many it has.

A zip is never cut short politely. Whatever goes wrong breaks the connection off, so that a browser sees a
download that failed, and the archive tells its maker why.
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
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from zipfile import ZIP_STORED

from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.http import StreamingHttpResponse
from django.utils.translation import override
from zipstream import ZipStream

from generations.core import db_connections
from generations.library.archives import members as archives_members
from generations.library.archives import service as archives_service
from generations.library.imaging import convert as imaging_convert

if TYPE_CHECKING:
    from django.http import HttpRequest

    from generations.library.archives.service import Entry, Plan
    from generations.library.models import Image

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

AHEAD = 2  # pictures that are read before their turn: so many are in memory, and the one that is sent
ROWS = 50  # images of one question; what changed meanwhile is seen at the next
TELL_EVERY, SILENT_FOR = 1.0, 5.0  # seconds: while it moves, and while a slow reader makes it wait

# Apart from the threads in which single pictures are read: those need not wait behind zips.
_READERS = ThreadPoolExecutor(24, thread_name_prefix="packing")


class Answer(StreamingHttpResponse):
    """The zip as an answer, which closes what it sends as soon as nobody reads it."""

    def __init__(self, request: HttpRequest, plan: Plan, headers: dict[str, str]) -> None:
        self.sending = Sending(plan)
        # Without a server, as in tests, there is no event loop; the whole of it is as good there.
        content = self.sending if isinstance(request, ASGIRequest) else map(_whole, [self.sending])
        super().__init__(content, headers=headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts; Django's own would leave closing to the garbage collector."""
        async with aclosing(self.sending.parts()) as parts:
            async for part in parts:
                yield part


class Sending:
    """One zip on its way, and how far it is."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.packed = plan, 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The zip's bytes."""
        return self.parts()

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """The zip's bytes, once; what happens meanwhile stands in the archive."""
        telling = asyncio.create_task(self._tell())
        try:
            async with aclosing(self._zipped()) as parts:
                async for part in parts:
                    yield part
            await _asked(archives_service.finish, self.plan.archive, self.packed)
        except BaseException as problem:  # a browser that goes away cancels us, or closes this
            telling.cancel()
            await self._fail(problem)
            raise
        finally:
            telling.cancel()

    async def _zipped(self) -> AsyncGenerator[bytes, None]:
        zipped = ZipStream(compress_type=ZIP_STORED)
        async with aclosing(self._files()) as files:
            async for name, data in files:
                for part in await _apart(_entry, zipped, name, data):
                    yield part
                self.packed += 1
        yield b"".join(zipped.finalize())

    async def _files(self) -> AsyncGenerator[tuple[str, bytes], None]:
        """Name and contents, in order, a few of them read ahead."""
        coming: deque[tuple[str, asyncio.Future[bytes]]] = deque()
        try:
            async with aclosing(self._rows()) as rows:
                async for entry, image in rows:
                    coming.append((entry.name, _apart(archives_members.made, entry, image, self.plan.form)))
                    if len(coming) > AHEAD:
                        name, reading = coming.popleft()
                        yield name, await reading
            while coming:
                name, reading = coming.popleft()
                yield name, await reading
        finally:
            for _name, reading in coming:
                reading.cancel()

    async def _rows(self) -> AsyncGenerator[tuple[Entry, Image], None]:
        """Each entry with its row, asked for anew every few images."""
        for start in range(0, len(self.plan.entries), ROWS):
            part = self.plan.entries[start : start + ROWS]
            images = await _asked(archives_members.rows, self.plan.member, part)
            for entry in part:
                yield entry, images[entry.image]

    async def _tell(self) -> None:
        """Write down how far it is, and that it goes on at all."""
        told, at = 0, monotonic()
        while True:
            await asyncio.sleep(TELL_EVERY)
            if self.packed == told and monotonic() - at < SILENT_FOR:
                continue
            told, at = self.packed, monotonic()
            try:
                await _asked(archives_service.report, self.plan.archive, told)
            except DatabaseError as problem:
                log.warning("How far a zip is cannot be written down: %s", problem)

    async def _fail(self, problem: BaseException) -> None:
        with override(self.plan.language):
            reason = archives_members.why(problem)
        log.info("A zip was broken off after %s pictures: %s", self.packed, reason)
        try:
            await _asked(archives_service.fail, self.plan.archive, reason, packed=self.packed)
        except DatabaseError as trouble:  # its silence will tell
            log.warning("That a zip failed cannot be written down: %s", trouble)


def length(plan: Plan) -> int | None:
    """How many bytes the zip has, if that is known before it is packed."""
    if plan.form.format != imaging_convert.STORED:
        return None
    measured = ZipStream(compress_type=ZIP_STORED, sized=True)
    for entry in plan.entries:
        measured.add(iter(()), entry.name, size=entry.size)
    return len(measured)


def _entry(zipped: ZipStream, name: str, data: bytes) -> list[bytes]:
    """The next file of the zip: what stands before it, its bytes, and what stands behind it."""
    zipped.add(data, name)
    return list(zipped.file())


async def _asked(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the database says, in the request's own thread, which keeps no connection afterwards."""

    def ask() -> T:
        try:
            return question(*args, **kwargs)
        finally:
            db_connections.release_connections()

    return await sync_to_async(ask)()


def _apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Slow work in a thread of ours."""
    return asyncio.get_running_loop().run_in_executor(_READERS, partial(work, *args, **kwargs))


def _whole(sending: Sending) -> bytes:
    async def collected() -> bytes:
        return b"".join([part async for part in sending])

    return async_to_sync(collected)()
