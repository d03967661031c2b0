"""A proxy in front of S3 that fails as it is told: it answers 503, cuts connections or uploads, is slow."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from enum import StrEnum

from sdweb.process.ports import LOOPBACK, free_port

UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: 59\r\n\r\n<Error><Code>ServiceUnavailable</Code><Message/>   </Error>"
)
SOME = 30_000  # bytes of an upload that pass before it is cut
PAUSE = 0.05  # seconds after each few bytes of a slow answer


class Manner(StrEnum):
    """How the proxy behaves."""

    PASS = "pass"
    UNAVAILABLE = "503"
    CUT = "cut"
    CUT_UPLOADS = "cut uploads"
    SLOW = "slow"


class Proxy:
    """Passes bytes to a port of this machine, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.manner = Manner.PASS
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._serve, args=(ready,), name="proxy", daemon=True).start()
        ready.wait(10)

    def behave(self, manner: Manner) -> None:
        """Change how it behaves; connections that are open end."""
        self.manner = manner
        self._loop.call_soon_threadsafe(self._end_connections)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._meet, LOOPBACK, self.port))
        ready.set()
        self._loop.run_forever()

    def _end_connections(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.manner is Manner.UNAVAILABLE:
            await _refuse(reader, writer)
        elif self.manner is not Manner.CUT:
            limit = SOME if self.manner is Manner.CUT_UPLOADS else None
            there, back = await asyncio.open_connection(LOOPBACK, self.target)
            try:
                up = asyncio.create_task(_copy(reader, back, limit))
                pause = PAUSE if self.manner is Manner.SLOW else 0.0
                down = asyncio.create_task(_copy(there, writer, pause=pause))
                _done, left = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
                for task in left:
                    task.cancel()
            finally:
                back.transport.abort()


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, limit: int | None = None, pause: float = 0.0
) -> None:
    """Pass bytes on until one side ends, or `limit` of them have passed."""
    passed = 0
    with contextlib.suppress(OSError):
        while (limit is None or passed < limit) and (data := await source.read(65_536)):
            passed += len(data)
            target.write(data if limit is None else data[:limit])
            await target.drain()
            await asyncio.sleep(pause)


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read one request as a server would that is overloaded, and say so."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    found = re.search(rb"content-length: (\d+)", head)
    if found and b"100-continue" not in head:
        await reader.readexactly(int(found[1]))
    writer.write(UNAVAILABLE)
    await writer.drain()
    await asyncio.sleep(0.05)
