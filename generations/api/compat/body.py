"""Bodies of calls, bounded before they are read: in size, and in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any

from generations.api.compat import errors as compat_errors
from generations.api.compat.errors import Problem

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

LARGEST = 10 * 1024 * 1024  # docs/providers/stability.md, "Statuses"
IN_MEMORY = 256 * 1024  # more waits on disk: many may be sending at once
LONGEST = 120.0  # seconds for the whole body
LINGER = 3.0  # seconds in which what is still being sent is thrown away
MOST_LINGERED = 64 * 1024 * 1024


class Gone(Exception):
    """The client left before it had sent all."""


def refuse_length(said: str) -> None:
    """Problem if a body that says its length is too long to be read."""
    if said and (not (said.isascii() and said.isdigit()) or len(said) > 15 or int(said) > LARGEST):
        raise compat_errors.too_large()


def is_announced(headers: Mapping[str, str]) -> bool:
    """Whether a body comes with these headers."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def read(receive: Receive) -> SpooledTemporaryFile[bytes]:
    """The body as a file at its beginning. Raises Problem (413, 408) and Gone."""
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  whoever asks closes it
    try:
        async with asyncio.timeout(LONGEST):
            await _copy(receive, file)
    except TimeoutError:
        file.close()
        raise Problem(408, "request_timeout", ("body: did not arrive in time",)) from None
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
            raise Gone
        part = message.get("body", b"")
        length += len(part)
        if length > LARGEST:
            raise compat_errors.too_large()
        file.write(part)
        more = message.get("more_body", False)


async def throw_away(receive: Receive) -> None:
    """Let a client that still sends see its answer: a connection that is closed at once may lose it."""
    left = MOST_LINGERED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while left > 0 and (message := await receive()).get("more_body"):
                left -= len(message.get("body", b""))
