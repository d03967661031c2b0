"""Ideogram's calls of three generations: pictures by address, and descriptions.

Source: docs/providers/ideogram.md, "Addresses" and "Answers".
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.generate import Drawn
from generations.sandbox.ideogram import validate
from generations.sandbox.ideogram.calls import CALLS
from generations.sandbox.ideogram.validate import Received
from generations.sandbox.image_decoding import open_image
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response, as_json
from generations.sandbox.state import Request, Sandbox

DESCRIPTIONS = ("A quiet picture in soft light, with much room around its subject.", "A picture.")


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if request.method != "POST" or request.path not in CALLS:
        raise sandbox_responses.not_found()
    received = validate.read(request)
    entry.model = str(received.values.get("model") or request.path.rpartition("/")[2])
    _log_call(entry, received)
    is_described = request.path == "/describe"
    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=str(received.values.get("prompt", "")),
        validate=lambda: validate.validate(request.path, received, strict=sandbox.options.strict),
        respond=_described if is_described else lambda drawn: _pictures(sandbox, request, drawn),
    )


def _described(_drawn: Drawn) -> Response:
    return as_json({"descriptions": [{"text": text} for text in DESCRIPTIONS]})


def _pictures(sandbox: Sandbox, request: Request, drawn: Drawn) -> Response:
    """The pictures by address. One that is not safe is there without an address, and with status 200."""
    drawing = drawn.request
    entries: list[dict[str, Any]] = []
    for offset, image in enumerate(drawn.images):
        url = None if drawn.filtered else _address(sandbox, request, image)
        size = "x".join(map(str, open_image(image).size))
        said = {"prompt": drawing.prompt, "resolution": size, "is_image_safe": not drawn.filtered}
        entries.append({"url": url, **said, "seed": drawing.seed + offset})
    if request.path.startswith("/v2/"):
        return as_json({"generation_id": uuid.uuid4().hex, "seed": drawing.seed, "data": entries})
    return as_json({"created": datetime.now(UTC).isoformat(), "data": entries})


def _address(sandbox: Sandbox, request: Request, image: bytes) -> str:
    lifetime = sandbox.options.result_lifetime
    name = f"{uuid.uuid4()}.png"
    return sandbox.delivery.address(name, image, "image/png", host=request.host, lifetime=lifetime)


def _log_call(entry: LogEntry, received: Received) -> None:
    entry.fields = {name: shortened(value) for name, value in received.values.items()}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in received.files.items()
    }
