"""What several ASGI applications need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any


async def wait_for_disconnect(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    """Return once the client has disconnected; messages with parts of the body are ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass
