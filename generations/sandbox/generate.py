"""A generate call from its body to its picture, with the fault that was planned for it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable

from generations.sandbox.faults import Planned
from generations.sandbox.multipart import Form, read_form
from generations.sandbox.request_log import Entry, shortened
from generations.sandbox.requests import Order, moderate
from generations.sandbox.responses import Answer, as_json
from generations.sandbox.stability import validate_v1, validate_v2beta
from generations.sandbox.state import Request, Sandbox

DRAWING_TIME = 1.0  # seconds before the answer at which drawing starts, to keep few pictures in memory
LONGEST_HANG = 600.0
NOT_AN_IMAGE = b"these bytes were never an image\n" * 64
FINISHED, FILTERED = "SUCCESS", "CONTENT_FILTERED"


async def from_form(sandbox: Sandbox, request: Request, entry: Entry, endpoint: str) -> Answer:
    """Run a v2beta call; raises RefusalError."""
    form = read_form(request.content_type, request.body)
    _note_form(entry, form, endpoint)
    planned = sandbox.plan.next(form.texts.get("prompt", ""))
    return await _run(
        sandbox, request, entry, planned,
        lambda: validate_v2beta.read_order(endpoint, form, strict=sandbox.options.strict),
    )  # fmt: skip


async def from_json(sandbox: Sandbox, request: Request, entry: Entry, engine: str) -> Answer:
    """Run a v1 call; raises RefusalError."""
    entry.model = validate_v1.read_engine(engine)
    values = validate_v1.read_values(request.body)
    entry.fields = {name: shortened(value) for name, value in values.items()}
    planned = sandbox.plan.next(str(values.get("text_prompts", "")))
    return await _run(
        sandbox, request, entry, planned,
        lambda: validate_v1.read_order(engine, values, strict=sandbox.options.strict),
    )  # fmt: skip


async def _run(
    sandbox: Sandbox, request: Request, entry: Entry, planned: Planned, read_order: Callable[[], Order]
) -> Answer:
    """Give the planned answer, or check the order, reserve its price, wait, and draw."""
    entry.outcome = planned.as_word()
    if not planned.makes_a_picture:
        await asyncio.sleep(LONGEST_HANG if planned.outcome == "hang" else planned.delay or 0)
        return planned.answer(request.version, request.key)
    order = read_order()
    entry.model, entry.seed = order.model, order.seed
    moderate(order.prompt)
    sandbox.account.take(order.cost)
    try:
        images = await _draw_in_time(sandbox, request, order, planned)
    except BaseException:
        sandbox.account.give_back(order.cost)
        raise
    entry.cost = order.cost / 100
    entry.sha256 = hashlib.sha256(images[0]).hexdigest()
    return _picture_answer(request, order, images, planned)


async def _draw_in_time(sandbox: Sandbox, request: Request, order: Order, planned: Planned) -> list[bytes]:
    """Draw so that the answer leaves `latency` seconds after the request arrived."""
    latency = sandbox.options.latency if planned.latency is None else planned.latency
    ready_at = request.arrived + latency
    await asyncio.sleep(max(0.0, ready_at - DRAWING_TIME - sandbox.now()))
    if planned.outcome == "not-an-image":
        images = [NOT_AN_IMAGE] * order.samples
    else:
        blurred = planned.outcome == "filtered"
        images = await sandbox.pictures.make(order, plain=sandbox.options.plain, blurred=blurred)
    await asyncio.sleep(max(0.0, ready_at - sandbox.now()))
    return images


def _picture_answer(request: Request, order: Order, images: list[bytes], planned: Planned) -> Answer:
    """The picture in the form that was asked for, cut or dropped if that was planned."""
    finish = FILTERED if planned.outcome == "filtered" else FINISHED
    answer = (
        _in_json(request, order, images, finish) if request.wants_json else _as_bytes(order, images, finish)
    )
    if planned.outcome == "drop":
        return Answer(0, b"", dropped=True)
    if planned.outcome == "truncate":
        return Answer(
            answer.status, answer.body, answer.media_type, answer.headers, cut=len(answer.body) // 2
        )
    return answer


def _as_bytes(order: Order, images: list[bytes], finish: str) -> Answer:
    headers = (("finish-reason", finish), ("seed", str(order.seed)))
    return Answer(200, images[0], f"image/{order.output_format}", headers)


def _in_json(request: Request, order: Order, images: list[bytes], finish: str) -> Answer:
    encoded = [base64.b64encode(image).decode() for image in images]
    if request.version == "v1":
        return as_json(
            {
                "artifacts": [
                    {"base64": image, "finishReason": finish, "seed": order.seed + offset}
                    for offset, image in enumerate(encoded)
                ]
            }
        )
    body = as_json({"image": encoded[0], "finish_reason": finish, "seed": order.seed}).body
    return Answer(200, body, f"application/json; type=image/{order.output_format}")


def _note_form(entry: Entry, form: Form, endpoint: str) -> None:
    entry.model = form.texts.get("model", "sd3.5-large") if endpoint == "sd3" else endpoint
    entry.fields = {name: shortened(value) for name, value in form.texts.items()}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in form.files.items()
    }
