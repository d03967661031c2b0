"""A generate call, from its body to its image, with the planned fault."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable

from generations.sandbox.faults import Planned
from generations.sandbox.multipart import Form, parse_form
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.stability import validate_v1, validate_v2beta
from generations.sandbox.stability.requests import ImageRequest, moderate
from generations.sandbox.stability.responses import Response, as_json
from generations.sandbox.state import Request, Sandbox

DRAWING_TIME = 1.0  # seconds before the response at which drawing starts, to keep few images in memory
HANG_SECONDS = 600.0
NOT_AN_IMAGE = b"these bytes were never an image\n" * 64
FINISHED, FILTERED = "SUCCESS", "CONTENT_FILTERED"


async def from_form(sandbox: Sandbox, request: Request, entry: LogEntry, endpoint: str) -> Response:
    """Run a v2beta call; raises ApiError."""
    form = parse_form(request.content_type, request.body)
    _log_form(entry, form, endpoint)
    planned = sandbox.plan.next(form.texts.get("prompt", ""))
    return await _run(
        sandbox, request, entry, planned,
        lambda: validate_v2beta.validate(endpoint, form, strict=sandbox.options.strict),
    )  # fmt: skip


async def from_json(sandbox: Sandbox, request: Request, entry: LogEntry, engine: str) -> Response:
    """Run a v1 call; raises ApiError."""
    entry.model = validate_v1.validate_engine(engine)
    values = validate_v1.parse_body(request.body)
    entry.fields = {name: shortened(value) for name, value in values.items()}
    planned = sandbox.plan.next(str(values.get("text_prompts", "")))
    return await _run(
        sandbox, request, entry, planned,
        lambda: validate_v1.validate(engine, values, strict=sandbox.options.strict),
    )  # fmt: skip


async def _run(
    sandbox: Sandbox,
    request: Request,
    entry: LogEntry,
    planned: Planned,
    validate: Callable[[], ImageRequest],
) -> Response:
    """Return the planned response, or validate the request, charge it, wait, and draw."""
    entry.outcome = planned.as_word()
    if not planned.makes_an_image:
        await asyncio.sleep(HANG_SECONDS if planned.outcome == "hang" else planned.delay or 0)
        return planned.response(request.version, request.key)
    image_request = validate()
    entry.model, entry.seed = image_request.model, image_request.seed
    moderate(image_request.prompt)
    sandbox.account.charge(image_request.cost)
    try:
        images = await _draw_in_time(sandbox, request, image_request, planned)
    except BaseException:
        sandbox.account.refund(image_request.cost)
        raise
    entry.cost = image_request.cost / 100
    entry.sha256 = hashlib.sha256(images[0]).hexdigest()
    return _image_response(request, image_request, images, planned)


async def _draw_in_time(
    sandbox: Sandbox, request: Request, image_request: ImageRequest, planned: Planned
) -> list[bytes]:
    """Draw so that the response is sent `latency` seconds after the request arrived."""
    latency = sandbox.options.latency if planned.latency is None else planned.latency
    ready_at = request.arrived + latency
    await asyncio.sleep(max(0.0, ready_at - DRAWING_TIME - sandbox.now()))
    if planned.outcome == "not-an-image":
        images = [NOT_AN_IMAGE] * image_request.samples
    else:
        blurred = planned.outcome == "filtered"
        images = await sandbox.renderer.render(image_request, plain=sandbox.options.plain, blurred=blurred)
    await asyncio.sleep(max(0.0, ready_at - sandbox.now()))
    return images


def _image_response(
    request: Request, image_request: ImageRequest, images: list[bytes], planned: Planned
) -> Response:
    """Return the images in the requested format, truncated or dropped if that was planned."""
    finish = FILTERED if planned.outcome == "filtered" else FINISHED
    response = (
        _in_json(request, image_request, images, finish)
        if request.wants_json
        else _as_bytes(image_request, images, finish)
    )
    if planned.outcome == "drop":
        return Response(0, b"", dropped=True)
    if planned.outcome == "truncate":
        return Response(
            response.status, response.body, response.media_type, response.headers, cut=len(response.body) // 2
        )
    return response


def _as_bytes(image_request: ImageRequest, images: list[bytes], finish: str) -> Response:
    headers = (("finish-reason", finish), ("seed", str(image_request.seed)))
    return Response(200, images[0], f"image/{image_request.output_format}", headers)


def _in_json(request: Request, image_request: ImageRequest, images: list[bytes], finish: str) -> Response:
    encoded = [base64.b64encode(image).decode() for image in images]
    if request.version == "v1":
        return as_json(
            {
                "artifacts": [
                    {"base64": image, "finishReason": finish, "seed": image_request.seed + offset}
                    for offset, image in enumerate(encoded)
                ]
            }
        )
    body = as_json({"image": encoded[0], "finish_reason": finish, "seed": image_request.seed}).body
    return Response(200, body, f"application/json; type=image/{image_request.output_format}")


def _log_form(entry: LogEntry, form: Form, endpoint: str) -> None:
    entry.model = form.texts.get("model", "sd3.5-large") if endpoint == "sd3" else endpoint
    entry.fields = {name: shortened(value) for name, value in form.texts.items()}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in form.files.items()
    }
