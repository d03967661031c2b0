"""ASGI application for clients that use Stability's or OpenAI's wire format.

A call may wait for minutes until its image is ready. While it waits it holds no thread and no database
connection: database work runs on a few threads of this module, for milliseconds at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, Any, TypeVar

from django.db import connection
from django.utils.translation import gettext as _

from generations.api.compat import auth as compat_auth
from generations.api.compat import errors as compat_errors
from generations.api.compat import generate as compat_generate
from generations.api.compat import http as compat_http
from generations.api.compat import results as compat_results
from generations.api.compat import routes as compat_routes
from generations.api.compat import undelivered
from generations.api.compat.base import Format, HttpRequest, Response
from generations.api.compat.generate import Order, Submitted
from generations.api.compat.http import ClientDisconnected
from generations.api.compat.routes import Route
from generations.api.compat.undelivered import Delivery
from generations.core import asgi, log_context, request_body
from generations.core.asgi import Receive, Send
from generations.jobs.live import sse
from generations.teams.models import Token

log = logging.getLogger(__name__)

T = TypeVar("T")

Scope = dict[str, Any]
WriteResponse = Callable[[], Response]

LOOK_AGAIN = 0.2  # seconds, while it is undecided what a request joins
THREADS = 8
_threads = ThreadPoolExecutor(THREADS, "api")
_file_threads = ThreadPoolExecutor(THREADS, "api-files")  # storage may hang; who may call is still answered


@dataclass
class Call:
    """One HTTP exchange: the request, the headers that every response to it has, and what it has ordered."""

    scope: Scope
    format: Format
    path_parts: Mapping[str, str]
    headers: Mapping[str, str]
    receive: Receive
    request_id: str
    has_unread_body: bool = False
    is_large: bool = False  # the response has images
    response_headers: dict[str, str] = field(default_factory=dict)
    submitted: Submitted | None = None
    keeps_order: bool = False  # an equal call is to get what this one has ordered
    is_delivered: bool = False


def handles(scope: Scope) -> bool:
    """Whether the path belongs to a compatible wire format, even if nothing is served there."""
    return scope["type"] == "http" and bool(compat_routes.PREFIXES.fullmatch(scope["path"]))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to one call in its wire format, whatever happens."""
    headers = compat_http.headers_of(scope)
    route, path_parts = compat_routes.find(scope["method"], scope["path"])
    format_ = route.format if route else compat_routes.likely_format(scope["path"])
    call = Call(scope, format_, path_parts, headers, receive, compat_http.request_id(headers))
    call.has_unread_body = request_body.is_announced(headers)
    call.response_headers["x-request-id"] = call.request_id
    with log_context.bind(request=call.request_id), contextlib.suppress(ClientDisconnected):
        try:
            await _answer(call, route, send)
        finally:
            await _record(call, undelivered.delivered if call.is_delivered else undelivered.lost)


async def _answer(call: Call, route: Route | None, send: Send) -> None:
    prepared = await _prepare(call, route)
    if isinstance(prepared, Response):
        await _send(call, prepared, send)
        return
    try:
        async with compat_http.response_slot(large=call.is_large):
            await _send(call, await _write(call, prepared), send)
    except compat_http.NoResponseSlot:
        await _send(call, _error_response(call, compat_errors.response_busy()), send)


async def _send(call: Call, response: Response, send: Send) -> None:
    if call.keeps_order:
        await _record(call, undelivered.lost)  # before it is sent: the client may repeat its request at once
    unread = call.receive if call.has_unread_body else None
    gone = None if unread else asyncio.create_task(asgi.wait_for_disconnect(call.receive))
    try:
        call.is_delivered = await compat_http.send_response(
            response, call.response_headers, send, unread=unread, gone=gone
        )
    finally:
        if gone:
            gone.cancel()


async def _record(call: Call, outcome: Callable[[Delivery], None]) -> None:
    """Record what became of the answer with what the call has ordered, once."""
    submitted, call.submitted = call.submitted, None
    if submitted and submitted.delivery:
        await _to_the_end(_start(outcome, submitted.delivery))


