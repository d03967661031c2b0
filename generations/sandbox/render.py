"""Render the images of a request: drawn in a few threads, or a prepared one with a serial number."""

from __future__ import annotations

import asyncio
import io
import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

from PIL import Image, ImageFilter

from generations.sandbox import art
from generations.sandbox.image_encoding import PREPARED_EXIF, add_serial, encode
from generations.sandbox.image_request import ImageRequest

THREADS = 2
MAX_INPUT = 64_000_000  # pixels of a start image; larger ones are ignored
PLAIN_PROMPT = "misty ridges at first light"


class Renderer:
    """Renders in threads, so that the event loop is not blocked."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="drawing")
        self._serials = itertools.count(1)

    async def render(self, request: ImageRequest, *, plain: bool, blurred: bool = False) -> list[bytes]:
        """Return the encoded images of a request, one per sample, with increasing seeds."""
        requests = [replace(request, seed=request.seed + offset) for offset in range(request.samples)]
        return [await self._render_one(each, plain=plain, blurred=blurred) for each in requests]

    async def _render_one(self, request: ImageRequest, *, plain: bool, blurred: bool) -> bytes:
        loop = asyncio.get_running_loop()
        if not plain or blurred:
            return await loop.run_in_executor(self._threads, draw, request, blurred)
        size = (request.width, request.height)
        prepared = await loop.run_in_executor(self._threads, prepare, size, request.output_format)
        return add_serial(prepared, request.output_format, next(self._serials))


def draw(request: ImageRequest, blurred: bool = False) -> bytes:
    """Draw and encode the image of a request; equal requests give equal bytes."""
    prompt = f"{request.prompt}\n{request.negative_prompt}"
    start = read_start_image(request)
    if start is not None and request.strength <= 0:
        return encode(start, request.output_format)
    image = art.draw(prompt, seed=request.seed, style=request.style, size=(request.width, request.height))
    if start is not None:
        image = Image.blend(start, image, min(1.0, request.strength))
    if blurred:
        image = image.filter(ImageFilter.GaussianBlur(max(image.size) / 24))
    return encode(art.mark(image), request.output_format)


@lru_cache(maxsize=64)
def prepare(size: tuple[int, int], output_format: str) -> bytes:
    """Return one image per size and format, for serial numbers."""
    return encode(art.mark(fit(plain_image(), size)), output_format, PREPARED_EXIF)


@lru_cache(maxsize=1)
def plain_image() -> Image.Image:
    """Return the image that plain mode crops to every size."""
    return art.draw(PLAIN_PROMPT, seed=1, style="", size=(1216, 1216))


def read_start_image(request: ImageRequest) -> Image.Image | None:
    """Return the start image cropped to the requested size; None if there is none or it is unusable."""
    if request.image is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(request.image), formats=("JPEG", "PNG", "WEBP"))
        if image.width * image.height > MAX_INPUT:
            return None
        image.draft("RGB", (request.width, request.height))
        return fit(image.convert("RGB"), (request.width, request.height))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize and crop an image to a size, from its centre."""
    scale = max(size[0] / image.width, size[1] / image.height)
    width, height = size[0] / scale, size[1] / scale
    left, top = (image.width - width) / 2, (image.height - height) / 2
    return image.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
