"""A call that waits for its generations: until they end, its client leaves, or this process stops."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from generations.api.compat.body import Gone, Receive
from generations.api.compat.errors import Problem
from generations.core import asgi
from generations.jobs.live import sse


async def until_ended(generations: Sequence[uuid.UUID], receive: Receive, seconds: float) -> None:
    """Return once all have ended; meanwhile nothing is held but this coroutine.

    Raises Gone if the client left, Problem (504) after so many seconds and (503) if this process stops;
    in each case the generations go on, and their pictures come into the library.
    """
    awaited = sse.hub().registry
    wait = awaited.begin(generations)
    over, gone = asyncio.create_task(wait.over.wait()), asyncio.create_task(asgi.wait_for_disconnect(receive))
    try:
        await asyncio.wait({over, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if wait.closed:
            raise stopping(generations)
        if over.done():
            return
        raise Gone if gone.done() else _too_long(generations)
    except asyncio.CancelledError:  # as servers do with what still runs when they stop
        raise stopping(generations) from None
    finally:
        over.cancel()
        gone.cancel()
        awaited.leave(wait)


def _too_long(generations: Sequence[uuid.UUID]) -> Problem:
    text = f"Still being made: {_names(generations)}. It goes on; what comes of it is in the library."
    return Problem(504, "timeout", (text,))


def stopping(generations: Sequence[uuid.UUID]) -> Problem:
    """503: this process stops while the call waits."""
    text = (
        f"The portal restarts. Still being made: {_names(generations)}. What comes of it is in the library."
    )
    return Problem(503, "service_unavailable", (text,), headers={"retry-after": "5"})


def _names(generations: Sequence[uuid.UUID]) -> str:
    return ", ".join(f"generation {pk}" for pk in generations)
