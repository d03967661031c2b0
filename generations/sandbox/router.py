"""What every call passes, whatever the system: log, key, rate limit, size; then the system's endpoints.

Systems are told apart by the prefix that gateways give them, or by their paths.
"""

from __future__ import annotations

from dataclasses import replace

from generations.sandbox import control, delivery
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.bfl.system import SYSTEM as BFL
from generations.sandbox.chat.system import SYSTEM as CHAT
from generations.sandbox.ideogram.system import SYSTEM as IDEOGRAM
from generations.sandbox.kling.system import SYSTEM as KLING
from generations.sandbox.midjourney.system import SYSTEMS as MIDJOURNEY
from generations.sandbox.openai.system import SYSTEM as OPENAI
from generations.sandbox.recraft.system import SYSTEM as RECRAFT
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.stability.system import SYSTEM as STABILITY
from generations.sandbox.state import Request, Sandbox
from generations.sandbox.system import System, bearer_token

# The first one that knows the path.
SYSTEMS: tuple[System, ...] = (BFL, *MIDJOURNEY, CHAT, OPENAI, RECRAFT, KLING, IDEOGRAM, STABILITY)


async def respond(sandbox: Sandbox, request: Request) -> Response:
    """Respond to any request."""
    if request.path.startswith("/control") and sandbox.options.has_control:
        return _respond_to_control(sandbox, request)
    if request.path.startswith(delivery.PATH):
        return sandbox.delivery.respond(request.path, request.query, request.headers)
    system, request = _addressed(request)
    entry = sandbox.log.write(_log_entry(request))
    sandbox.in_flight += 1
    try:
        response = await _respond_as_provider(sandbox, system, request, entry)
    except ApiError as error:
        entry.error = error.name
        response = system.error_response(error, request)
    finally:
        sandbox.in_flight -= 1
        entry.seconds = round(sandbox.now() - request.arrived, 3)
    entry.status = 0 if response.dropped else response.status
    return replace(response, headers=(("x-request-id", request.request_id), *response.headers))


def _addressed(request: Request) -> tuple[System, Request]:
    """Return the system of a path, and the request with its path and key as the system has them."""
    for system in SYSTEMS:
        if prefix := system.prefix_of(request.path):
            path = request.path.removeprefix(prefix)
            return system, replace(request, path=path, prefix=prefix, key=bearer_token(request))
    system = next(each for each in SYSTEMS if each.paths.fullmatch(request.path))
    return system, replace(request, key=system.key(request))


async def _respond_as_provider(
    sandbox: Sandbox, system: System, request: Request, entry: LogEntry
) -> Response:
    """Check the key first, as v1 is known to, then the rate limit and the size."""
    keys = [key for key in sandbox.options.key.split(",") if key and system.proves(request.key, key)]
    if not keys:
        raise sandbox_responses.unauthorized()
    request = replace(request, key=keys[0])  # a task is the key's, whatever token it was ordered with
    if system.has_window:
        sandbox.limiter.admit(request.arrived)
    if request.body_length > system.max_body:
        raise sandbox_responses.payload_too_large()
    return await system.respond(sandbox, request, entry)


def _respond_to_control(sandbox: Sandbox, request: Request) -> Response:
    try:
        return control.respond(sandbox, request)
    except ApiError as error:
        return as_json({"name": error.name, "errors": error.errors}, error.status)


def _log_entry(request: Request) -> LogEntry:
    return LogEntry(request.method, request.path, request.request_id, request.accept, request.content_type)
