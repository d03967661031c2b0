"""The door for programs that speak Stability's or OpenAI's format: plain ASGI routes beside the live pages.

A call may wait for minutes while its picture is made. Here it holds no thread and no connection to the
database meanwhile: what asks the database runs on a few threads of our own, for milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any, ParamSpec, TypeVar

from django.db import connection

from generations.api.compat import auth as compat_auth
from generations.api.compat import body as compat_body
from generations.api.compat import errors as compat_errors
from generations.api.compat import generate as compat_generate
from generations.api.compat import routes as compat_routes
from generations.api.compat import sending as compat_sending
from generations.api.compat import wait as compat_wait
from generations.api.compat.base import Answer, Format, Request, Wish
from generations.api.compat.body import Gone, Receive
from generations.api.compat.generate import Order
from generations.api.compat.routes import Route
from generations.api.compat.sending import Send
from generations.core import log_context
from generations.jobs.live import sse
from generations.teams.models import Token

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

Scope = dict[str, Any]
LastStep = Callable[[], Answer]

THREADS = 8
_threads = ThreadPoolExecutor(THREADS, "api")


@dataclass
class Call:
    """One exchange: what came, and what every answer to it says."""

    scope: Scope
    format: Format
    parts: Mapping[str, str]
    headers: Mapping[str, str]
    receive: Receive
    name: str
    unread: bool = False  # its body, or the rest of it
    about: dict[str, str] = field(default_factory=dict)


def is_ours(scope: Scope) -> bool:
    """Whether an address belongs to one of these formats, be there anything or not."""
    return scope["type"] == "http" and bool(compat_routes.OURS.fullmatch(scope["path"]))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call in its format, whatever happens."""
    headers = compat_auth.headers_of(scope)
    route, parts = compat_routes.find(scope["method"], scope["path"])
    format_ = route.format if route else compat_routes.likely_format(scope["path"])
    call = Call(scope, format_, parts, headers, receive, compat_auth.request_name(headers))
    call.unread = compat_body.is_announced(headers)
    call.about["x-request-id"] = call.name
    with log_context.bind(request=call.name), contextlib.suppress(Gone):
        ready = await _until_ready(call, route)
        async with compat_sending.place(large="x-generation-id" in call.about):
            answer = ready if isinstance(ready, Answer) else await _drawn(call, ready)
            await compat_sending.send_answer(
                answer, call.about, send, unread=receive if call.unread else None
            )


async def _until_ready(call: Call, route: Route | None) -> Answer | LastStep:
    """All that comes before the answer can be written; then how to write it.

    A refusal is there at once: a process that stops has no time for a thread of its own.
    """
    try:
        compat_auth.must_be_safe(call.scope)
        caller = await _beside(compat_auth.enter, call.headers)
        token = caller.token
        call.about |= caller.allowance.headers if caller.allowance else {}
        if route is None:
            return _refusal(call, compat_errors.not_found())
        if route.tell:
            compat_auth.must_look(token)
            return partial(route.tell, token, **call.parts)
        return await _until_ended(call, token)
    except Gone:
        raise
    except Exception as problem:  # whatever happens, a program is told in its own format
        return _refusal(call, problem)


async def _until_ended(call: Call, token: Token) -> LastStep:
    compat_auth.must_generate(token)
    compat_body.refuse_length(call.headers.get("content-length", ""))
    sse.hub()  # it listens before anything can end
    with await compat_body.read(call.receive) as body:
        call.unread = False
        wish, order = await _beside(_order, call, token, body)
    call.about["x-generation-id"] = ",".join(map(str, order.generations))
    await compat_wait.until_ended(order.generations, call.receive, call.format.patience)
    return lambda: call.format.draw(wish, compat_generate.results(order))


def _order(call: Call, token: Token, body: IO[bytes]) -> tuple[Wish, Order]:
    wish = call.format.read(Request(call.parts, call.headers, body.read()))
    return wish, compat_generate.place(token, wish, call.scope["path"], call.headers.get("idempotency-key"))


async def _drawn(call: Call, last_step: LastStep) -> Answer:
    try:
        return await _beside(last_step)
    except Exception as problem:
        return _refusal(call, problem)


def _refusal(call: Call, problem: Exception) -> Answer:
    known = compat_errors.of(problem)
    if known is None:
        log.error("A call of a program failed", exc_info=problem)
    return call.format.refuse(known or compat_errors.internal_error(), call.name)


async def _beside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do on a thread what asks the database, and give the connection back."""

    def done() -> T:
        try:
            return work(*arguments, **named)
        finally:
            connection.close()

    loop, context = asyncio.get_running_loop(), copy_context()
    return await loop.run_in_executor(_threads, context.run, done)
