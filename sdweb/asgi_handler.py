"""ASGI handler that runs a whole request on one thread: middleware, view and queries.

Django's own handler switches threads twice per synchronous middleware, and nearly all are; that took more
than half of the CPU time of a page. A streaming response is sent by the event loop afterwards, as in Django,
and is closed when the client disconnects.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import IO, cast

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import FileResponse, HttpResponseBase
from django.urls import set_script_prefix

from generations.core import asgi
from sdweb.body_limit import Receive, Scope, Send

# Few run at once because of the GIL. But many block, up to 20 s each, if object storage hangs, and other
# pages must not wait behind them. The pool starts a thread only when all others are busy.
THREADS = 120


class SingleThreadHandler(ASGIHandler):
    """Answer each request on one thread of a pool."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, "request")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request, run it on a thread, send the response."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            loop, context = asyncio.get_running_loop(), copy_context()
            response = await loop.run_in_executor(self._threads, context.run, self._respond, scope, body)
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
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
