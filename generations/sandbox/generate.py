"""A call of any system, from its validation to its image, with the planned fault.

`run` answers with the image, `order` with a task whose image is drawn later, `poll` with the image of a task.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from generations.sandbox import responses as sandbox_responses
from generations.sandbox.faults import LOST_PAGES, Planned, gateway_page
from generations.sandbox.image_request import FLAGGED_WORDS, ImageRequest, moderate
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import Response
from generations.sandbox.state import Request, Sandbox
from generations.sandbox.tasks import Task

DRAWING_TIME = 1.0  # seconds before the response at which drawing starts, to keep few images in memory
HANG_SECONDS = 600.0
TEXT_SECONDS = 2.0  # for words, which take less time than a picture
NOT_AN_IMAGE = b"these bytes were never an image\n" * 64
GARBAGE = b'{"image": "\x00\xff'

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawn:
    """The images of a validated request; `filtered` if the content filter blurred them."""

    request: ImageRequest
    images: list[bytes]
    filtered: bool


async def run(
    sandbox: Sandbox,
    request: Request,
    entry: LogEntry,
    *,
    prompt: str,
    validate: Callable[[], ImageRequest],
    respond: Callable[[Drawn], Response],
    moderates: bool = True,
) -> Response:
    """Return the response that is planned for the prompt, or validate, charge, wait, draw and respond.

    `validate` returns the request or raises ApiError; `respond` writes the system's response. Without
    `moderates` the prompt is moderated by `validate`.
    """
    planned = sandbox.plan.next(prompt)
    entry.outcome = planned.as_word()
    if not planned.makes_an_image:
        return await _refusal(planned)
    image_request = await _accepted(sandbox, entry, validate, moderates=moderates)
    sandbox.account.charge(image_request.cost)
    try:
        images = await _draw_in_time(
            sandbox, request.arrived, image_request, planned, sandbox.options.latency
        )
    except BaseException:
        sandbox.account.refund(image_request.cost)
        raise
    entry.cost = image_request.cost / 100
    entry.sha256 = hashlib.sha256(images[0]).hexdigest()
    return _damaged(respond(Drawn(image_request, images, planned.outcome == "filtered")), planned)


async def write(
    sandbox: Sandbox, entry: LogEntry, *, prompt: str, cost: int, respond: Callable[[], Response]
) -> Response:
    """Return the response that is planned for the prompt, or charge, wait, and respond with a text."""
    planned = sandbox.plan.next(prompt)
    entry.outcome = planned.as_word()
    if not planned.makes_an_image:
        return await _refusal(planned)
    sandbox.account.charge(cost)
    entry.cost = cost / 100
    seconds = planned.delay or (float(planned.seconds) if planned.outcome == "slow" else 0.0)
    await asyncio.sleep(seconds or min(sandbox.options.latency, TEXT_SECONDS))
    return _damaged(respond(), planned)


async def order(
    sandbox: Sandbox,
    request: Request,
    entry: LogEntry,
    *,
    prompt: str,
    validate: Callable[[], ImageRequest],
    respond: Callable[[Task], Response],
    moderates_later: bool = False,
    task_id: str = "",
) -> Response:
    """Return the response that is planned for the prompt, or validate, charge and start a task.

    A flagged prompt is refused at once, or ends the task if the system `moderates_later`. `task_id` is for
    systems that have ids of their own.
    """
    planned = sandbox.plan.next(prompt, "order")
    entry.outcome = planned.as_word()
    if not planned.makes_an_image:
        return await _refusal(planned)
    image_request = await _accepted(sandbox, entry, validate, moderates=not moderates_later)
    if moderates_later and FLAGGED_WORDS.search(prompt):
        planned = Planned("task-moderated")
    task = Task(request.key, image_request, planned, request.arrived)
    task.id = task_id or task.id
    if planned.is_charged:
        sandbox.account.charge(image_request.cost)
        entry.cost = image_request.cost / 100
    else:
        sandbox.account.require(image_request.cost)
    sandbox.tasks.add(task)
    entry.task = task.id
    task.work = asyncio.create_task(_work(sandbox, task))
    return _damaged(respond(task), planned)


async def poll(
    sandbox: Sandbox,
    request: Request,
    entry: LogEntry,
    *,
    task_id: str,
    pending: Callable[[Task], Response],
    failed: Callable[[Task], Response],
    respond: Callable[[Task, Drawn], Response],
) -> Response:
    """Return how a task is, or the response that is planned; ApiError for one that is gone or was refused."""
    task = sandbox.tasks.find(task_id, request.key, request.arrived)
    entry.task, entry.model = task.id, task.request.model
    entry.early = task.poll(request.arrived, sandbox.options.poll_interval)
    planned = sandbox.plan.next(task.request.prompt, "poll")
    entry.outcome = planned.as_word()
    if not planned.makes_an_image:
        return await _refusal(planned)
    await asyncio.sleep(planned.delay or 0)
    return _damaged(_state(task, entry, pending, failed, respond), planned)


def _state(
    task: Task,
    entry: LogEntry,
    pending: Callable[[Task], Response],
    failed: Callable[[Task], Response],
    respond: Callable[[Task, Drawn], Response],
) -> Response:
    if task.broke:
        raise sandbox_responses.internal_error()
    if task.image is None:
        return pending(task)
    if task.planned.outcome == "task-moderated":
        raise sandbox_responses.moderated()
    if task.planned.outcome == "task-failed":
        return failed(task)
    entry.seed = task.request.seed
    entry.sha256 = hashlib.sha256(task.image).hexdigest()
    images = [task.image, *task.more]
    return respond(task, Drawn(task.request, images, task.planned.outcome == "filtered"))


async def _work(sandbox: Sandbox, task: Task) -> None:
    """Draw the image of a task in its time, and refund it if that fails."""
    planned, latency = task.planned, sandbox.options.task_latency
    try:
        if planned.is_charged:
            images = await _draw_in_time(sandbox, task.ordered_at, task.request, planned, latency)
            task.more, task.image = tuple(images[1:]), images[0]
        elif planned.outcome != "task-endless":
            await asyncio.sleep(latency if planned.latency is None else planned.latency)
            task.image = b""
    except Exception:
        logger.exception("a task could not be drawn")
        sandbox.account.refund(task.request.cost)
        task.broke = True
    task.request = replace(task.request, files={})  # nobody reads them any more


async def _refusal(planned: Planned) -> Response:
    await asyncio.sleep(HANG_SECONDS if planned.action == "hang" else planned.delay or 0)
    return planned.response()


async def _accepted(
    sandbox: Sandbox, entry: LogEntry, validate: Callable[[], ImageRequest], *, moderates: bool = True
) -> ImageRequest:
    """Return the validated request; ApiError if it is invalid or flagged."""
    image_request = await sandbox.renderer.run(validate)
    entry.model, entry.seed = image_request.model, image_request.seed
    if moderates:
        moderate(image_request.prompt, any_language=image_request.any_language)
    return image_request


async def _draw_in_time(
    sandbox: Sandbox, since: float, image_request: ImageRequest, planned: Planned, latency: float
) -> list[bytes]:
    """Draw so that all is ready `latency` seconds, or as many as planned, after the request arrived."""
    ready_at = since + (latency if planned.latency is None else planned.latency)
    await asyncio.sleep(max(0.0, ready_at - DRAWING_TIME - sandbox.now()))
    if planned.outcome == "not-an-image":
        images = [NOT_AN_IMAGE] * image_request.samples
    else:
        blurred = planned.outcome == "filtered"
        images = await sandbox.renderer.render(image_request, plain=sandbox.options.plain, blurred=blurred)
    await asyncio.sleep(max(0.0, ready_at - sandbox.now()))
    return images


def _damaged(response: Response, planned: Planned) -> Response:
    """Return the response truncated, dropped or replaced, if that was planned."""
    action = planned.action
    if action == "drop":
        return Response(0, b"", dropped=True)
    if action == "garbage":
        return Response(200, GARBAGE)
    if action in LOST_PAGES:
        return gateway_page(LOST_PAGES[action])
    return replace(response, cut=len(response.body) // 2) if action == "truncate" else response
