"""HTTP: an ASGI application on uvicorn, so that hundreds of slow calls cost little."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from argparse import ArgumentParser
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from generations.sandbox import router
from generations.sandbox.multipart import LARGEST_BODY
from generations.sandbox.options import Options, declare
from generations.sandbox.responses import Answer
from generations.sandbox.state import Request, Sandbox

LARGEST_READ = 64 * 1024 * 1024  # of a body that is too large, before the connection is closed
SECONDS_TO_CLOSE = 1

Scope = dict[str, Any]
logger = logging.getLogger(__name__)


class Application:
    """The sandbox as an ASGI application."""

    def __init__(self, options: Options) -> None:
        self.sandbox = Sandbox(options)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one HTTP request; other kinds of connection are not spoken."""
        if scope["type"] != "http":
            return
        arrived = self.sandbox.now()
        read = await read_body(receive)
        if read is None:
            return  # whoever called is gone, and never said what for
        body, length = read
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            body_length=length,
            arrived=arrived,
        )
        answer = await router.respond(self.sandbox, request)
        if answer.dropped:
            await close_connection(scope)
        else:
            await send_answer(answer, scope, send)


async def read_body(receive: Any) -> tuple[bytes, int] | None:
    """Read a body to its end, keeping the largest allowed at most; and its length. None if it was cut."""
    kept, length = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        length += len(part)
        if length <= LARGEST_BODY:
            kept += part
        if not message.get("more_body") or length > LARGEST_READ:
            return bytes(kept), length


async def send_answer(answer: Answer, scope: Scope, send: Any) -> None:
    """Send an answer; one that is cut names its full length and then closes."""
    headers = [
        ("content-type", answer.media_type),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    cut = answer.cut is not None
    await send({"type": "http.response.body", "body": answer.body[: answer.cut], "more_body": cut})
    if cut:
        await close_connection(scope)


async def close_connection(scope: Scope) -> None:
    """Close the client's connection once what was written has left."""
    transport: asyncio.Transport = scope["state"]["transport"]
    transport.close()
    while scope["state"]["open"]():
        await asyncio.sleep(0.005)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, showing the connection to the application, which may close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Remember the transport for this connection's requests."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport, "open": lambda: self in self.connections}


class Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then print the line that tests and the supervisor wait for."""
        await super().startup(sockets=sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"sandbox listening on http://{host}:{port}\n")
            sys.stdout.flush()


def listen(options: Options) -> socket.socket:
    """Take the address; OSError if somebody else has it."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.host, options.port))
    return listener


def serve(options: Options) -> None:
    """Serve until a signal; exits with a sentence if the address is taken."""
    try:
        listener = listen(options)
    except OSError as problem:
        raise SystemExit(
            f"The sandbox cannot listen on {options.host}:{options.port}: {problem}"
        ) from problem
    config = uvicorn.Config(
        Application(options),
        http=Protocol,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=SECONDS_TO_CLOSE,
        timeout_keep_alive=75,
        server_header=False,
        backlog=1024,
    )
    Server(config).run(sockets=[listener])


def main() -> None:
    """Run from the command line."""
    parser = ArgumentParser(prog="sandbox", description="A stand-in for Stability's API.")
    declare(parser)
    serve(Options.from_arguments(vars(parser.parse_args())))
