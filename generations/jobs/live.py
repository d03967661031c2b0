"""Live pages: server-sent events on a plain ASGI route, 14 KB and no thread per open page.

Each process has one Hub, which reads the stream of changes once and hands every change to the
pages of the one person in the one team that it addresses. A page signs in by its session
cookie; twice a minute all open pages are checked against sessions and memberships, and those
of ended ones are closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from redis import asyncio as redis
from redis.exceptions import RedisError

from generations.jobs.events import STREAM
from generations.teams.models import Membership

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
UNREAD = 100  # events that a page may fall behind
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(eq=False)
class Page:
    """One open page of one person in one team."""

    user: int
    team: int
    member: int
    session: str
    unread: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(UNREAD))

    def tell(self, message: bytes) -> None:
        """Queue a message; a page that reads too slowly is closed, and asks again."""
        if self.unread.full():
            self.close()
        else:
            self.unread.put_nowait(message)

    def close(self) -> None:
        """Let the page's stream end, without what it has not read."""
        while not self.unread.empty():
            self.unread.get_nowait()
        self.unread.put_nowait(None)


class Hub:
    """All open pages of this process, and the one reader of changes."""

    def __init__(self) -> None:
        self.pages: dict[tuple[int, int], set[Page]] = defaultdict(set)
        self.redis: Any = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=10
        )
        self.closed = False
        self.tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._check())]

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
            for key, change in await self.redis.xrange(STREAM, f"({since}"):
                if _addressed(change) == (page.user, page.team):
                    yield _frame(key, change)
        except RedisError as problem:
            log.info("A page could not catch up, and asks again: %s", problem)

    async def _follow(self) -> None:
        last = None
        while True:
            try:
                last = last or await self._newest()
                for _name, changes in await self.redis.xread({STREAM: last}, count=500, block=5_000):
                    for key, change in changes:
                        last = key
                        for page in list(self.pages.get(_addressed(change), ())):
                            page.tell(_frame(key, change))
            except RedisError as problem:
                log.info("Live pages wait for Redis: %s", problem)
                last = None
                await asyncio.sleep(1)

    async def _newest(self) -> bytes:
        newest = await self.redis.xrevrange(STREAM, count=1)
        return bytes(newest[0][0]) if newest else b"0-0"

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECKED_EVERY)
            pages = self.all_pages()
            allowed = await sync_to_async(_still_allowed, thread_sensitive=False)(pages)
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
        page = await sync_to_async(_sign_in, thread_sensitive=False)(headers.get("cookie", ""), team)
    if page is None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
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


async def _send(send: Send, message: bytes) -> None:
    await send({"type": "http.response.body", "body": message, "more_body": True})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _sign_in(cookies: str, team: str) -> Page | None:
    """Whose page it is, by its session cookie; None if nobody's, or not a member's."""
    try:
        jar = SimpleCookie(cookies)
        key = jar[settings.SESSION_COOKIE_NAME].value
        user = int(SessionStore(key)[SESSION_KEY])
        members = Membership.objects.select_related("team", "user")
        member = members.filter(user=user, team__slug=team).first()
        if member is None or not member.is_current or member.user_id is None:
            return None
        return Page(member.user_id, member.team_id, member.pk, key)
    except (CookieError, KeyError, ValueError):
        return None
    finally:
        connection.close()


def _still_allowed(pages: list[Page]) -> set[Page]:
    """Those whose session and membership still hold."""
    try:
        sessions = Session.objects.filter(
            session_key__in={page.session for page in pages}, expire_date__gt=timezone.now()
        )
        keys = set(sessions.values_list("session_key", flat=True))
        members = Membership.objects.select_related("team", "user").in_bulk({page.member for page in pages})
        return {page for page in pages if page.session in keys and members[page.member].is_current}
    finally:
        connection.close()


def _addressed(change: dict[bytes, bytes]) -> tuple[int, int]:
    return int(change[b"user"]), int(change[b"team"])


def _order(event: str) -> tuple[int, int]:
    moment, number = event.split("-")
    return int(moment), int(number)


def _frame(key: bytes, change: dict[bytes, bytes]) -> bytes:
    """One event in the wire format of server-sent events; its data may have many lines."""
    lines = b"".join(b"data: " + line + b"\n" for line in change[b"data"].splitlines() or [b""])
    return b"id: " + key + b"\nevent: " + change[b"kind"] + b"\n" + lines + b"\n"
