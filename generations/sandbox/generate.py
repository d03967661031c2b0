"""A generate call of any system, from its validation to its image, with the planned fault."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from generations.sandbox.faults import LOST_PAGES, Planned, gateway_page
from generations.sandbox.image_request import ImageRequest, moderate
from generations.sandbox.request_log import LogEntry
from generations.sandbox.responses import Response
from generations.sandbox.state import Request, Sandbox

DRAWING_TIME = 1.0  # seconds before the response at which drawing starts, to keep few images in memory
HANG_SECONDS = 600.0
NOT_AN_IMAGE = b"these bytes were never an image\n" * 64


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
) -> Response:
    """Return the response that is planned for the prompt, or validate, charge, wait, draw and respond.

    `validate` returns the request or raises ApiError; `respond` writes the system's response.
    """
    planned = sandbox.plan.next(prompt)
    entry.outcome = planned.as_word()
    if not planned.makes_an_image:
        await asyncio.sleep(HANG_SECONDS if planned.outcome == "hang" else planned.delay or 0)
        return planned.response()
    image_request = validate()
    entry.model, entry.seed = image_request.model, image_request.seed
    moderate(image_request.prompt)
    sandbox.account.charge(image_request.cost)
    try:
        images = await _draw_in_time(sandbox, request, image_request, planned)
    except BaseException:
        sandbox.account.refund(image_request.cost)
        raise
    entry.cost = image_request.cost / 100
    entry.sha256 = hashlib.sha256(images[0]).hexdigest()
    return _damaged(respond(Drawn(image_request, images, planned.outcome == "filtered")), planned)


async def _draw_in_time(
    sandbox: Sandbox, request: Request, image_request: ImageRequest, planned: Planned
) -> list[bytes]:
    """Draw so that the response is sent `latency` seconds after the request arrived."""
    latency = sandbox.options.latency if planned.latency is None else planned.latency
    ready_at = request.arrived + latency
    await asyncio.sleep(max(0.0, ready_at - DRAWING_TIME - sandbox.now()))
    if planned.outcome == "not-an-image":
        images = [NOT_AN_IMAGE] * image_request.samples
    else:
        blurred = planned.outcome == "filtered"
        images = await sandbox.renderer.render(image_request, plain=sandbox.options.plain, blurred=blurred)
    await asyncio.sleep(max(0.0, ready_at - sandbox.now()))
    return images


def _damaged(response: Response, planned: Planned) -> Response:
    """Return the response truncated, dropped, or replaced by a gateway's page if that was planned."""
    if planned.outcome == "drop":
        return Response(0, b"", dropped=True)
    if planned.outcome in LOST_PAGES:
        return gateway_page(LOST_PAGES[planned.outcome])
    return replace(response, cut=len(response.body) // 2) if planned.outcome == "truncate" else response
