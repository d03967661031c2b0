"""Answers on their way out: in chunks that wait for a slow reader, few large ones at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from weakref import WeakKeyDictionary

from generations.api.compat.base import Answer
from generations.api.compat.body import Receive, throw_away

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

AT_ONCE = 24  # pictures on their way: each is megabytes
CHUNK = 256 * 1024
LONGEST = 120.0  # seconds for the whole answer
SAFELY = {  # what Django's middleware says on every other page
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
_places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def place(*, large: bool) -> AbstractAsyncContextManager[None]:
    """One of the few places for large answers; small ones need none."""
    if not large:
        return contextlib.nullcontext()
    return _places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


async def send_answer(
    answer: Answer, about: Mapping[str, str], send: Send, *, unread: Receive | None = None
) -> None:
    """Send it with the headers that are about the call, and throw away the rest of an `unread` body."""
    headers = SAFELY | {"content-type": answer.media_type, "content-length": str(len(answer.body))}
    headers |= dict(answer.headers) | dict(about)
    if unread:
        headers["connection"] = "close"
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    with contextlib.suppress(TimeoutError, OSError):  # a reader that is too slow, or gone
        async with asyncio.timeout(LONGEST):
            await send({"type": "http.response.start", "status": answer.status, "headers": raw})
            for start in range(0, len(answer.body), CHUNK):
                await _send_part(send, answer.body[start : start + CHUNK])
            if unread:
                await throw_away(unread)
            await send({"type": "http.response.body", "body": b""})


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
