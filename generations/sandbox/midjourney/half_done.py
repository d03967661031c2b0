"""Half-done pictures of tasks under way: small, and less blurred the further the task is.

Source: docs/providers/midjourney.md, "Traps".
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from PIL import Image, ImageFilter

from generations.sandbox.drawings.generate import fit
from generations.sandbox.image_encoding import encode
from generations.sandbox.render import plain_image
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
    """Return the picture of a task at a stage; in plain mode the prepared one, where the size is known."""
    request = task.request
    size = request.width // SHRUNK, request.height // SHRUNK
    if sandbox.options.plain and request.width:
        return await sandbox.renderer.run(lambda: _prepared(size, stage))
    small = replace(request, width=size[0], height=size[1])
    return await sandbox.renderer.run(lambda: _blurred(small.draw(small), stage))


@lru_cache(maxsize=64)
def _prepared(size: tuple[int, int], stage: int) -> bytes:
    return _blurred(fit(plain_image(), size), stage)


def _blurred(image: Image.Image, stage: int) -> bytes:
    return encode(image.filter(ImageFilter.GaussianBlur(max(image.size) * (100 - stage) / 2_500)), "png")
