"""Requests of a size that a page could send. Django reads a body whole before any view can refuse it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

# Above the 10 MiB of an upload, so that a picture which is a little too large gets a sentence from the form.
LARGEST = 32 * 1024 * 1024
OF_PROGRAMS, LARGEST_OF_PROGRAMS = "/api/", 10 * 1024 * 1024

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def bounded(application: Application, largest: int = LARGEST) -> Application:
    """The application behind a door: 413 for a body that says it is larger, an end for one that is."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        said = dict(scope["headers"]).get(b"content-length", b"0")
        is_program = scope["path"].startswith(OF_PROGRAMS)
        left = min(largest, LARGEST_OF_PROGRAMS) if is_program else largest
        if not said.isdigit() or int(said[:20]) > left:
            await _too_large(send, is_program=is_program)
            return

        async def receive_at_most() -> Mapping[str, Any]:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        await application(scope, receive_at_most, send)

    return door


async def _too_large(send: Send, *, is_program: bool) -> None:
    said = _("This request is larger than any this portal takes.")  # in the installation's language
    text = said.encode()
    if is_program:  # which reads the shape of all refusals of the API
        text = json.dumps({"error": {"code": "too_large", "message": said}}).encode()
    headers = [
        (b"content-type", b"application/json" if is_program else b"text/plain"),
        (b"content-length", str(len(text)).encode()),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})
