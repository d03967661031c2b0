"""Receive the body of a request: bounded in size and time, and in bytes over all requests of the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from generations.core.asgi import Receive

log = logging.getLogger(__name__)

MIB = 1024 * 1024
IN_MEMORY = 64 * 1024  # more is spooled to disk: many clients may be sending at once
SECONDS = 30.0  # for any body
RATE = 128 * 1024  # bytes a second, for which a large one gets more time
MAX_IN_FLIGHT = 128 * MIB  # all bodies; Django keeps a second copy, and docker-compose.yml has room for both
SMALL = 64 * 1024  # a form; only small bodies may take the last quarter, so that uploads do not stop them
LARGE_SHARE = 0.75


class BodyRefused(Exception):
    """The body is not received. The status of the response is `status`."""

    status = 400


class BadLength(BodyRefused):
    """The Content-Length is not a number."""


class TooLarge(BodyRefused):
    """The body has more bytes than the address takes."""

    status = 413


class TooSlow(BodyRefused):
    """The body did not arrive in time."""

    status = 408


class TooManyBodies(BodyRefused):
    """Other requests are sending too much already; try again soon."""

    status = 503


class Disconnected(Exception):
    """The client closed the connection before its body was complete."""


class BytesInFlight:
    """Counts bytes that are held for clients, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0

    def take(self, count: int, *, up_to: float = 1.0) -> bool:
        """Count these bytes, unless more than that share of the limit would be held."""
        if self.held + count > self.limit * up_to:
            return False
        self.held += count
        return True

    def give_back(self, count: int) -> None:
        """These bytes are not held any more."""
        self.held -= count


@dataclass
class Taken:
    """The bytes of one body so far."""

    size: int = 0


bodies = BytesInFlight(MAX_IN_FLIGHT)


def declared_length(headers: Mapping[str, str]) -> int | None:
    """The Content-Length in headers with lower-case names, None if there is none. Raises BadLength."""
    value = headers.get("content-length")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise BadLength
    return int(value[:20])


def is_announced(headers: Mapping[str, str]) -> bool:
    """Whether the headers announce a body."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


@asynccontextmanager
async def received(
    receive: Receive, *, limit: int, length: int | None = None
) -> AsyncIterator[SpooledTemporaryFile[bytes]]:
    """The whole body as a file at its beginning; `length` is the Content-Length, both are in bytes.

    Raises a BodyRefused, before any byte is read if `length` is over the limit, and Disconnected.
    """
    if length is not None and length > limit:
        raise TooLarge
    file = SpooledTemporaryFile[bytes](IN_MEMORY)
    taken = Taken()
    try:
        try:
            async with asyncio.timeout(SECONDS + (limit if length is None else length) / RATE):
                await _copy(receive, file, limit, taken)
        except TimeoutError:
            raise TooSlow from None
        file.seek(0)
        yield file
    finally:
        file.close()
        bodies.give_back(taken.size)


async def _copy(receive: Receive, file: IO[bytes], limit: int, taken: Taken) -> None:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part, more = message.get("body", b""), message.get("more_body", False)
        size = taken.size + len(part)
        if size > limit:
            raise TooLarge
        if not bodies.take(len(part), up_to=1.0 if size <= SMALL else LARGE_SHARE):
            raise TooManyBodies
        taken.size = size
        _write(file, part)


def _write(file: IO[bytes], part: bytes) -> None:
    try:
        file.write(part)
    except OSError as error:  # the disk for temporary files is full
        log.warning("A request's body could not be kept: %s", error)
        raise TooManyBodies from error
