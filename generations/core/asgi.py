"""What several ASGI applications need: deadlines for slow readers, threads of their own, disconnects."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import FrameType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

READER_SECONDS = 30.0  # for which a reader may take nothing
READER_RATE = 32 * 1024  # bytes a second that a reader has to take on the whole
DRAIN_SECONDS = 3.0  # in which the rest of a refused body is read and discarded
MAX_DRAINED = 64 * 1024 * 1024  # bytes


class ReaderTooSlow(Exception):
    """The client does not take its response; the connection has to be aborted."""


class PacedSend:
    """An ASGI `send` for one response, which raises ReaderTooSlow instead of waiting for ever.

    A client may let it wait READER_SECONDS, and gains time with each byte that it takes.
    """

    def __init__(self, send: Send) -> None:
        self._send, self._patience = send, READER_SECONDS

    async def __call__(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
        except TimeoutError:
            raise ReaderTooSlow from None
        gained = len(message.get("body", b"")) / READER_RATE
        self._patience = min(READER_SECONDS, self._patience - (loop.time() - began) + gained)


async def abort(receive: Receive, send: Send) -> None:
    """Cut the connection of a client that takes nothing.

    Closing one flushes what is buffered first, for which such a client lets us wait as long as it likes. ASGI
    has no word for it, so this asks uvicorn's transport; other servers close the connection when the
    application returns without completing its response.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await wait_for_disconnect(receive)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the client has disconnected; messages with parts of the body are ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def drain(receive: Receive) -> None:
    """Discard what the client still sends: a connection that is closed at once may lose the response."""
    left = MAX_DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0 and (message := await receive()).get("more_body"):
                left -= len(message.get("body", b""))


class Threads:
    """Threads for one purpose, so that what hangs elsewhere does not stop it.

    The event loop's own few threads are for nobody: one kind of work that hangs would stall all others.
    """

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function on one of the threads, in a copy of the current context."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: context.run(function, *args, **kwargs)
        )


def on_stop_signal(callback: Callable[[], object]) -> None:
    """Call `callback` in the event loop as soon as this process is told to stop.

    A server only stops accepting connections then, and tells its applications when the grace period is over:
    too late to answer calls that wait. Its own handler is called afterwards. Nothing is done outside the main
    thread, where no signals arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _before(signal.getsignal(number), loop, callback))


def _before(
    handler: Any, loop: asyncio.AbstractEventLoop, callback: Callable[[], object]
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        if callable(handler):
            handler(number, frame)

    return handle
