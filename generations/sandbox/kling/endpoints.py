"""Kling's orders, and its tasks: one, and the list by which a key is tried.

Source: docs/providers/kling.md, "Addresses and keys" and "Tasks".
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.generate import Drawn
from generations.sandbox.kling import validate
from generations.sandbox.kling.errors import answer
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response, as_json
from generations.sandbox.state import Request, Sandbox
from generations.sandbox.tasks import Task

ORDER = re.compile(r"/v1/images/(generations|omni-image|editing/expand)")
TASK = re.compile(rf"{ORDER.pattern}/([0-9a-f]+)")


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if request.method == "POST" and (found := ORDER.fullmatch(request.path)):
        return await _order(sandbox, request, entry, found[1])
    if request.method == "GET" and (found := TASK.fullmatch(request.path)):
        return await _poll(sandbox, request, entry, found[2])
    if request.method == "GET" and ORDER.fullmatch(request.path):
        document = {"code": 0, "message": "SUCCEED", "request_id": request.request_id, "data": []}
        return as_json(document)
    raise sandbox_responses.not_found()


async def _order(sandbox: Sandbox, request: Request, entry: LogEntry, call: str) -> Response:
    values = validate.read(request.body)
    entry.model = str(values.get("model_name", call))
    _log_values(entry, values)
    return await sandbox_generate.order(
        sandbox,
        request,
        entry,
        prompt=str(values.get("prompt", "")),
        validate=lambda: validate.validate(call, values, strict=sandbox.options.strict),
        respond=lambda task: answer(request, {"task_id": task.id, "task_status": "submitted"}),
    )


async def _poll(sandbox: Sandbox, request: Request, entry: LogEntry, task_id: str) -> Response:
    def state(task: Task, status: str, message: str = "") -> Response:
        return answer(request, {"task_id": task.id, "task_status": status, "task_status_msg": message})

    def succeeded(task: Task, drawn: Drawn) -> Response:
        if drawn.filtered:
            raise sandbox_responses.moderated()
        lifetime = sandbox.options.result_lifetime
        addresses = [
            sandbox.delivery.address(
                f"{task.id}-{place}", image, "image/png", host=request.host, lifetime=lifetime
            )
            for place, image in enumerate(drawn.images)
        ]
        listed = [{"index": place, "url": address} for place, address in enumerate(addresses)]
        result = {"series_images" if drawn.request.values.get("series") else "images": listed}
        units = str(drawn.request.cost // validate.HUNDREDTHS)
        document = {"task_id": task.id, "task_status": "succeed", "task_result": result}
        return answer(request, document | {"final_unit_deduction": units})

    return await sandbox_generate.poll(
        sandbox,
        request,
        entry,
        task_id=task_id,
        pending=lambda task: state(task, "processing"),
        failed=lambda task: state(task, "failed", "The generation failed."),
        respond=succeeded,
    )


def _log_values(entry: LogEntry, values: dict[str, Any]) -> None:
    """Write down the fields, and of images their sizes."""
    texts = {name: value for name, value in values.items() if name not in ("image", "image_list")}
    entry.fields = {name: shortened(value) for name, value in texts.items()}
    listed = values.get("image_list")
    images = [values.get("image"), *(listed if isinstance(listed, list) else ())]
    written = [json.dumps(image).encode() for image in images if image]
    entry.files = {
        f"image_{at + 1}": {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        for at, text in enumerate(written)
    }
