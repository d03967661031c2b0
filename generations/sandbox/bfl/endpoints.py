"""The endpoints of Black Forest Labs: orders, how a task is, and the balance.

Formats: docs/providers/flux.md, "Addresses" and "Tasks".
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.bfl import errors as bfl_errors
from generations.sandbox.bfl import validate as bfl_validate
from generations.sandbox.bfl.services import SERVICES, TASKS_AT_ONCE
from generations.sandbox.generate import Drawn
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request, Sandbox
from generations.sandbox.tasks import Task

ORDER = re.compile(r"/v1/(flux-[a-z0-9.-]+)")
RESULT, CREDITS = "/v1/get_result", "/v1/credits"


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    found = ORDER.fullmatch(request.path)
    if request.method == "POST" and found and found[1] in SERVICES:
        return await _order(sandbox, request, entry, found[1])
    if request.method == "GET" and request.path == RESULT:
        return await _result(sandbox, request, entry)
    if request.method == "GET" and request.path == CREDITS:
        return as_json({"credits": sandbox.account.credits})
    raise sandbox_responses.not_found()


async def _order(sandbox: Sandbox, request: Request, entry: LogEntry, model: str) -> Response:
    body = bfl_validate.parse(request)
    entry.model = model
    entry.fields = {name: shortened(value) for name, value in body.items()}
    _admit(sandbox, request.key, model)
    return await sandbox_generate.order(
        sandbox,
        request,
        entry,
        prompt=str(body.get("prompt", "")),
        validate=lambda: bfl_validate.validate(model, body, strict=sandbox.options.strict),
        respond=lambda task: _accepted(request, task),
        moderates_later=True,
    )


def _admit(sandbox: Sandbox, key: str, model: str) -> None:
    """Raise ApiError (429) if too many tasks of the key are under way, or of a model with less."""
    under_way = [task for task in sandbox.tasks.under_way(key) if task.request.model in SERVICES]
    of_model = [task for task in under_way if task.request.model == model]
    if len(under_way) >= TASKS_AT_ONCE or len(of_model) >= SERVICES[model].tasks:
        raise bfl_errors.too_many_tasks()


async def _result(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    task_id = parse_qs(request.query).get("id", [""])[0]
    try:
        return await sandbox_generate.poll(
            sandbox,
            request,
            entry,
            task_id=task_id,
            pending=lambda task: _state(task, _running_word(sandbox, task)),
            failed=lambda task: _state(task, "Error", int(task.planned.seconds or 200)),
            respond=lambda task, drawn: _ready(sandbox, request, task, drawn),
        )
    except ApiError as error:
        if error.name == "generation_not_found":
            return as_json(_state_of(task_id, "Task not found"), 404)
        if error.name != "content_moderation":
            raise
        details = {"Moderation Reasons": ["Safety Filter"]}
        return as_json(_state_of(task_id, "Request Moderated", details=details))


def _accepted(request: Request, task: Task) -> Response:
    """Return the order's answer: some gateways pass on the maker's own address, others only the id."""
    address = f"{RESULT}?id={task.id}"
    place = "https://api.eu2.bfl.ai" if request.prefix else f"http://{request.host}"
    document = {"id": task.id, "polling_url": place + address, "cost": task.request.cost / 100}
    return as_json({"id": task.id} if request.prefix == "/bfl" else document)


def _running_word(sandbox: Sandbox, task: Task) -> str:
    """The words of a service share the time that its task takes."""
    words = SERVICES[task.request.model].words
    share = (sandbox.now() - task.ordered_at) / max(sandbox.options.task_latency, 0.001)
    return words[min(len(words) - 1, int(share * len(words)))]


def _ready(sandbox: Sandbox, request: Request, task: Task, drawn: Drawn) -> Response:
    if drawn.filtered:
        return _state(task, "Content Moderated")
    address = sandbox.delivery.address(
        f"{task.id}.{drawn.request.output_format}",
        drawn.images[0],
        f"image/{drawn.request.output_format}",
        host=request.host,
        lifetime=sandbox.options.result_lifetime,
    )
    result = {"sample": address, "prompt": drawn.request.prompt, "seed": drawn.request.seed}
    return as_json(_state_of(task.id, "Ready", result=result))


def _state(task: Task, word: str, status: int = 200) -> Response:
    return as_json(_state_of(task.id, word), status)


def _state_of(task_id: str, word: str, **known: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("result", "progress", "details", "preview"))
    return {"id": task_id, "status": word, **nothing, **known}
