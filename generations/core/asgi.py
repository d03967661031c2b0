"""What several ASGI applications need."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import FrameType
from typing import Any


async def wait_for_disconnect(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    """Return once the client has disconnected; messages with parts of the body are ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
