"""CORS of the APIs: pages of any origin may call them, since they take tokens and never look at cookies."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from generations.core.asgi import Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
# Without the word Authorization browsers do not let a token pass, also if everything else is allowed.
HEADERS = b"Authorization, Content-Type, Accept, Idempotency-Key, X-Request-ID"
HEADER_NAMES = re.compile(rb"[A-Za-z0-9-]{1,100}(, ?[A-Za-z0-9-]{1,100}){0,60}")
MAX_AGE = b"7200"  # seconds for which browsers remember a preflight; Chromium takes no more
ANY_ORIGIN = (b"access-control-allow-origin", b"*")
EXPOSED = (
    b"access-control-expose-headers",
    b"Content-Disposition, ETag, Finish-Reason, Idempotent-Replayed, Link, Location, RateLimit-Limit, "
    b"RateLimit-Remaining, RateLimit-Reset, Retry-After, Seed, X-Generation-ID, X-Request-ID, X-Should-Retry",
)


async def application(respond: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a preflight, or let `respond` answer and add what lets a page read it.

    No origin is allowed to send credentials: a cookie opens nothing here, and none is asked for.
    """
    headers = dict(scope["headers"])
    if b"origin" not in headers:
        await respond(scope, receive, send)
    elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
        await _preflight(headers.get(b"access-control-request-headers", b""), send)
    else:
        await respond(scope, receive, _Readable(send))


async def _preflight(requested: bytes, send: Send) -> None:
    """Allow every header that the page wants to send: none of them means anything without a token."""
    allowed = HEADERS + b", " + requested if HEADER_NAMES.fullmatch(requested) else HEADERS
    headers = [
        ANY_ORIGIN,
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", allowed),
        (b"access-control-max-age", MAX_AGE),
        (b"vary", b"Access-Control-Request-Headers"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


class _Readable:
    """A `send` that adds the CORS headers to the response."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], ANY_ORIGIN, EXPOSED]}
        await self._send(message)
