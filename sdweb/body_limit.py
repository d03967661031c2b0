"""Limit the size of request bodies. Django reads a body whole before any view can refuse it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

# Above the 10 MiB of an upload, so that the form can explain that an image is a little too large.
MAX_BODY = 32 * 1024 * 1024
API_PREFIX, MAX_API_BODY = "/api/", 10 * 1024 * 1024

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def limit_body(application: Application, max_body: int = MAX_BODY) -> Application:
    """Wrap the application: 413 if Content-Length is too large, a disconnect once the body is."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        is_api = scope["path"].startswith(API_PREFIX)
        left = min(max_body, MAX_API_BODY) if is_api else max_body
        if not length.isdigit() or int(length[:20]) > left:
            await _too_large(send, is_api=is_api)
            return

        async def receive_limited() -> Mapping[str, Any]:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        await application(scope, receive_limited, send)

    return limited


async def _too_large(send: Send, *, is_api: bool) -> None:
    message = _("This request is larger than any this portal takes.")  # in the installation's language
    body = message.encode()
    if is_api:  # in the format of all errors of the API
        body = json.dumps({"error": {"code": "too_large", "message": message}}).encode()
    headers = [
        (b"content-type", b"application/json" if is_api else b"text/plain"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
