"""Requests and responses over ASGI without Django, bounded in size, time and number."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO, Any
from weakref import WeakKeyDictionary

from generations.api.compat import errors as compat_errors
from generations.api.compat.base import Response
from generations.api.compat.errors import CompatError
from generations.core import asgi, request_body
from generations.core.asgi import Receive, Send

Scope = Mapping[str, Any]

MAX_LARGE_RESPONSES = 24  # sent at the same time: each holds megabytes in memory
SLOT_SECONDS = 15.0  # for which a response waits for its turn; with WAIT_SECONDS below a client's patience
CHUNK = 64 * 1024
SECURITY_HEADERS = {  # Django's middleware sets these on every other page
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_large_responses: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class ClientDisconnected(Exception):
    """The client closed the connection before its call was answered."""


class NoResponseSlot(Exception):
    """Too many large responses are being sent, for as long as a response can wait."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined, so two tokens are not a valid one."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1").strip()
        key = name.decode("latin-1").lower()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id of the call in logs and responses: a well-formed X-Request-ID, or a new id."""
    sent = headers.get("x-request-id", "")
    return sent if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


@asynccontextmanager
async def body(call_headers: Mapping[str, str], receive: Receive, limit: int) -> AsyncIterator[IO[bytes]]:
    """The body as a file. Raises CompatError (413, 408, 503) and ClientDisconnected; `limit` is in bytes."""
    try:
        length = request_body.declared_length(call_headers)
        async with request_body.received(receive, limit=limit, length=length) as file:
            yield file
    except request_body.Disconnected:
        raise ClientDisconnected from None
    except request_body.TooSlow:
        raise CompatError(408, "request_timeout", ("body: did not arrive in time",)) from None
    except request_body.TooManyBodies:
        raise compat_errors.unavailable("Too many requests are arriving. Try again soon.") from None
    except request_body.BodyRefused:
        raise compat_errors.too_large(limit) from None


@asynccontextmanager
async def response_slot(*, large: bool) -> AsyncIterator[None]:
    """Hold one of the slots for large responses; small responses need none. Raises NoResponseSlot."""
    if not large:
        yield
        return
    slots = _large_responses.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MAX_LARGE_RESPONSES))
    try:
        async with asyncio.timeout(SLOT_SECONDS):
            await slots.acquire()
    except TimeoutError:
        raise NoResponseSlot from None
    try:
        yield
    finally:
        slots.release()


async def send_response(
    response: Response,
    headers: Mapping[str, str],
    send: Send,
    *,
    unread: Receive | None = None,
    gone: asyncio.Task[None] | None = None,
) -> bool:
    """Send the response with the headers of the call, and discard the rest of an `unread` body.

    Return whether the client took it, as far as can be known: `gone` is done once it has disconnected.
    Raises asgi.ReaderTooSlow.
    """
    taken = False
    all_headers = SECURITY_HEADERS | {"content-type": response.media_type}
    all_headers |= {"content-length": str(len(response.body))} | dict(response.headers) | dict(headers)
    if unread:
        all_headers["connection"] = "close"
    raw = [
        (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in all_headers.items()
    ]
    paced = asgi.PacedSend(send)
    with contextlib.suppress(OSError):  # the client has disconnected
        await paced({"type": "http.response.start", "status": response.status, "headers": raw})
        for start in range(0, len(response.body), CHUNK):
            part = response.body[start : start + CHUNK]
            await paced({"type": "http.response.body", "body": part, "more_body": True})
        if unread:
            await asgi.drain(unread)
        await asyncio.sleep(0)  # a server sends to a client that has gone without a word
        taken = gone is None or not gone.done()
        await paced({"type": "http.response.body", "body": b""})
    return taken
