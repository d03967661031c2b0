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

from generations.api import (
    waiting,
    wire_body,
    wire_entry,
    wire_orders,
    wire_problems,
    wire_routes,
    wire_sending,
)
from generations.api.wire_body import Gone, Receive
from generations.api.wire_formats import Answer, Format, Request, Wish
from generations.api.wire_orders import Order
from generations.api.wire_routes import Route
from generations.api.wire_sending import Send
from generations.jobs import live, trace
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
    return scope["type"] == "http" and bool(wire_routes.OURS.fullmatch(scope["path"]))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call in its format, whatever happens."""
    headers = wire_entry.headers_of(scope)
    route, parts = wire_routes.find(scope["method"], scope["path"])
    format_ = route.format if route else wire_routes.likely_format(scope["path"])
    call = Call(scope, format_, parts, headers, receive, wire_entry.request_name(headers))
    call.unread = wire_body.is_announced(headers)
    call.about["x-request-id"] = call.name
    with trace.following(request=call.name), contextlib.suppress(Gone):
        ready = await _until_ready(call, route)
        async with wire_sending.place(large="x-generation-id" in call.about):
            answer = ready if isinstance(ready, Answer) else await _drawn(call, ready)
            await wire_sending.send_answer(answer, call.about, send, unread=receive if call.unread else None)


async def _until_ready(call: Call, route: Route | None) -> Answer | LastStep:
    """All that comes before the answer can be written; then how to write it.

    A refusal is there at once: a process that stops has no time for a thread of its own.
    """
    try:
        wire_entry.must_be_safe(call.scope)
        caller = await _beside(wire_entry.enter, call.headers)
        token = caller.token
        call.about |= caller.allowance.headers if caller.allowance else {}
        if route is None:
            return _refusal(call, wire_problems.not_found())
        if route.tell:
            wire_entry.must_look(token)
            return partial(route.tell, token, **call.parts)
        return await _until_ended(call, token)
    except Gone:
        raise
    except Exception as problem:  # whatever happens, a program is told in its own format
        return _refusal(call, problem)


async def _until_ended(call: Call, token: Token) -> LastStep:
    wire_entry.must_generate(token)
    wire_body.refuse_length(call.headers.get("content-length", ""))
    live.hub()  # it listens before anything can end
    with await wire_body.read(call.receive) as body:
        call.unread = False
        wish, order = await _beside(_order, call, token, body)
    call.about["x-generation-id"] = ",".join(map(str, order.generations))
    await waiting.until_ended(order.generations, call.receive, call.format.patience)
    return lambda: call.format.draw(wish, wire_orders.results(order))


def _order(call: Call, token: Token, body: IO[bytes]) -> tuple[Wish, Order]:
    wish = call.format.read(Request(call.parts, call.headers, body.read()))
    return wish, wire_orders.place(token, wish, call.scope["path"], call.headers.get("idempotency-key"))


async def _drawn(call: Call, last_step: LastStep) -> Answer:
    try:
        return await _beside(last_step)
    except Exception as problem:
        return _refusal(call, problem)


def _refusal(call: Call, problem: Exception) -> Answer:
    known = wire_problems.of(problem)
    if known is None:
        log.error("A call of a program failed", exc_info=problem)
    return call.format.refuse(known or wire_problems.internal_error(), call.name)


async def _beside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do on a thread what asks the database, and give the connection back."""

    def done() -> T:
        try:
            return work(*arguments, **named)
        finally:
            connection.close()

    loop, context = asyncio.get_running_loop(), copy_context()
    return await loop.run_in_executor(_threads, context.run, done)
