"""What every call passes, whatever the system: log, key, rate limit, size; then the system's endpoints.

A second system is told apart here, by its paths.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from generations.sandbox import control
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.multipart import MAX_BODY
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.stability import endpoints
from generations.sandbox.stability.errors import error_response
from generations.sandbox.state import Request, Sandbox


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
        response = error_response(error, request)
    finally:
        sandbox.in_flight -= 1
        entry.seconds = round(sandbox.now() - request.arrived, 3)
    entry.status = 0 if response.dropped else response.status
    return replace(response, headers=(("x-request-id", request.request_id), *response.headers))


async def _respond_as_provider(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Check the key first, as v1 is known to, then the rate limit and the size."""
    keys = [key.encode() for key in sandbox.options.key.split(",") if key]
    if not any(hmac.compare_digest(request.key.encode(), key) for key in keys):
        raise sandbox_responses.unauthorized()
    sandbox.limiter.admit(request.arrived)
    if request.body_length > MAX_BODY:
        raise sandbox_responses.payload_too_large()
    return await endpoints.respond(sandbox, request, entry)


def _respond_to_control(sandbox: Sandbox, request: Request) -> Response:
    try:
        return control.respond(sandbox, request)
    except ApiError as error:
        return as_json({"name": error.name, "errors": error.errors}, error.status)


def _without_gateway_prefix(path: str) -> str:
    """Gateways serve the same API below `/sd` (docs/providers/gateways.md, "Prefixes")."""
    return path.removeprefix("/sd") if path.startswith("/sd/") else path


def _log_entry(request: Request) -> LogEntry:
    return LogEntry(request.method, request.path, request.request_id, request.accept, request.content_type)
