"""Django under ASGI with one thread for the whole of a request: its middleware, its view, its queries.

Django's own handler changes threads twice for each middleware written for WSGI, as nearly all are; that took
more than half of a page's processor time. What streams is sent by the event loop afterwards, as Django does
it, and ends when its reader leaves.
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

# Few work at once, for a process has one interpreter; but many wait, up to 20 s each, if storage hangs, and
# pages that need none of it must not wait behind them. A thread that nobody needed yet is not there.
THREADS = 120


class Handler(ASGIHandler):
    """Answers each request on one thread of its own few."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, "request")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request, answer it on a thread, send the answer."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            loop, context = asyncio.get_running_loop(), copy_context()
            response = await loop.run_in_executor(self._threads, context.run, self._answer, scope, body)
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    def _answer(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """All of it here; afterwards this thread holds no connection, and only what streams is not over."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)  # one of them
        response = self.get_response(request) if request else cast("HttpResponseBase", refusal)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if response.streaming:
            close_old_connections()
        else:
            response.close()
        return response

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send piece by piece until the end, or until nobody reads; what fails breaks the connection off."""
        sending = asyncio.create_task(self.send_response(response, send))
        gone = asyncio.create_task(asgi.wait_for_disconnect(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            sending.cancel()  # which does nothing to one that is over
            try:
                with suppress(asyncio.CancelledError):
                    await sending
            finally:
                await sync_to_async(response.close)()
