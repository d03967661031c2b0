"""The calls of Midjourney's proxies in one dialect: orders, next steps, windows, tasks.

Formats: docs/providers/midjourney.md, "Addresses", "Tasks" and "Modal".
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox.faults import Planned
from generations.sandbox.generate import Drawn
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.midjourney import half_done, requests, steps
from generations.sandbox.midjourney.dialects import Dialect, no_such_path
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import ApiError, Response, as_json, bad_request
from generations.sandbox.state import Request, Sandbox
from generations.sandbox.tasks import Task

PATH = re.compile(r"(?:/plus|/original)?(/mj(?:-fast/mj|-turbo/mj|-relax/mj)?)(/.*)")
SUBMIT = re.compile(r"/submit/([a-z-]+)")
TASK = re.compile(r"/task/([^/]+)/(fetch|image-seed)")
ORDERS: Mapping[str, Callable[[Mapping[str, Any]], ImageRequest]] = {
    "imagine": requests.imagine,
    "blend": requests.blend,
    "describe": requests.describe,
    "shorten": requests.shorten,
    "swap": requests.swap,
}
MAX_RUNNING = 3  # of an account; what comes then waits
NOT_ASKED, NOT_STARTED, SUBMITTED, DRAWING = 0.1, 0.2, 0.3, 1.0  # shares of a task's time


class Midjourney:
    """One dialect: answers calls with a valid key, or raises ApiError."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    async def respond(self, sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
        """Respond to a call."""
        found = PATH.fullmatch(request.path)
        speed, path = (found[1], found[2]) if found else ("", "")
        if not found or (speed != "/mj" and self.dialect.name == "original"):
            raise no_such_path()
        if request.method == "GET" and (asked := TASK.fullmatch(path)):
            return await self._task(sandbox, request, entry, asked[1], asked[2])
        if request.method != "POST":
            raise no_such_path()
        if path == "/task/list-by-condition":
            return await self._list(sandbox, request, entry)
        call = "swap" if path == "/insight-face/swap" else ""
        if submitted := SUBMIT.fullmatch(path):
            call = submitted[1] if submitted[1] in self.dialect.calls else ""
        if not call or (call == "swap" and self.dialect.name == "original"):
            raise no_such_path()
        original = self.dialect.name == "original"
        values = requests.parse(call, request.body, strict=sandbox.options.strict, original=original)
        entry.fields = {name: _logged(value) for name, value in values.items()}
        return await self._order(sandbox, request, entry, call, values)

    async def _order(
        self, sandbox: Sandbox, request: Request, entry: LogEntry, call: str, values: dict[str, Any]
    ) -> Response:
        if call in ORDERS:
            prompt = str(values.get("prompt") or "")
            return await self._start(
                sandbox, request, entry, prompt=prompt, validate=lambda: ORDERS[call](values)
            )
        if call == "modal":
            return await self._modal(sandbox, request, entry, values)
        parent = self._parent(sandbox, request, values, call)
        step = _step(parent, call, values)
        prompt = parent.request.prompt
        if call == "action" and (window := _window_of(values)):
            return self._open_window(sandbox, request, step, parent, window)
        return await self._start(sandbox, request, entry, prompt=prompt, validate=lambda: step)

    async def _start(
        self,
        sandbox: Sandbox,
        request: Request,
        entry: LogEntry,
        *,
        prompt: str,
        validate: Callable[[], ImageRequest],
        task_id: str = "",
    ) -> Response:
        """Begin a task, as planned for its prompt."""
        running = len(sandbox.tasks.under_way(request.key))
        return await sandbox_generate.order(
            sandbox,
            request,
            entry,
            prompt=prompt,
            validate=validate,
            respond=lambda task: self.dialect.taken(task.id, ahead=max(0, running - MAX_RUNNING + 1)),
            moderates_later=True,
            task_id=task_id or new_id(),
        )

    def _parent(self, sandbox: Sandbox, request: Request, values: dict[str, Any], call: str) -> Task:
        """The finished task that a call continues; ApiError for another one."""
        task_id = values.get("taskId")
        if call == "simple-change":
            found = steps.SIMPLE.fullmatch(str(values.get("content") or ""))
            if not found:
                raise bad_request("content: 格式错误")
            task_id = found[1]
        if self.dialect.is_relay and call == "change" and not values.get("index"):
            raise bad_request("index_is_required")
        try:
            task = sandbox.tasks.find(str(task_id), request.key, request.arrived)
        except ApiError as problem:
            if self.dialect.is_relay:
                raise bad_request("task_not_found") from problem
            raise ApiError(404 if self.dialect.name == "plus" else 200, "not_found", "not found") from problem
        if not task.image or task.planned.outcome in ("task-failed", "task-moderated"):
            raise bad_request("task_status_not_success" if self.dialect.is_relay else "关联任务状态错误")
        return task

    def _open_window(
        self, sandbox: Sandbox, request: Request, step: ImageRequest, parent: Task, window: str
    ) -> Response:
        """Make a task that waits for its prompt, and costs nothing until then."""
        task = Task(request.key, step, Planned("task-endless"), request.arrived, id=new_id())
        task.request = replace(step, values={**step.values, "window": window})
        sandbox.tasks.add(task)
        return self.dialect.taken(task.id, window=parent.request.values["text"])

    async def _modal(
        self, sandbox: Sandbox, request: Request, entry: LogEntry, values: dict[str, Any]
    ) -> Response:
        """Answer a window, which begins its task."""
        try:
            task = sandbox.tasks.find(str(values.get("taskId")), request.key, request.arrived)
        except ApiError as problem:
            if self.dialect.is_relay:
                raise bad_request("task_not_found") from problem
            raise ApiError(404, "not_found", "not found") from problem
        waiting = task.request
        if "window" not in waiting.values:
            raise bad_request("关联任务状态错误")
        told = str(values.get("prompt") or "") or waiting.values["text"]
        mask = requests.mask(values)
        if waiting.values["window"] == "Inpaint" and mask is None:
            raise bad_request("mask_base64_is_required")

        def validate() -> ImageRequest:
            requests.check_words(told)
            kept = {name: value for name, value in waiting.values.items() if name != "window"}
            found = re.search(r"--zoom (\d(?:\.\d+)?)", told)
            zoom = {"zoom": min(2.0, max(1.0, float(found[1])))} if found else {}
            return replace(
                waiting,
                prompt=requests.PARAMETER.split(told)[0].strip() or told,
                files={**waiting.files, **({"mask": mask} if mask else {})},
                values=kept | {"text": told} | zoom,
            )

        return await self._start(sandbox, request, entry, prompt=told, validate=validate, task_id=task.id)

    async def _task(
        self, sandbox: Sandbox, request: Request, entry: LogEntry, task_id: str, what: str
    ) -> Response:
        try:
            task = sandbox.tasks.find(task_id, request.key, request.arrived)
        except ApiError:
            return self.dialect.no_task()
        if what == "image-seed":
            if not self.dialect.has_buttons:
                raise no_such_path()
            return as_json({"code": 1, "description": "success", "result": str(task.request.seed)})
        if "window" in task.request.values:
            return as_json(self._document(task, "MODAL", "0%"))
        under_way = await self._pending(sandbox, request, task)
        try:
            return await sandbox_generate.poll(
                sandbox,
                request,
                entry,
                task_id=task_id,
                pending=lambda _task: as_json(under_way),
                failed=lambda task: as_json(self._failure(task, "任务超时")),
                respond=lambda task, drawn: self._finished(sandbox, request, task, drawn),
            )
        except ApiError as error:
            if error.name != "content_moderation":
                raise
            return as_json(self._failure(task, "Banned prompt detected"))

    async def _list(self, sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
        """Return the tasks of these ids as they are; unknown ones are left out."""
        try:
            ids = json.loads(request.body).get("ids") or []
        except (ValueError, AttributeError) as problem:
            raise bad_request("ids: 格式错误") from problem
        found, early = [], False
        for task_id in ids:
            with contextlib.suppress(ApiError):
                one = await self._task(sandbox, request, entry, str(task_id), "fetch")
                if one.status == 200 and b'"status"' in one.body:
                    found.append(json.loads(one.body))
            early |= entry.early
        entry.early = early
        return as_json(found)

    async def _pending(self, sandbox: Sandbox, request: Request, task: Task) -> dict[str, Any]:
        """A task under way. Late in its time it has half-done pictures, each at an address of its own."""
        share = (request.arrived - task.ordered_at) / max(sandbox.options.task_latency, 0.001)
        if share < NOT_ASKED and self.dialect.is_relay:
            return self._document(task, "", "0%")
        if share < NOT_STARTED:
            return self._document(task, "NOT_START", "0%")
        if share < SUBMITTED:
            return self._document(task, "SUBMITTED", "0%")
        percent = min(99, round(share * 100))
        document = self._document(task, "IN_PROGRESS", f"{percent}%")
        if (stage := half_done.stage_of(task, percent)) and task.image is None:
            which = f"half-{stage}"
            known = sandbox.delivery.find(_file_name(task, which))
            data = b"" if known else await half_done.draw(sandbox, task, stage)
            document["imageUrl"] = known or self._address(sandbox, request, task, data, which)
        return document

    def _finished(self, sandbox: Sandbox, request: Request, task: Task, drawn: Drawn) -> Response:
        document = self._document(task, "SUCCESS", "100%")
        told = task.request.values.get("told")
        if told:
            document["properties"] |= {"finalPrompt": told}
            document["promptEn"] = told
        if drawn.filtered:
            return as_json(self._failure(task, "Image denied"))
        if task.request.values["action"] != "SHORTEN":
            document["imageUrl"] = self._address(sandbox, request, task, drawn.images[0], "whole")
        document["buttons"] = steps.buttons(task) if self.dialect.has_buttons else None
        return as_json({name: value for name, value in document.items() if value is not None})

    def _failure(self, task: Task, reason: str) -> dict[str, Any]:
        return self._document(task, "FAILURE", "") | {"failReason": reason}

    def _document(self, task: Task, status: str, progress: str) -> dict[str, Any]:
        ordered = round(time.time() * 1_000)
        text = task.request.values["text"]
        return {
            "id": task.id,
            "action": task.request.values["action"],
            "status": status,
            "prompt": text,
            "promptEn": text,
            "description": f"/imagine {text}",
            "state": "",
            "submitTime": ordered,
            "startTime": ordered,
            "finishTime": ordered if progress == "100%" else 0,
            "progress": progress,
            "imageUrl": "",
            "failReason": "",
            "properties": {"finalPrompt": text},
        }

    @staticmethod
    def _address(sandbox: Sandbox, request: Request, task: Task, data: bytes, which: str) -> str:
        lifetime = sandbox.options.result_lifetime
        name = _file_name(task, which)
        return sandbox.delivery.address(name, data, "image/png", host=request.host, lifetime=lifetime)


def _file_name(task: Task, which: str) -> str:
    return f"{task.id}-{which}.png"


def new_id() -> str:
    """Return an id as the proxies make them: the time in milliseconds, and three digits."""
    return f"{time.time_ns() // 1_000_000}{secrets.randbelow(1_000):03}"


def _step(parent: Task, call: str, values: dict[str, Any]) -> ImageRequest:
    if call == "action":
        return steps.of_button(parent, str(values.get("customId") or ""))
    if call == "change":
        index = values.get("index")
        return steps.of_change(parent, str(values.get("action")), index if isinstance(index, int) else 0)
    found = steps.SIMPLE.fullmatch(str(values["content"]))
    assert found
    letter, number = found[2][0].upper(), found[2][1:]
    names = {"U": "UPSCALE", "V": "VARIATION", "R": "REROLL"}
    return steps.of_change(parent, names[letter], int(number or 1))


def _window_of(values: dict[str, Any]) -> str:
    """The kind of window that a button opens; "" for a button that opens none."""
    custom_id = str(values.get("customId") or "")
    return next((name for name in steps.WINDOWS if custom_id.startswith(f"MJ::{name}::")), "")


def _logged(value: Any) -> Any:
    """A value for the log: images by their size and sum, each alone."""
    if isinstance(value, list):
        return [_logged(each) for each in value]
    if isinstance(value, str) and value.startswith("data:"):
        return {"bytes": len(value), "sha256": hashlib.sha256(value.encode()).hexdigest()}
    return shortened(value)
