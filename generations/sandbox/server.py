"""The HTTP server: an ASGI application on uvicorn, so that hundreds of slow calls cost little."""

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
from generations.sandbox.options import Options, add_arguments
from generations.sandbox.responses import Response
from generations.sandbox.state import Request, Sandbox

MAX_READ = 128 * 1024 * 1024  # of a too large body, before the connection is closed
SHUTDOWN_TIMEOUT = 1

Scope = dict[str, Any]
logger = logging.getLogger(__name__)


class Application:
    """The sandbox as an ASGI application."""

    def __init__(self, options: Options) -> None:
        self.sandbox = Sandbox(options)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Respond to one HTTP request; ignore other protocols."""
        if scope["type"] != "http":
            return
        arrived = self.sandbox.now()
        received = await read_body(receive)
        if received is None:
            return  # the client disconnected before the end of its body
        body, length = received
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            body_length=length,
            arrived=arrived,
        )
        response = await router.respond(self.sandbox, request)
        if response.dropped:
            await close_connection(scope)
        else:
            await send_response(response, scope, send)


async def read_body(receive: Any) -> tuple[bytes, int] | None:
    """Return at most MAX_READ bytes of a body, and its length; None if the client disconnected."""
    body, length = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        length += len(part)
        if length <= MAX_READ:
            body += part
        if not message.get("more_body") or length > MAX_READ:
            return bytes(body), length


async def send_response(response: Response, scope: Scope, send: Any) -> None:
    """Send a response; one with `cut` has its full length in the headers and then closes."""
    headers = [
        ("content-type", response.media_type),
        ("content-length", str(len(response.body))),
        *response.headers,
    ]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    cut = response.cut is not None
    await send({"type": "http.response.body", "body": response.body[: response.cut], "more_body": cut})
    if cut:
        await close_connection(scope)


async def close_connection(scope: Scope) -> None:
    """Close the connection after what was written is sent."""
    transport: asyncio.Transport = scope["state"]["transport"]
    transport.close()
    while scope["state"]["open"]():
        await asyncio.sleep(0.005)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the transport in the scope, so that the application can close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Store the transport for the requests of this connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport, "open": lambda: self in self.connections}


class Server(uvicorn.Server):
    """Prints its address once it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then print the line that tests wait for."""
        await super().startup(sockets=sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"sandbox listening on http://{host}:{port}\n")
            sys.stdout.flush()


def listen(options: Options) -> socket.socket:
    """Bind the address; OSError if it is in use."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.host, options.port))
    return listener


def serve(options: Options) -> None:
    """Serve until a signal; exit with a sentence if the address is in use."""
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
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        timeout_keep_alive=75,
        server_header=False,
        backlog=1024,
    )
    Server(config).run(sockets=[listener])


def main() -> None:
    """Run from the command line."""
    parser = ArgumentParser(
        prog="sandbox", description="The sandbox provider: an imitation of Stability's API."
    )
    add_arguments(parser)
    serve(Options.from_arguments(vars(parser.parse_args())))
