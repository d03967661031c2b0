"""Live pages: server-sent events on a plain ASGI route, 14 KB and no thread per open page.

Each process has one Hub. It reads the stream of changes once, renders what concerns an open page, and sends
it to the pages of that user in that team; it also wakes API calls that wait for generations (`waiters`). A
page is authenticated by its session cookie; twice a minute all open pages are checked against sessions and
memberships, and closed if these are no longer valid.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import parse_qs

from django.db import DatabaseError
from redis.exceptions import RedisError

from generations.core import asgi, redis_client
from generations.core.asgi import Receive, Scope, Send
from generations.jobs.events import ENDED, STREAM
from generations.jobs.live import render as live_render
from generations.jobs.live import waiters
from generations.jobs.live.connections import Page, live_threads, sign_in, still_valid
from generations.jobs.live.render import Change
from generations.library.delivery.signed_urls import sign_for_session

log = logging.getLogger(__name__)

ROUTE = re.compile(r"/t/(?P<team>[-\w]+)/live")
EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")
HEARTBEAT = 15.0  # seconds without an event after which a comment is sent, so that proxies do not time out
CHECK_INTERVAL = 30.0  # seconds between two checks of sessions and memberships
MAX_PAGES = 2_000  # open in one process
MAX_PAGES_OF_USER = 20  # a browser has one open for each team, however many tabs
SIGN_IN_SECONDS = 10.0  # for which a page waits to be let in
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
        self.count = 0  # of all pages
        self.redis: Any = redis_client.async_client(seconds=10, connect_seconds=2)
        self.registry = waiters.WaitRegistry()
        self.closed = False
        work = self._follow(), self._check(), self.registry.poll()
        self.tasks = [asyncio.create_task(each) for each in work]

    def add(self, page: Page) -> bool:
        """Send the page events from now on; False if its user, or this process, has too many open."""
        users = [key for key in self.pages if key[0] == page.user]
        if self.count >= MAX_PAGES or sum(len(self.pages[key]) for key in users) >= MAX_PAGES_OF_USER:
            return False
        self.pages[page.user, page.team].add(page)
        self.count += 1
        return True

    def remove(self, page: Page) -> None:
        """Remove a page that was closed."""
        mine = self.pages[page.user, page.team]
        mine.remove(page)
        self.count -= 1
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
                changes = _understood(entries)
                mine = [change for change in changes if change.address == (page.user, page.team)]
                for _address, frame in await _render(mine):
                    yield sign_for_session(frame, page.session)
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
                    changes = _understood(entries)
                    self._wake(changes)
                    for address, frame in await _render(
                        change for change in changes if change.address in self.pages
                    ):
                        for page in list(self.pages.get(address, ())):
                            page.send(sign_for_session(frame, page.session))
            except RedisError as problem:
                log.info("Redis is unreachable, so live pages wait: %s", problem)
                last = None
                await asyncio.sleep(1)
            except Exception:  # whatever it is, other events go on; open pages ask again by themselves
                log.exception("Events could not be sent to live pages")
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
                valid = await live_threads.run(still_valid, pages)
            except Exception:  # whatever it is, a page that cannot be checked is not left open
                log.exception("Open pages could not be checked and are closed, to reconnect")
                valid = set()
            for page in pages:
                if page not in valid:
                    page.close()


def _understood(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[Change]:
    """The entries of the stream, without those that another version wrote and this one cannot read."""
    changes = []
    for entry in entries:
        try:
            changes.append(Change.from_entry(*entry))
        except (KeyError, ValueError):
            log.warning("The event %r cannot be read", entry[0])
    return changes


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
    """Serve one page: the events since Last-Event-ID or `?since=`, then new ones as they come.

    404 without a session in the team, 503 with too many pages. Raises asgi.ReaderTooSlow.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    page = None
    try:
        if scope["method"] == "GET":
            async with asyncio.timeout(SIGN_IN_SECONDS):
                page = await live_threads.run(sign_in, headers.get("cookie", ""), team)
    except (TimeoutError, DatabaseError) as problem:
        log.warning("A page could not be checked and will ask again: %r", problem)
        await _refuse(send, 503)
        return
    if page is None:
        await _refuse(send, 404)
    elif not (mine := hub()).add(page):
        await _refuse(send, 503)
    else:
        since = parse_qs(scope["query_string"].decode("latin-1")).get("since", [""])[0]
        await _serve(mine, page, headers.get("last-event-id") or since, receive, send)


async def _refuse(send: Send, status: int) -> None:
    headers = [*SECURITY_HEADERS, (b"content-length", b"0")]
    if status == 503:
        headers.append((b"retry-after", b"30"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body"})


async def _serve(hub: Hub, page: Page, since: str, receive: Receive, send: Send) -> None:
    """Send the page its events until it is closed, its client disconnects, or takes none of them any more."""
    gone = asyncio.create_task(asgi.wait_for_disconnect(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _pump(hub, page, since, send, gone)
    finally:
        gone.cancel()
        hub.remove(page)


async def _pump(hub: Hub, page: Page, since: str, send: Send, gone: asyncio.Task[None]) -> None:
    await _send(send, b"retry: 2000\n\n")
    async for missed in hub.missed(page, since):
        await _send(send, missed)
    while not gone.done():
        reading = asyncio.ensure_future(page.unread.get())
        await asyncio.wait({reading, gone}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
        message: bytes | None = reading.result() if reading.done() else b": here\n\n"
        reading.cancel()
        if message is None:
            break
        await _send(send, message)
    await asgi.PacedSend(send)({"type": "http.response.body"})


async def _render(changes: Iterable[Change]) -> list[tuple[tuple[int, int], bytes]]:
    """Render on a thread, so that other pages need not wait."""
    wanted = list(changes)
    return await live_threads.run(live_render.render, wanted) if wanted else []


async def _send(send: Send, message: bytes) -> None:
    """Send a part of the stream. Each has a deadline of its own, since a page stays open for days."""
    await asgi.PacedSend(send)({"type": "http.response.body", "body": message, "more_body": True})


def _parsed(event: str) -> tuple[int, int]:
    moment, number = event.split("-")
    return int(moment), int(number)
