"""Authentication, rate limit, and routing."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace

from generations.sandbox import control
from generations.sandbox import generate as sandbox_generate
from generations.sandbox.multipart import MAX_BODY
from generations.sandbox.request_log import LogEntry
from generations.sandbox.stability import responses as sandbox_responses
from generations.sandbox.stability import validate_v1
from generations.sandbox.stability.responses import ApiError, Response, as_json
from generations.sandbox.state import Request, Sandbox

V2_PATH = re.compile(r"/v2beta/stable-image/generate/(ultra|core|sd3)")
V1_PATH = re.compile(r"/v1/generation/([^/]+)/text-to-image")
ORGANIZATION = {"id": "org-sandbox", "name": "Sandbox", "role": "ADMIN", "is_default": True}
PROFILE = {"id": "user-sandbox", "email": "sandbox@example.com", "organizations": [ORGANIZATION]}


async def respond(sandbox: Sandbox, request: Request) -> Response:
    """Respond to any request."""
    if request.path.startswith("/control") and sandbox.options.has_control:
        return _respond_to_control(sandbox, request)
    request = replace(request, path=_without_gateway_prefix(request.path))
    entry = sandbox.log.write(_log_entry(request))
    sandbox.in_flight += 1
    try:
        response = await _respond_as_provider(sandbox, request, entry)
    except ApiError as error:
        entry.error = error.name
        response = sandbox_responses.error_response(
            error, version=request.version, request_id=request.request_id
        )
    finally:
        sandbox.in_flight -= 1
        entry.seconds = round(sandbox.now() - request.arrived, 3)
    entry.status = 0 if response.dropped else response.status
    return replace(response, headers=(("x-request-id", request.request_id), *response.headers))


async def _respond_as_provider(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Check the key first, as v1 is known to, then the rate limit and the size."""
    if not hmac.compare_digest(request.key.encode(), sandbox.options.key.encode()):
        raise sandbox_responses.unauthorized(request.version, request.key)
    sandbox.limiter.admit(request.arrived)
    if request.body_length > MAX_BODY:
        raise sandbox_responses.payload_too_large()
    if request.method == "GET":
        return _account_response(sandbox, request.path)
    if request.method == "POST" and (found := V2_PATH.fullmatch(request.path)):
        return await sandbox_generate.from_form(sandbox, request, entry, found.group(1))
    if request.method == "POST" and (found := V1_PATH.fullmatch(request.path)):
        return await sandbox_generate.from_json(sandbox, request, entry, found.group(1))
    raise sandbox_responses.not_found()


def _respond_to_control(sandbox: Sandbox, request: Request) -> Response:
    try:
        return control.respond(sandbox, request)
    except ApiError as error:
        return sandbox_responses.error_response(error, version=request.version, request_id=request.request_id)


def _account_response(sandbox: Sandbox, path: str) -> Response:
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


def _log_entry(request: Request) -> LogEntry:
    return LogEntry(request.method, request.path, request.request_id, request.accept, request.content_type)
