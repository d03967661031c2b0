"""Recraft's calls: pictures by address, and the account.

Source: docs/providers/recraft.md, "Addresses".
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from functools import partial
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.generate import Drawn
from generations.sandbox.recraft import make_style, validate
from generations.sandbox.recraft.calls import CALLS
from generations.sandbox.recraft.validate import Received
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response, as_json
from generations.sandbox.state import Request, Sandbox

IMAGES = "/v1/images/"


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if (request.method, request.path) == ("GET", "/v1/users/me"):
        units = sandbox.account.hundredths // validate.HUNDREDTHS
        me = {"id": "user-sandbox", "email": "sandbox@example.com", "name": "Sandbox", "credits": units}
        return as_json(me)
    if (request.method, request.path) == ("POST", "/v1/styles"):
        received = validate.read(request)
        entry.model = "style"
        _log_call(entry, received)
        return await make_style.respond(sandbox, request, entry, received)
    name = request.path.removeprefix(IMAGES)
    if request.method != "POST" or request.path == name or name not in CALLS:
        raise sandbox_responses.not_found()
    received = validate.read(request)
    entry.model = str(received.values.get("model", name))
    _log_call(entry, received)
    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=str(received.values.get("prompt", "")),
        validate=lambda: validate.validate(name, received, strict=sandbox.options.strict, key=request.key),
        respond=partial(
            _answer, sandbox, request, name, as_text=received.values.get("response_format") == "b64_json"
        ),
    )


def _answer(sandbox: Sandbox, request: Request, name: str, drawn: Drawn, *, as_text: bool) -> Response:
    """The pictures by address: on a host of files, without a suffix. What a filter found is an error."""
    if drawn.filtered:
        raise sandbox_responses.moderated()
    image_type = {"svg": "image/svg+xml"}.get(
        drawn.request.output_format, f"image/{drawn.request.output_format}"
    )
    entries: list[dict[str, Any]] = []
    for image in drawn.images:
        image_id = str(uuid.uuid4())
        if as_text:
            where = {"b64_json": base64.b64encode(image).decode()}
        else:
            lifetime = sandbox.options.result_lifetime
            address = sandbox.delivery.address(
                image_id, image, image_type, host=request.host, lifetime=lifetime
            )
            where = {"url": address}
        entries.append({"image_id": image_id, **where})
    results: dict[str, Any] = {"image": entries[0]} if CALLS[name].is_processing else {"data": entries}
    units = drawn.request.cost // validate.HUNDREDTHS
    return as_json({"created": int(time.time()), "credits": units, **results})


def _log_call(entry: LogEntry, received: Received) -> None:
    entry.fields = {name: shortened(value) for name, value in received.values.items()}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in received.files.items()
    }
