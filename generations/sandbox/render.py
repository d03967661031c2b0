"""Render the images of a request: drawn in a few threads, or a prepared one with a serial number."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from PIL import Image, ImageFilter

from generations.sandbox import art
from generations.sandbox.drawings.generate import fit
from generations.sandbox.image_encoding import PREPARED_EXIF, add_serial, encode
from generations.sandbox.image_request import ImageRequest

THREADS = 2
PLAIN_PROMPT = "misty ridges at first light"

Result = TypeVar("Result")


class Renderer:
    """Renders in threads, so that the event loop is not blocked."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="drawing")
        self._serials = itertools.count(1)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run work that takes its time in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def render(self, request: ImageRequest, *, plain: bool, blurred: bool = False) -> list[bytes]:
        """Return the encoded images of a request, one per sample, with increasing seeds.

        `plain` takes one prepared image where the size is known, with a serial number: edits are drawn.
        """
        requests = [replace(request, seed=request.seed + offset) for offset in range(request.samples)]
        return [await self._render_one(each, plain=plain, blurred=blurred) for each in requests]

    async def _render_one(self, request: ImageRequest, *, plain: bool, blurred: bool) -> bytes:
        if not plain or blurred or not request.width:
            return await self.run(lambda: draw(request, blurred))
        size = (request.width, request.height)
        prepared = await self.run(lambda: prepare(size, request.output_format))
        return add_serial(prepared, request.output_format, next(self._serials))


def draw(request: ImageRequest, blurred: bool = False) -> bytes:
    """Draw and encode the image of a request; equal requests give equal bytes."""
    image = request.draw(request)
    if blurred:
        image = image.filter(ImageFilter.GaussianBlur(max(image.size) / 24))
    return encode(image, request.output_format)


@lru_cache(maxsize=64)
def prepare(size: tuple[int, int], output_format: str) -> bytes:
    """Return one image per size and format, for serial numbers."""
    return encode(art.mark(fit(plain_image(), size)), output_format, PREPARED_EXIF)


@lru_cache(maxsize=1)
def plain_image() -> Image.Image:
    """Return the image that plain mode crops to every size."""
    return art.draw(PLAIN_PROMPT, seed=1, style="", size=(1216, 1216))
