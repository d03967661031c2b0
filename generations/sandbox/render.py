"""From an order to encoded bytes: drawn in a few threads, or stamped from a prepared one."""

from __future__ import annotations

import asyncio
import io
import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

from PIL import Image, ImageFilter

from generations.sandbox import art, unique_bytes
from generations.sandbox.image_encoding import encode
from generations.sandbox.requests import Order

THREADS = 2
LARGEST_INPUT = 64_000_000  # pixels of a start image that are looked at; larger ones are ignored
PLAIN_PROMPT = "misty ridges at first light"


class Pictures:
    """Draws away from the event loop, so that no other call waits for a picture."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="drawing")
        self._serials = itertools.count(1)

    async def make(self, order: Order, *, plain: bool, blurred: bool = False) -> list[bytes]:
        """The encoded pictures of an order, one per sample, with seeds counting up."""
        orders = [replace(order, seed=order.seed + offset) for offset in range(order.samples)]
        return [await self._one(each, plain=plain, blurred=blurred) for each in orders]

    async def _one(self, order: Order, *, plain: bool, blurred: bool) -> bytes:
        loop = asyncio.get_running_loop()
        if not plain or blurred:
            return await loop.run_in_executor(self._threads, draw, order, blurred)
        size = (order.width, order.height)
        prepared = await loop.run_in_executor(self._threads, prepare, size, order.output_format)
        return unique_bytes.stamp(prepared, order.output_format, next(self._serials))


def draw(order: Order, blurred: bool = False) -> bytes:
    """The picture of an order; the same order gives the same bytes."""
    prompt = f"{order.prompt}\n{order.negative_prompt}"
    start = read_start_image(order)
    if start is not None and order.strength <= 0:
        return encode(start, order.output_format)
    image = art.draw(prompt, seed=order.seed, style=order.style, size=(order.width, order.height))
    if start is not None:
        image = Image.blend(start, image, min(1.0, order.strength))
    if blurred:
        image = image.filter(ImageFilter.GaussianBlur(max(image.size) / 24))
    return encode(art.mark(image), order.output_format)


@lru_cache(maxsize=64)
def prepare(size: tuple[int, int], output_format: str) -> bytes:
    """One picture per size and format, for serials."""
    return encode(art.mark(fit(plain_picture(), size)), output_format, unique_bytes.PREPARED_EXIF)


@lru_cache(maxsize=1)
def plain_picture() -> Image.Image:
    """What is cut to every size in plain mode."""
    return art.draw(PLAIN_PROMPT, seed=1, style="", size=(1216, 1216))


def read_start_image(order: Order) -> Image.Image | None:
    """The start image cut to the order's size; None if there is none to look at."""
    if order.image is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(order.image), formats=("JPEG", "PNG", "WEBP"))
        if image.width * image.height > LARGEST_INPUT:
            return None
        image.draft("RGB", (order.width, order.height))
        return fit(image.convert("RGB"), (order.width, order.height))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Fill a size from the middle of an image."""
    scale = max(size[0] / image.width, size[1] / image.height)
    width, height = size[0] / scale, size[1] / scale
    left, top = (image.width - width) / 2, (image.height - height) / 2
    return image.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
