"""Requests and responses over ASGI without Django, bounded in size, time and number."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from tempfile import SpooledTemporaryFile
from typing import Any
from weakref import WeakKeyDictionary

from generations.api.compat import errors as compat_errors
from generations.api.compat.base import Response
from generations.api.compat.errors import CompatError

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

MAX_BODY = 10 * 1024 * 1024  # docs/providers/stability.md, "Statuses"
MAX_BODY_IN_MEMORY = 256 * 1024  # more is spooled to disk: many clients may be sending at once
BODY_TIMEOUT = 120.0  # seconds for the whole body
DRAIN_TIMEOUT = 3.0  # seconds in which the rest of a refused body is read and discarded
MAX_DRAINED = 64 * 1024 * 1024

MAX_LARGE_RESPONSES = 24  # sent at the same time: each holds megabytes in memory
CHUNK = 256 * 1024
RESPONSE_TIMEOUT = 120.0  # seconds for the whole response
SECURITY_HEADERS = {  # Django's middleware sets these on every other page
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_large_responses: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class ClientDisconnected(Exception):
    """The client closed the connection before its call was answered."""


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


def check_content_length(value: str) -> None:
    """Raise CompatError (413) if the Content-Length is malformed or over 10 MiB."""
    if value and (not (value.isascii() and value.isdigit()) or len(value) > 15 or int(value) > MAX_BODY):
        raise compat_errors.too_large()


def has_body(headers: Mapping[str, str]) -> bool:
    """Whether the headers announce a body."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def read_body(receive: Receive) -> SpooledTemporaryFile[bytes]:
    """Return the body as a file at its beginning. Raises CompatError (413, 408) and ClientDisconnected."""
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(MAX_BODY_IN_MEMORY)  # noqa: SIM115  the caller closes it
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            await _copy(receive, file)
    except TimeoutError:
        file.close()
        raise CompatError(408, "request_timeout", ("body: did not arrive in time",)) from None
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _copy(receive: Receive, file: SpooledTemporaryFile[bytes]) -> None:
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part = message.get("body", b"")
        length += len(part)
        if length > MAX_BODY:
            raise compat_errors.too_large()
        file.write(part)
        more = message.get("more_body", False)


def response_slot(*, large: bool) -> AbstractAsyncContextManager[None]:
    """Wait for one of the slots for large responses; small responses need none."""
    if not large:
        return contextlib.nullcontext()
    return _large_responses.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MAX_LARGE_RESPONSES))


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
    """
    taken = False
    all_headers = SECURITY_HEADERS | {"content-type": response.media_type}
    all_headers |= {"content-length": str(len(response.body))} | dict(response.headers) | dict(headers)
    if unread:
        all_headers["connection"] = "close"
    raw = [
        (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in all_headers.items()
    ]
    with contextlib.suppress(TimeoutError, OSError):  # the client is too slow, or has disconnected
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            await send({"type": "http.response.start", "status": response.status, "headers": raw})
            for start in range(0, len(response.body), CHUNK):
                part = response.body[start : start + CHUNK]
                await send({"type": "http.response.body", "body": part, "more_body": True})
            if unread:
                await _drain(unread)
            await asyncio.sleep(0)  # a server sends to a client that has gone without a word
            taken = gone is None or not gone.done()
            await send({"type": "http.response.body", "body": b""})
    return taken


async def _drain(receive: Receive) -> None:
    """Discard what the client still sends: a connection that is closed at once may lose the response."""
    left = MAX_DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT):
            while left > 0 and (message := await receive()).get("more_body"):
                left -= len(message.get("body", b""))
