"""Half-done pictures of tasks under way: small, and less blurred the further the task is.

Source: docs/providers/midjourney.md, "Traps".
"""

from __future__ import annotations

from dataclasses import replace

from PIL import ImageFilter

from generations.sandbox.image_encoding import encode
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.state import Sandbox
from generations.sandbox.tasks import Task

STAGES = (25, 50, 75)  # percent of a task's time at which it has another picture
SHRUNK = 3  # times, of a picture whose size is known


def stage_of(task: Task, percent: int) -> int:
    """Return the stage that a task has reached; 0 before the first, and for one that draws nothing."""
    return (
        0 if "told" in task.request.values else max((each for each in STAGES if each <= percent), default=0)
    )


async def draw(sandbox: Sandbox, task: Task, stage: int) -> bytes:
    """Return the picture of a task at a stage."""
    request = task.request
    small = replace(request, width=request.width // SHRUNK, height=request.height // SHRUNK)
    return await sandbox.renderer.run(lambda: _blurred(small, stage))


def _blurred(request: ImageRequest, stage: int) -> bytes:
    image = request.draw(request)
    return encode(image.filter(ImageFilter.GaussianBlur(max(image.size) * (100 - stage) / 2_500)), "png")
