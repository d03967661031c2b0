"""ASGI handler that runs a whole request on one thread: middleware, view and queries.

Django's own handler switches threads twice per synchronous middleware, and nearly all are; that took more
than half of the CPU time of a page. A streaming response is sent by the event loop afterwards, as in Django,
and is closed when the client disconnects.

Nothing is waited for without an end: a body arrives in time (`body_limit`), a thread is free in time or the
response is a 503, and a reader that does not take its response is cut off (`core.asgi`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import IO, Any, cast
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.urls import set_script_prefix
from django.utils.translation import gettext as _

from generations.core import asgi, request_body
from generations.core.asgi import Receive, Scope, Send
from generations.core.request_body import MIB
from sdweb import body_limit
from sdweb.body_limit import Address

# Few run at once because of the GIL. But many block, up to 20 s each, if object storage hangs, and other
# pages must not wait behind them. A pool starts a thread only when all others are busy.
THREADS = 120
FILE_THREADS = 40
WATCH_THREADS = 4
WAIT_SECONDS = 10.0  # for a free thread
# Addresses whose requests read or decode pictures, which may take long: they have threads of their own.
FILES = {
    "library:thumbnail",
    "library:original",
    "library:download",
    "library:upload_preview",
    "library:use_as_start",
    "library:add_upload",
    "library:trashed_thumbnail",
    "share:original",
    "share:download",
    "share:thumbnail",
    "v1:get_original",
    "v1:download",
    "v1:get_thumbnail",
    "v1:use_as_start_image",
    "wire:picture",
}
WATCH = {"readyz", "metrics"}
HEALTH = {"teams:healthz"}

# A response that is not streamed is in memory until it was sent, and slow readers take a while.
WHOLE_RESPONSE = 256 * 1024  # bytes; smaller ones are not counted
responses = request_body.BytesInFlight(256 * MIB)


class Busy(Exception):
    """No thread became free in time."""


class Lane:
    """Threads for one kind of request. Who waits holds only a coroutine, and does not wait for ever."""

    def __init__(self, name: str, threads: int) -> None:
        self._size, self._threads = threads, ThreadPoolExecutor(threads, name)
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def respond(self, handler: SingleThreadHandler, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """The response to the request. Raises Busy."""
        loop, context = asyncio.get_running_loop(), copy_context()
        places = self._places.setdefault(loop, asyncio.Semaphore(self._size))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await places.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            return await loop.run_in_executor(self._threads, context.run, handler.respond, scope, body)
        finally:
            places.release()


class SingleThreadHandler(ASGIHandler):
    """Answer each request on one thread of a pool."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._pages, self._files = Lane("request", THREADS), Lane("file", FILE_THREADS)
        self._watch, self._health = Lane("watch", WATCH_THREADS), Lane("health", 1)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request, run it on a thread, send the response. Raises asgi.ReaderTooSlow."""
        address, headers = body_limit.address_of(scope), _headers(scope)
        paced = asgi.PacedSend(send)
        refusal = await body_limit.refusal(address, headers)
        if refusal is not None:
            await self._refuse(refusal, receive, paced)
            return
        length = request_body.declared_length(headers)
        try:
            async with request_body.received(receive, limit=address.max_body, length=length) as body:
                response = await self._lane(address, scope).respond(self, scope, body)
        except request_body.Disconnected:
            return
        except request_body.BodyRefused as problem:
            await self._refuse(body_limit.refused(address, problem), receive, paced)
            return
        except Busy:
            response = _busy(address)
        if response.streaming:
            await self._stream(response, receive, paced)
        else:
            await self._send_whole(address, response, paced)

    def respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """Return the response; afterwards this thread holds no database connection."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, error = self.create_request(scope, body)  # one of them is None
        response = self.get_response(request) if request else cast("HttpResponseBase", error)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if response.streaming:
            close_old_connections()
        else:
            response.close()
        return response

    def _lane(self, address: Address, scope: Scope) -> Lane:
        if address.name in HEALTH:
            return self._health
        if address.name in WATCH:
            return self._watch
        is_upload = scope["method"] == "POST" and address.name in body_limit.UPLOADS
        return self._files if is_upload or address.name in FILES else self._pages

    async def _refuse(self, response: HttpResponse, receive: Receive, send: Send) -> None:
        """Send the response to a request whose body was not read to its end, and discard what comes of it."""
        response.headers["Connection"] = "close"
        response.headers["Content-Length"] = str(len(response.content))

        async def send_then_drain(event: Mapping[str, Any]) -> None:
            is_last = event["type"] == "http.response.body" and not event.get("more_body")
            if is_last:
                await send({**event, "more_body": True})
                await asgi.drain(receive)
            await send({"type": "http.response.body", "body": b""} if is_last else event)

        await self.send_response(response, send_then_drain)

    async def _send_whole(self, address: Address, response: HttpResponseBase, send: Send) -> None:
        size = len(cast("HttpResponse", response).content)
        counted = size if size > WHOLE_RESPONSE else 0
        if not responses.take(counted):
            await self.send_response(_busy(address), send)
            return
        try:
            await self.send_response(response, send)
        finally:
            responses.give_back(counted)

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send the response until its end or a disconnect; an error aborts the connection."""
        sending = asyncio.create_task(self.send_response(response, send))
        disconnected = asyncio.create_task(asgi.wait_for_disconnect(receive))
        try:
            await asyncio.wait({sending, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            disconnected.cancel()
            sending.cancel()  # does nothing if it is done
            try:
                with suppress(asyncio.CancelledError):
                    await sending
            finally:
                await sync_to_async(response.close)()


def _headers(scope: Scope) -> Mapping[str, str]:
    """The headers by lower-case name; of a repeated one all values, so that two lengths are not a number."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        separator = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{separator}{value}" if name in found else value
    return found


def _busy(address: Address) -> HttpResponse:
    return body_limit.error(address, 503, "busy", _("The portal is busy. Try again soon."))
