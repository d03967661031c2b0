"""`/control`: plan outcomes, read the log, change the state of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from generations.sandbox.responses import Response, as_json, bad_request, not_found
from generations.sandbox.state import Request, Sandbox

NUMBERS = (
    "latency",
    "task_latency",
    "task_lifetime",
    "result_lifetime",
    "poll_interval",
    "window",
    "penalty",
)


def respond(sandbox: Sandbox, request: Request) -> Response:
    """Handle a request below `/control`; ApiError (400, 404) for an invalid one."""
    name = request.path.removeprefix("/control").strip("/")
    if request.method == "POST" and "application/json" not in request.headers.get("content-type", ""):
        raise bad_request("content-type: must be application/json")  # web pages of other sites cannot send it
    action = ACTIONS.get((request.method, name))
    if action is None:
        raise not_found()
    return as_json(action(sandbox, request))


def state(sandbox: Sandbox, _request: Request) -> dict[str, Any]:
    """Return the settings and counters of the sandbox, without the key."""
    options, limiter = sandbox.options, sandbox.limiter
    return {
        **{name: getattr(options, name) for name in NUMBERS},
        "limit": options.limit,
        "plain": options.plain,
        "strict": options.strict,
        "credits": sandbox.account.credits,
        "calls": sandbox.log.count,
        "in_flight": sandbox.in_flight,
        "planned": len(sandbox.plan.planned),
        "tasks": len(sandbox.tasks),
        "keys_at_results": sandbox.delivery.refused_keys,
        "most_fetches": sandbox.delivery.most_served,
        "fullest_window": limiter.fullest,
        "rate_limited": limiter.refused,
        "blocked_for": limiter.blocked_for(sandbox.now()),
    }


def _show_plan(sandbox: Sandbox, _request: Request) -> list[str]:
    return [planned.as_word() for planned in sandbox.plan.planned]


def _extend_plan(sandbox: Sandbox, request: Request) -> list[str]:
    try:
        sandbox.plan.extend(_parse_json(request))
    except (TypeError, ValueError) as problem:
        raise bad_request(f"plan: {problem}") from problem
    return _show_plan(sandbox, request)


def _clear_plan(sandbox: Sandbox, request: Request) -> list[str]:
    sandbox.plan.planned.clear()
    return _show_plan(sandbox, request)


def _show_log(sandbox: Sandbox, request: Request) -> list[dict[str, Any]]:
    last = parse_qs(request.query).get("last", [""])[0]
    return sandbox.log.read(int(last) if last.isdecimal() else None)


def _clear_log(sandbox: Sandbox, _request: Request) -> list[dict[str, Any]]:
    sandbox.log.clear()
    sandbox.delivery.clear()
    return []


def _change_state(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    changes = _parse_json(request)
    if not isinstance(changes, dict):
        raise bad_request("state: must be a JSON object")
    try:
        for name, value in changes.items():
            _change(sandbox, name, value)
    except (TypeError, ValueError) as problem:
        raise bad_request(f"state: {problem}") from problem
    return state(sandbox, request)


def _change(sandbox: Sandbox, name: str, value: Any) -> None:
    """Set one value; `reset` resets the rate limiter, and `forget` drops all tasks, if true."""
    if name in NUMBERS:
        setattr(sandbox.options, name, max(0.0, float(value)))
    elif name == "limit":
        sandbox.options.limit = int(value)
    elif name in ("plain", "strict"):
        setattr(sandbox.options, name, bool(value))
    elif name == "credits":
        sandbox.account.hundredths = round(float(value) * 100)
    elif name == "reset":
        sandbox.limiter.reset()
    elif name == "forget":
        sandbox.tasks.clear()
    else:
        raise ValueError(f"no such setting: {name}")


def _parse_json(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError as problem:
        raise bad_request("body: must be valid JSON") from problem


ACTIONS: dict[tuple[str, str], Callable[[Sandbox, Request], Any]] = {
    ("GET", "plan"): _show_plan,
    ("POST", "plan"): _extend_plan,
    ("DELETE", "plan"): _clear_plan,
    ("GET", "log"): _show_log,
    ("DELETE", "log"): _clear_log,
    ("GET", "state"): state,
    ("POST", "state"): _change_state,
}
