"""Who may call, how often, and which endpoint it is."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace

from generations.sandbox import control
from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.multipart import LARGEST_BODY
from generations.sandbox.request_log import Entry
from generations.sandbox.responses import Answer, RefusalError, as_json
from generations.sandbox.stability import validate_v1
from generations.sandbox.state import Request, Sandbox

V2_PATH = re.compile(r"/v2beta/stable-image/generate/(ultra|core|sd3)")
V1_PATH = re.compile(r"/v1/generation/([^/]+)/text-to-image")
ORGANIZATION = {"id": "org-sandbox", "name": "Sandbox", "role": "ADMIN", "is_default": True}
PROFILE = {"id": "user-sandbox", "email": "sandbox@example.com", "organizations": [ORGANIZATION]}


async def respond(sandbox: Sandbox, request: Request) -> Answer:
    """Answer any request."""
    if request.path.startswith("/control") and sandbox.options.has_control:
        return _respond_to_control(sandbox, request)
    request = replace(request, path=_without_gateway_prefix(request.path))
    entry = sandbox.journal.write(_entry(request))
    sandbox.in_flight += 1
    try:
        answer = await _respond_as_provider(sandbox, request, entry)
    except RefusalError as refusal:
        entry.error = refusal.name
        answer = sandbox_responses.refused(refusal, version=request.version, request_id=request.request_id)
    finally:
        sandbox.in_flight -= 1
        entry.seconds = round(sandbox.now() - request.arrived, 3)
    entry.status = 0 if answer.dropped else answer.status
    return replace(answer, headers=(("x-request-id", request.request_id), *answer.headers))


async def _respond_as_provider(sandbox: Sandbox, request: Request, entry: Entry) -> Answer:
    """Check the key before anything else, as v1 is known to, then the limit and the size."""
    if not hmac.compare_digest(request.key.encode(), sandbox.options.key.encode()):
        raise sandbox_responses.unauthorized(request.version, request.key)
    sandbox.limiter.admit(request.arrived)
    if request.body_length > LARGEST_BODY:
        raise sandbox_responses.payload_too_large()
    if request.method == "GET":
        return _account_page(sandbox, request.path)
    if request.method == "POST" and (found := V2_PATH.fullmatch(request.path)):
        return await sandbox_generate.from_form(sandbox, request, entry, found.group(1))
    if request.method == "POST" and (found := V1_PATH.fullmatch(request.path)):
        return await sandbox_generate.from_json(sandbox, request, entry, found.group(1))
    raise sandbox_responses.not_found()


def _respond_to_control(sandbox: Sandbox, request: Request) -> Answer:
    try:
        return control.respond(sandbox, request)
    except RefusalError as refusal:
        return sandbox_responses.refused(refusal, version=request.version, request_id=request.request_id)


def _account_page(sandbox: Sandbox, path: str) -> Answer:
    if path == "/v1/user/balance":
        return as_json({"credits": sandbox.account.credits})
    if path == "/v1/user/account":
        return as_json(PROFILE)
    if path == "/v1/engines/list":
        engines = validate_v1.ENGINES.items()
        return as_json([{"id": i, "name": n, "description": n, "type": "PICTURE"} for i, n in engines])
    raise sandbox_responses.not_found()


def _without_gateway_prefix(path: str) -> str:
    """Gateways serve the same API below `/sd` (docs/providers/gateways.md, "Prefixes")."""
    return path.removeprefix("/sd") if path.startswith("/sd/") else path


def _entry(request: Request) -> Entry:
    return Entry(request.method, request.path, request.request_id, request.accept, request.content_type)
