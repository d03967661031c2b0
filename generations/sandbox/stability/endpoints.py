"""Stability's endpoints: v2beta's services and results, v1's JSON and forms, balance and account.

Formats: docs/providers/stability.md, "Answers", "Results that come later" and "Balance and account".
"""

from __future__ import annotations

import base64
import hashlib
import re

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.generate import Drawn
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.multipart import Form, parse_form
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response, as_json
from generations.sandbox.stability import validate_v1, validate_v2beta
from generations.sandbox.stability.services import SERVICES, find, model_name
from generations.sandbox.state import Request, Sandbox
from generations.sandbox.tasks import Task

V2_PATH = re.compile(r"/v2beta/stable-image/([a-z]+/[a-z0-9-]+)")
RESULT_PATH = re.compile(r"/v2beta/(results|stable-image/upscale/creative/result)/([^/]+)")
V1_PATH = re.compile(r"/v1/generation/([^/]+)/(text-to-image|image-to-image|image-to-image/masking)")
ORGANIZATION = {"id": "org-sandbox", "name": "Sandbox", "role": "ADMIN", "is_default": True}
PROFILE = {"id": "user-sandbox", "email": "sandbox@example.com", "organizations": [ORGANIZATION]}


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if request.method == "GET":
        if found := RESULT_PATH.fullmatch(request.path):
            return await _result(sandbox, request, entry, found[2])
        return _account_response(sandbox, request.path)
    if request.method == "POST" and (found := V2_PATH.fullmatch(request.path)):
        return await _v2beta(sandbox, request, entry, found[1])
    if request.method == "POST" and (found := V1_PATH.fullmatch(request.path)):
        return await _v1(sandbox, request, entry, engine=found[1], kind=found[2])
    raise sandbox_responses.not_found()


def _account_response(sandbox: Sandbox, path: str) -> Response:
    if path == "/v1/user/balance":
        return as_json({"credits": sandbox.account.credits})
    if path == "/v1/user/account":
        return as_json(PROFILE)
    if path == "/v1/engines/list":
        engines = validate_v1.ENGINES.items()
        return as_json([{"id": i, "name": n, "description": n, "type": "PICTURE"} for i, n in engines])
    raise sandbox_responses.not_found()


async def _v2beta(sandbox: Sandbox, request: Request, entry: LogEntry, path: str) -> Response:
    if path not in SERVICES:
        raise sandbox_responses.not_found()
    form = parse_form(request.content_type, request.body)
    service = find(path, form)
    entry.model = form.texts.get("model", "sd3.5-large") if path == "generate/sd3" else model_name(path)
    _log_form(entry, form)
    prompt = validate_v2beta.prompts(service, form)

    def validate() -> ImageRequest:
        return validate_v2beta.validate(path, service, form, strict=sandbox.options.strict)

    if service.later:
        return await sandbox_generate.order(
            sandbox, request, entry, prompt=prompt, validate=validate, respond=_task_id
        )
    respond = _v2beta_json if _wants_json(request) else _as_bytes
    return await sandbox_generate.run(
        sandbox, request, entry, prompt=prompt, validate=validate, respond=respond
    )


async def _result(sandbox: Sandbox, request: Request, entry: LogEntry, task_id: str) -> Response:
    return await sandbox_generate.poll(
        sandbox,
        request,
        entry,
        task_id=task_id,
        pending=_in_progress,
        failed=_failed,
        respond=lambda _task, drawn: _result_json(drawn) if _wants_json(request) else _as_bytes(drawn),
    )


async def _v1(sandbox: Sandbox, request: Request, entry: LogEntry, *, engine: str, kind: str) -> Response:
    entry.model = validate_v1.validate_engine(engine)
    if kind == "text-to-image":
        form, values = Form(), validate_v1.parse_body(request.body)
        entry.fields = {name: shortened(value) for name, value in values.items()}
    else:
        form = parse_form(request.content_type, request.body)
        values = validate_v1.parse_texts(form.texts)
        _log_form(entry, form)
    strict = sandbox.options.strict
    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=str(values.get("text_prompts", "")),
        validate=lambda: validate_v1.validate(engine, values, kind=kind, files=form.files, strict=strict),
        respond=_as_bytes if "image/png" in request.accept.lower() else _v1_json,
    )


def _wants_json(request: Request) -> bool:
    return "application/json" in request.accept.lower()


def _finish_reason(drawn: Drawn) -> str:
    return "CONTENT_FILTERED" if drawn.filtered else "SUCCESS"


def _as_bytes(drawn: Drawn) -> Response:
    headers = (("finish-reason", _finish_reason(drawn)), ("seed", str(drawn.request.seed)))
    return Response(200, drawn.images[0], f"image/{drawn.request.output_format}", headers)


def _v1_json(drawn: Drawn) -> Response:
    finish_reason, seed = _finish_reason(drawn), drawn.request.seed
    artifacts = [
        {"base64": base64.b64encode(image).decode(), "finishReason": finish_reason, "seed": seed + offset}
        for offset, image in enumerate(drawn.images)
    ]
    return as_json({"artifacts": artifacts})


def _v2beta_json(drawn: Drawn) -> Response:
    return _json_with(drawn, "image")


def _result_json(drawn: Drawn) -> Response:
    """The document has `image` alone, and a widely used client reads `result`."""
    return _json_with(drawn, "image", "result")


def _json_with(drawn: Drawn, *names: str) -> Response:
    image = base64.b64encode(drawn.images[0]).decode()
    document = {
        "finish_reason": _finish_reason(drawn),
        "seed": drawn.request.seed,
        **dict.fromkeys(names, image),
    }
    media_type = f"application/json; type=image/{drawn.request.output_format}"
    return Response(200, as_json(document).body, media_type)


def _task_id(task: Task) -> Response:
    return as_json({"id": task.id})


def _in_progress(task: Task) -> Response:
    return as_json({"id": task.id, "status": "in-progress"}, 202)


def _failed(task: Task) -> Response:
    """Return the planned status of a task that failed: how real ones do is UNVERIFIED."""
    status = int(task.planned.seconds or 500)
    name = "bad_request" if status == 400 else "internal_error"
    return as_json({"id": task.id, "name": name, "errors": ["The generation failed."]}, status)


def _log_form(entry: LogEntry, form: Form) -> None:
    entry.fields = {name: shortened(value) for name, value in form.texts.items()}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in form.files.items()
    }
