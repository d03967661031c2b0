"""Live pages: server-sent events on a plain ASGI route, 14 KB and no thread per open page.

Each process has one Hub, which reads the stream of changes once, draws what concerns an open page,
and hands it to the pages of the one person in the one team that it addresses; calls that wait for
generations are woken from it too (`awaiting`). A page signs in by its session
cookie; twice a minute all open pages are checked against sessions and memberships, and those
of ended ones are closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis import asyncio as redis
from redis.exceptions import RedisError

from generations.jobs.events import ENDED, STREAM
from generations.jobs.live import render as live_render
from generations.jobs.live import waiters
from generations.jobs.live.connections import Page, sign_in, still_allowed
from generations.jobs.live.render import Change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

ROUTE = re.compile(r"/t/(?P<team>[-\w]+)/live")
EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")
HEARTBEAT = 15.0  # seconds of silence after which a comment keeps proxies from closing
CHECKED_EVERY = 30.0  # seconds between two looks at sessions and memberships
AT_ONCE = 500  # events read in one go: tiles have kilobytes, and pages that were away are many
SAFELY = [  # what Django's middleware says on every other page
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]
HEADERS = [
    *SAFELY,
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
        self.awaited = waiters.WaitRegistry()
        self.closed = False
        work = self._follow(), self._check(), self.awaited.keep_asking()
        self.tasks = [asyncio.create_task(each) for each in work]

    def open(self, page: Page) -> None:
        """Hand the page what happens from now on."""
        self.pages[page.user, page.team].add(page)

    def leave(self, page: Page) -> None:
        """Forget a page that is gone."""
        mine = self.pages[page.user, page.team]
        mine.discard(page)
        if not mine:
            del self.pages[page.user, page.team]

    def all_pages(self) -> list[Page]:
        """Every open page."""
        return [page for pages in self.pages.values() for page in pages]

    async def end(self) -> None:
        """Close every page; this process stops."""
        self.closed = True
        for task in self.tasks:
            task.cancel()
        for page in self.all_pages():
            page.close()
        self.awaited.close()
        await self.redis.aclose()

    async def missed(self, page: Page, since: str) -> AsyncIterator[bytes]:
        """What happened to this page's person after `since`; `resync` if that is no longer known."""
        if not EVENT_ID.fullmatch(since):
            return
        try:
            oldest = await self.redis.xrange(STREAM, count=1)
            if not oldest or _order(str(oldest[0][0], "ascii")) > _order(since) > (0, 0):
                yield b"event: resync\ndata: gone\n\n"
                return
            while entries := await self.redis.xrange(STREAM, f"({since}", count=AT_ONCE):
                changes = (Change.read(*entry) for entry in entries)
                mine = [change for change in changes if change.address == (page.user, page.team)]
                for _address, frame in await _draw(mine):
                    yield frame
                since = str(entries[-1][0], "ascii")
        except RedisError as problem:
            log.info("A page could not catch up, and asks again: %s", problem)

    async def _follow(self) -> None:
        last = None
        while not self.closed:  # a cancellation may be lost within the Redis client
            try:
                last = last or await self._newest()
                for _name, entries in await self.redis.xread({STREAM: last}, count=AT_ONCE, block=5_000):
                    last = entries[-1][0]
                    changes = [Change.read(*entry) for entry in entries]
                    self._wake(changes)
                    for address, frame in await _draw(
                        change for change in changes if change.address in self.pages
                    ):
                        for page in list(self.pages.get(address, ())):
                            page.tell(frame)
            except RedisError as problem:
                log.info("Live pages wait for Redis: %s", problem)
                last = None
                await asyncio.sleep(1)

    def _wake(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.kind == ENDED:
                self.awaited.ended(waiters.parse_ended(change.data))

    async def _newest(self) -> bytes:
        newest = await self.redis.xrevrange(STREAM, count=1)
        return bytes(newest[0][0]) if newest else b"0-0"

    async def _check(self) -> None:
        while not self.closed:
            await asyncio.sleep(CHECKED_EVERY)
            pages = self.all_pages()
            try:
                allowed = await sync_to_async(still_allowed, thread_sensitive=False)(pages)
            except DatabaseError as problem:
                log.warning("Open pages could not be checked, and are closed to ask again: %s", problem)
                allowed = set()
            for page in pages:
                if page not in allowed:
                    page.close()


_hub: Hub | None = None


def hub() -> Hub:
    """The Hub of this process, made at first use inside its loop."""
    global _hub  # noqa: PLW0603  one reader per process, whatever number of pages
    if _hub is None or _hub.closed:
        _hub = Hub()
    return _hub


async def lifespan(receive: Receive, send: Send) -> None:
    """Tell the server that we are ready, and end all streams when it stops."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            if _hub:
                await _hub.end()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def stream(team: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one page: what it missed since `?since=` or Last-Event-ID, then what happens."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    page = None
    if scope["method"] == "GET":
        page = await sync_to_async(sign_in, thread_sensitive=False)(headers.get("cookie", ""), team)
    if page is None:
        await send(
            {"type": "http.response.start", "status": 404, "headers": [*SAFELY, (b"content-length", b"0")]}
        )
        await send({"type": "http.response.body"})
        return
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("since", [""])[0]
    gone = asyncio.create_task(_wait_until_gone(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _pump(page, headers.get("last-event-id") or asked, send, gone)
    finally:
        gone.cancel()
        hub().leave(page)


async def _pump(page: Page, since: str, send: Send, gone: asyncio.Task[None]) -> None:
    hub().open(page)
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
    with contextlib.suppress(OSError):  # the reader may have left by now
        await send({"type": "http.response.body"})


async def _draw(changes: Iterable[Change]) -> list[tuple[tuple[int, int], bytes]]:
    """Draw on a thread, so that other pages need not wait; nothing to draw costs nothing."""
    wanted = list(changes)
    return await sync_to_async(live_render.render, thread_sensitive=False)(wanted) if wanted else []


async def _send(send: Send, message: bytes) -> None:
    await send({"type": "http.response.body", "body": message, "more_body": True})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _order(event: str) -> tuple[int, int]:
    moment, number = event.split("-")
    return int(moment), int(number)
