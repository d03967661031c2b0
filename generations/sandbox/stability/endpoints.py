"""Stability's endpoints: v2beta's forms, v1's JSON, balance and account.

Formats: docs/providers/stability.md, "Answers" and "Balance and account".
"""

from __future__ import annotations

import base64
import hashlib
import re

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.generate import Drawn
from generations.sandbox.multipart import Form, parse_form
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response, as_json
from generations.sandbox.stability import validate_v1, validate_v2beta
from generations.sandbox.state import Request, Sandbox

V2_PATH = re.compile(r"/v2beta/stable-image/generate/(ultra|core|sd3)")
V1_PATH = re.compile(r"/v1/generation/([^/]+)/text-to-image")
ORGANIZATION = {"id": "org-sandbox", "name": "Sandbox", "role": "ADMIN", "is_default": True}
PROFILE = {"id": "user-sandbox", "email": "sandbox@example.com", "organizations": [ORGANIZATION]}


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if request.method == "GET":
        return _account_response(sandbox, request.path)
    if request.method == "POST" and (found := V2_PATH.fullmatch(request.path)):
        return await _generate_v2beta(sandbox, request, entry, found[1])
    if request.method == "POST" and (found := V1_PATH.fullmatch(request.path)):
        return await _generate_v1(sandbox, request, entry, found[1])
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


async def _generate_v2beta(sandbox: Sandbox, request: Request, entry: LogEntry, endpoint: str) -> Response:
    form = parse_form(request.content_type, request.body)
    _log_form(entry, form, endpoint)
    as_json_wanted = "application/json" in request.accept.lower()
    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=form.texts.get("prompt", ""),
        validate=lambda: validate_v2beta.validate(endpoint, form, strict=sandbox.options.strict),
        respond=_v2beta_json if as_json_wanted else _as_bytes,
    )


async def _generate_v1(sandbox: Sandbox, request: Request, entry: LogEntry, engine: str) -> Response:
    entry.model = validate_v1.validate_engine(engine)
    values = validate_v1.parse_body(request.body)
    entry.fields = {name: shortened(value) for name, value in values.items()}
    as_bytes_wanted = "image/png" in request.accept.lower()
    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=str(values.get("text_prompts", "")),
        validate=lambda: validate_v1.validate(engine, values, strict=sandbox.options.strict),
        respond=_as_bytes if as_bytes_wanted else _v1_json,
    )


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
    image = base64.b64encode(drawn.images[0]).decode()
    document = {"image": image, "finish_reason": _finish_reason(drawn), "seed": drawn.request.seed}
    media_type = f"application/json; type=image/{drawn.request.output_format}"
    return Response(200, as_json(document).body, media_type)


def _log_form(entry: LogEntry, form: Form, endpoint: str) -> None:
    entry.model = form.texts.get("model", "sd3.5-large") if endpoint == "sd3" else endpoint
    entry.fields = {name: shortened(value) for name, value in form.texts.items()}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in form.files.items()
    }
