"""What the router knows of a system: which paths are its own, how it takes a key, how it answers."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from generations.sandbox.multipart import MAX_BODY
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import ApiError, Response
from generations.sandbox.state import Request, Sandbox


def bearer_token(request: Request) -> str:
    """Return the key of the Authorization header, empty without one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def is_key(sent: str, key: str) -> bool:
    """Return whether what was sent is the key."""
    return hmac.compare_digest(sent.encode(), key.encode())


@dataclass(frozen=True)
class System:
    """One system. `paths` are its own; below one of `prefixes` all are, as gateways have them.

    `respond` answers a call with a valid key or raises ApiError, of which `error_response` makes the system's
    format. `key` reads the key as the maker takes it; at a gateway it is always a bearer token. `proves` says
    whether what was read proves a key of the account. Calls of a system that `has_window` count towards the
    limit of calls in a window. `max_body` is in bytes.
    """

    name: str
    prefixes: tuple[str, ...]
    paths: re.Pattern[str]
    respond: Callable[[Sandbox, Request, LogEntry], Awaitable[Response]]
    error_response: Callable[[ApiError, Request], Response]
    key: Callable[[Request], str] = bearer_token
    proves: Callable[[str, str], bool] = is_key
    has_window: bool = True
    max_body: int = MAX_BODY

    def prefix_of(self, path: str) -> str:
        """Return the prefix that the path begins with; "" if it has none of this system's."""
        return next((each for each in self.prefixes if path.startswith(f"{each}/")), "")
