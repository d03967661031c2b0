"""The smallest request of each of Stability's models, independent of the declarations."""

from __future__ import annotations

from functools import cache
from typing import Any

from generations.providers.base import ImageRequest, InputImage
from tests.providers.fake_provider import make_image

TEXT_ONLY: dict[str, Any] = {"prompt": "a harbour"}
SMALLEST: dict[str, tuple[dict[str, Any], dict[str, tuple[int, int]]]] = {
    "core": (TEXT_ONLY, {}),
    "ultra": (TEXT_ONLY, {}),
    "sd3.5-large": (TEXT_ONLY, {}),
    "sd3.5-flash": (TEXT_ONLY, {}),
    "sd3.5-large-turbo": (TEXT_ONLY, {}),
    "sd3.5-medium": (TEXT_ONLY, {}),
    "sdxl": (TEXT_ONLY, {}),
    "sd-1.6": (TEXT_ONLY, {}),
    "inpaint": (TEXT_ONLY, {"image": (80, 64), "mask": (80, 64)}),
    "outpaint": ({"left": 64}, {"image": (80, 64)}),
    "erase": ({}, {"image": (80, 64), "mask": (80, 64)}),
    "remove-background": ({}, {"image": (80, 64)}),
    "replace-background-and-relight": ({"background_prompt": "a beach"}, {"image": (80, 64)}),
    "search-and-replace": ({"prompt": "a cat", "search_prompt": "dog"}, {"image": (80, 64)}),
    "search-and-recolor": ({"prompt": "red", "select_prompt": "car"}, {"image": (80, 64)}),
    "upscale-fast": ({}, {"image": (32, 32)}),
    "upscale-conservative": (TEXT_ONLY, {"image": (80, 64)}),
    "upscale-creative": (TEXT_ONLY, {"image": (80, 64)}),
    "sketch": (TEXT_ONLY, {"image": (80, 64)}),
    "structure": (TEXT_ONLY, {"image": (80, 64)}),
    "style": (TEXT_ONLY, {"image": (80, 64)}),
    "style-transfer": ({}, {"image": (80, 64), "style": (64, 64)}),
}
# How an image goes with a model that can do without one.
FROM_IMAGE = {
    name: {"image": (80, 64)}
    for name in ("ultra", "sd3.5-large", "sd3.5-flash", "sd3.5-large-turbo", "sd3.5-medium")
} | {"sdxl": {"image": (1024, 1024)}, "sd-1.6": {"image": (512, 512)}}
WITH_STRENGTH = ("ultra", "sd3.5-large", "sd3.5-flash", "sd3.5-large-turbo", "sd3.5-medium")

picture = cache(make_image)


def smallest(model: str, *, from_image: bool = False, **more: Any) -> ImageRequest:
    """The smallest request of a model, with more parameters; `from_image` adds an image if it takes one."""
    parameters, images = SMALLEST[model]
    if from_image and model in FROM_IMAGE:
        images = images | FROM_IMAGE[model]
        parameters = parameters | ({"strength": 0.5} if model in WITH_STRENGTH else {})
    inputs = tuple(InputImage(role, picture("png", size), "image/png") for role, size in images.items())
    return ImageRequest(model, parameters | more, inputs)
