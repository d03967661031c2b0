"""Live pages: server-sent events on a plain ASGI route, 14 KB and no thread per open page.

Each process has one Hub. It reads the stream of changes once, renders what concerns an open page, and sends
it to the pages of that user in that team; it also wakes API calls that wait for generations (`waiters`). A
page is authenticated by its session cookie; twice a minute all open pages are checked against sessions and
memberships, and closed if these are no longer valid.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis import asyncio as redis
from redis.exceptions import RedisError

from generations.core import asgi
from generations.jobs.events import ENDED, STREAM
from generations.jobs.live import render as live_render
from generations.jobs.live import waiters
from generations.jobs.live.connections import Page, sign_in, still_valid
from generations.jobs.live.render import Change

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

ROUTE = re.compile(r"/t/(?P<team>[-\w]+)/live")
EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")
HEARTBEAT = 15.0  # seconds without an event after which a comment is sent, so that proxies do not time out
CHECK_INTERVAL = 30.0  # seconds between two checks of sessions and memberships
BATCH_SIZE = 500  # events read at once: a rendered tile has kilobytes, and many pages may catch up
SECURITY_HEADERS = [  # which Django's middleware sets on other pages
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]
HEADERS = [
    *SECURITY_HEADERS,
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),
]


class Hub:
    """All open pages of this process, and the one reader of changes."""

    def __init__(self) -> None:
        self.pages: dict[tuple[int, int], set[Page]] = defaultdict(set)
        self.redis: Any = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=10
        )
        self.registry = waiters.WaitRegistry()
        self.closed = False
        work = self._follow(), self._check(), self.registry.poll()
        self.tasks = [asyncio.create_task(each) for each in work]

    def add(self, page: Page) -> None:
        """Send the page events from now on."""
        self.pages[page.user, page.team].add(page)

    def remove(self, page: Page) -> None:
        """Remove a page that was closed."""
        mine = self.pages[page.user, page.team]
        mine.discard(page)
        if not mine:
            del self.pages[page.user, page.team]

    def all_pages(self) -> list[Page]:
        """Every open page."""
        return [page for pages in self.pages.values() for page in pages]

    async def end(self) -> None:
        """Close every page, because this process stops."""
        self.closed = True
        for task in self.tasks:
            task.cancel()
        for page in self.all_pages():
            page.close()
        self.registry.close()
        await self.redis.aclose()

    async def missed(self, page: Page, since: str) -> AsyncIterator[bytes]:
        """The events for this page after `since`; `resync` if the stream no longer has them."""
        if not EVENT_ID.fullmatch(since):
            return
        try:
            oldest = await self.redis.xrange(STREAM, count=1)
            if not oldest or _parsed(str(oldest[0][0], "ascii")) > _parsed(since) > (0, 0):
                yield b"event: resync\ndata: gone\n\n"
                return
            while entries := await self.redis.xrange(STREAM, f"({since}", count=BATCH_SIZE):
                changes = (Change.from_entry(*entry) for entry in entries)
                mine = [change for change in changes if change.address == (page.user, page.team)]
                for _address, frame in await _render(mine):
                    yield frame
                since = str(entries[-1][0], "ascii")
        except RedisError as problem:
            log.info("A page could not catch up and will ask again: %s", problem)

    async def _follow(self) -> None:
        last = None
        while not self.closed:  # the Redis client may swallow a cancellation
            try:
                last = last or await self._newest()
                for _name, entries in await self.redis.xread({STREAM: last}, count=BATCH_SIZE, block=5_000):
                    last = entries[-1][0]
                    changes = [Change.from_entry(*entry) for entry in entries]
                    self._wake(changes)
                    for address, frame in await _render(
                        change for change in changes if change.address in self.pages
                    ):
                        for page in list(self.pages.get(address, ())):
                            page.send(frame)
            except RedisError as problem:
                log.info("Redis is unreachable, so live pages wait: %s", problem)
                last = None
                await asyncio.sleep(1)

    def _wake(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.kind == ENDED:
                self.registry.ended(waiters.parse_ended(change.data))

    async def _newest(self) -> bytes:
        newest = await self.redis.xrevrange(STREAM, count=1)
        return bytes(newest[0][0]) if newest else b"0-0"

    async def _check(self) -> None:
        while not self.closed:
            await asyncio.sleep(CHECK_INTERVAL)
            pages = self.all_pages()
            try:
                valid = await sync_to_async(still_valid, thread_sensitive=False)(pages)
            except DatabaseError as problem:
                log.warning("Open pages could not be checked and are closed, to reconnect: %s", problem)
                valid = set()
            for page in pages:
                if page not in valid:
                    page.close()


_hub: Hub | None = None


def hub() -> Hub:
    """The Hub of this process, created at first use inside the event loop."""
    global _hub  # noqa: PLW0603  one reader per process
    if _hub is None or _hub.closed:
        _hub = Hub()
    return _hub


def end_waits() -> None:
    """Wake API calls that wait for images, so that they are answered before this process stops."""
    if _hub:
        _hub.registry.close()


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer the ASGI lifespan protocol; end all streams on shutdown."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            asgi.on_stop_signal(end_waits)
            await send({"type": "lifespan.startup.complete"})
        else:
            if _hub:
                await _hub.end()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def stream(team: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one page: the events since Last-Event-ID or `?since=`, then new ones as they come."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    page = None
    if scope["method"] == "GET":
        page = await sync_to_async(sign_in, thread_sensitive=False)(headers.get("cookie", ""), team)
    if page is None:
        await send(
            {
                "type": "http.response.start",
                "status": 404,
                "headers": [*SECURITY_HEADERS, (b"content-length", b"0")],
            }
        )
        await send({"type": "http.response.body"})
        return
    since = parse_qs(scope["query_string"].decode("latin-1")).get("since", [""])[0]
    gone = asyncio.create_task(asgi.wait_for_disconnect(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _pump(page, headers.get("last-event-id") or since, send, gone)
    finally:
        gone.cancel()
        hub().remove(page)


async def _pump(page: Page, since: str, send: Send, gone: asyncio.Task[None]) -> None:
    hub().add(page)
    await _send(send, b"retry: 2000\n\n")
    async for missed in hub().missed(page, since):
        await _send(send, missed)
    while not gone.done():
        reading = asyncio.ensure_future(page.unread.get())
        await asyncio.wait({reading, gone}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
        message: bytes | None = reading.result() if reading.done() else b": here\n\n"
        reading.cancel()
        if message is None:
            break
        await _send(send, message)
    with contextlib.suppress(OSError):  # the client may have disconnected
        await send({"type": "http.response.body"})


async def _render(changes: Iterable[Change]) -> list[tuple[tuple[int, int], bytes]]:
    """Render on a thread, so that other pages need not wait."""
    wanted = list(changes)
    return await sync_to_async(live_render.render, thread_sensitive=False)(wanted) if wanted else []


async def _send(send: Send, message: bytes) -> None:
    await send({"type": "http.response.body", "body": message, "more_body": True})


def _parsed(event: str) -> tuple[int, int]:
    moment, number = event.split("-")
    return int(moment), int(number)
