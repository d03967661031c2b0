"""Pictures from text, and from a start image."""

from __future__ import annotations

import math

from PIL import Image

from generations.sandbox import art
from generations.sandbox.drawings.masks import change_mask, subject
from generations.sandbox.image_decoding import DECODED, decode, open_image
from generations.sandbox.image_request import ImageRequest

SCENE_PIXELS = 1_600_000  # larger scenes are enlarged: they are soft, and drawing takes most of the time
SCENE_SIDE = 2_048


def picture(request: ImageRequest) -> Image.Image:
    """Draw the prompt, over the start image if there is one."""
    start = read_start_image(request)
    if start is not None and request.strength <= 0:
        return start
    return art.mark(_painted_over(request, start))


def masked(request: ImageRequest) -> Image.Image:
    """Draw the prompt where the mask is, and leave the rest of the start image as it is."""
    start = read_start_image(request)
    assert start is not None
    return Image.composite(_painted_over(request, start), start, change_mask(request, start.size))


def combined(request: ImageRequest) -> Image.Image:
    """Draw the prompt, with the images in a row before it."""
    size = (request.width, request.height)
    image = scene(request, request.prompt, size)
    names = [name for name in request.files if name.startswith("image")]
    side = min(size[0] // (len(names) + 1), size[1] // 2)
    for place, name in enumerate(names):
        left = (place * 2 + 1) * size[0] // (2 * len(names)) - side // 2
        image.paste(fit(decode(request.files[name]), (side, side)), (left, size[1] // 2 - side // 4))
    return art.mark(image)


def cut_out(request: ImageRequest) -> Image.Image:
    """Draw the prompt, or change the start image, and make all but the subject transparent."""
    image = picture(request)
    alpha = subject(image)
    image = image.convert("RGBA")
    image.putalpha(alpha)
    return image


def scene(request: ImageRequest, prompt: str, size: tuple[int, int]) -> Image.Image:
    """Draw a scene of a prompt in the style and with the seed of the request."""
    scale = min(1.0, math.sqrt(SCENE_PIXELS / (size[0] * size[1])))
    width, height = (max(1, min(SCENE_SIDE, round(side * scale))) for side in size)
    words = f"{prompt}\n{request.negative_prompt}"
    image = art.draw(words, seed=request.seed, style=request.style, size=(width, height))
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def read_start_image(request: ImageRequest) -> Image.Image | None:
    """Return the start image at the size of the request; None if there is none to use."""
    if "image" not in request.files:
        return None
    size, image = (request.width, request.height), open_image(request.files["image"])
    if image.width * image.height > DECODED:
        return None
    image.draft("RGB", size)
    return fit(image.convert("RGB"), size)


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize and crop an image to a size, from its centre."""
    if image.size == size:
        return image
    scale = max(size[0] / image.width, size[1] / image.height)
    width, height = size[0] / scale, size[1] / scale
    left, top = (image.width - width) / 2, (image.height - height) / 2
    return image.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))


def _painted_over(request: ImageRequest, start: Image.Image | None) -> Image.Image:
    drawn = scene(request, request.prompt, (request.width, request.height))
    return drawn if start is None else Image.blend(start, drawn, min(1.0, request.strength))