async def _prepare(call: Call, route: Route | None) -> Response | WriteResponse:
    """Do everything until the response can be written; return an error, or how to write the response.

    An error is a finished response, because a stopping process has no time to run another thread.
    """
    try:
        compat_auth.require_https(call.scope)
        caller = await _in_thread(compat_auth.authenticate, call.headers)
        token = caller.token
        call.response_headers |= caller.allowance.headers if caller.allowance else {}
        if route is None:
            return _error_response(call, compat_errors.not_found())
        if route.respond:
            compat_auth.require_read(token)
            return partial(route.respond, token, HttpRequest(call.path_parts, call.headers))
        return await (_find_result if route.is_result else _generate)(call, token)
    except ClientDisconnected:
        raise
    except Exception as problem:  # also an unexpected one is reported in the client's format
        return _error_response(call, problem)


async def _generate(call: Call, token: Token) -> WriteResponse:
    compat_auth.require_generate(token)
    sse.hub()  # subscribes now, before a generation of this call can end
    async with compat_http.body(call.headers, call.receive, call.format.max_body) as body:
        call.has_unread_body = False
        order = await _in_thread(_parse, call, token, body, threads=_file_threads)
        submitted = await _submit(order)
    request = replace(order.request, files=())  # they are not held while the call waits
    del order
    call.submitted = submitted
    _name_generations(call, submitted)
    if request.is_task:
        return partial(compat_results.accepted, token, submitted)
    call.is_large = True
    await compat_generate.wait(submitted.generations, call.receive, call.format.timeout)
    return lambda: call.format.respond(request, compat_generate.results(submitted))


async def _find_result(call: Call, token: Token) -> Response | WriteResponse:
    """Return how to write a finished result, or the response for one that is not finished."""
    compat_auth.require_read(token)
    request = HttpRequest(call.path_parts, call.headers)
    found = await _in_thread(compat_results.find, token, request)
    if isinstance(found, Response):
        return found
    _name_generations(call, found)
    call.is_large = True
    return partial(compat_results.respond, request, found)


def _name_generations(call: Call, submitted: Submitted) -> None:
    call.response_headers["x-generation-id"] = ",".join(map(str, submitted.generations))


def _parse(call: Call, token: Token, body: IO[bytes]) -> Order:
    request = call.format.parse(HttpRequest(call.path_parts, call.headers, body.read()))
    return Order(token, request, call.scope["path"], call.headers.get("idempotency-key"))


async def _submit(order: Order) -> Submitted:
    """Submit the order. Another process that may wait for an equal one is given the time of its lease."""
    while True:
        if sse.hub().registry.closed:
            raise compat_errors.unavailable(_("The portal is restarting. Nothing was ordered."))
        try:
            return await _to_the_end(_start(order.submit, threads=_file_threads))
        except undelivered.Undecided:
            await asyncio.sleep(LOOK_AGAIN)


async def _write(call: Call, write: WriteResponse) -> Response:
    try:
        return await _in_thread(write, threads=_file_threads)
    except Exception as problem:
        return _error_response(call, problem)


def _error_response(call: Call, problem: Exception) -> Response:
    error = compat_errors.from_exception(problem)
    if error is None:
        log.error("A compatible API call failed", exc_info=problem)
        error = compat_errors.internal_error()
        if call.submitted:  # repeated by a client, it must not become another order
            error = compat_errors.order_goes_on(error.name, str(error))
    call.keeps_order = error.keeps_order
    return call.format.respond_error(error, call.request_id)


async def _in_thread(work: Callable[..., T], *arguments: object, threads: ThreadPoolExecutor = _threads) -> T:
    """Run database work on a thread, and close its connection afterwards."""
    return await _start(work, *arguments, threads=threads)


async def _to_the_end(work: asyncio.Future[T]) -> T:
    """Wait for work although this call is canceled meanwhile, as a server does when it stops.

    An order must not be made without anybody who knows of it.
    """
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({work})
    return work.result()


def _start(
    work: Callable[..., T], *arguments: object, threads: ThreadPoolExecutor = _threads
) -> asyncio.Future[T]:
    """Begin database work on a thread, which closes its connection afterwards."""

    def run() -> T:
        try:
            return work(*arguments)
        finally:
            connection.close()

    loop, context = asyncio.get_running_loop(), copy_context()
    return loop.run_in_executor(threads, context.run, run)
