"""The smallest request of each model, independent of the declarations."""

from __future__ import annotations

from functools import cache
from typing import Any

from generations.providers.base import ImageRequest, InputImage
from tests.providers.fake_provider import make_image
from tests.providers.ideogram import smallest as ideogram
from tests.providers.kling import smallest as kling
from tests.providers.recraft import smallest as recraft

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
    "gpt-image-2.6-sunburst": (TEXT_ONLY, {}),
    "gpt-image-2.6-flare": (TEXT_ONLY, {}),
    "gpt-image-2.5-sunburst": (TEXT_ONLY, {}),
    "gpt-image-2.5-flare": (TEXT_ONLY, {}),
    "gpt-image-2": (TEXT_ONLY, {}),
    "gpt-4o-image": (TEXT_ONLY, {}),
    "gpt-image-2.6-all": (TEXT_ONLY, {}),
    "gpt-image-2.5-all": (TEXT_ONLY, {}),
    "gpt-image-2-all": (TEXT_ONLY, {}),
    "gpt-4-all": (TEXT_ONLY, {}),
}
# How an image goes with a model that can do without one.
FROM_IMAGE = {
    name: {"image": (80, 64)}
    for name in (
        "ultra",
        "sd3.5-large",
        "sd3.5-flash",
        "sd3.5-large-turbo",
        "sd3.5-medium",
        "gpt-image-2.6-sunburst",
        "gpt-image-2.6-flare",
        "gpt-image-2.5-sunburst",
        "gpt-image-2.5-flare",
        "gpt-image-2",
        "gpt-4o-image",
        "gpt-image-2.6-all",
        "gpt-image-2.5-all",
        "gpt-image-2-all",
        "gpt-4-all",
    )
} | {"sdxl": {"image": (1024, 1024)}, "sd-1.6": {"image": (512, 512)}}
SMALLEST |= {
    "midjourney": (TEXT_ONLY, {}),
    "niji-journey": (TEXT_ONLY, {}),
    "midjourney-blend": ({}, {"image": (80, 64)}),
    "midjourney-region": (TEXT_ONLY, {"image": (80, 64), "mask": (80, 64)}),
    "midjourney-zoom": (TEXT_ONLY, {"image": (80, 64)}),
    "midjourney-describe": ({}, {"image": (80, 64)}),
    "midjourney-shorten": (TEXT_ONLY, {}),
    "insight-face-swap": ({}, {"image": (80, 64), "face": (64, 64)}),
}
FROM_IMAGE |= {name: {"reference": (80, 64)} for name in ("midjourney", "niji-journey")}
SMALLEST |= {
    "flux-2-pro": (TEXT_ONLY, {}),
    "flux-2-max": (TEXT_ONLY, {}),
    "flux-2-flex": (TEXT_ONLY, {}),
    "flux-2-klein-9b": (TEXT_ONLY, {}),
    "flux-2-klein-4b": (TEXT_ONLY, {}),
    "flux-3-image": (TEXT_ONLY, {}),
    "flux-pro-1.1": (TEXT_ONLY, {}),
    "flux-pro-1.1-ultra": (TEXT_ONLY, {}),
    "flux-dev": (TEXT_ONLY, {}),
    "flux-pro-1.0-fill": ({}, {"image": (320, 256), "mask": (320, 256)}),
    "flux-pro-1.0-expand": ({"left": 64}, {"image": (320, 256)}),
    "flux-kontext-pro": (TEXT_ONLY, {}),
    "flux-kontext-max": (TEXT_ONLY, {}),
}
FROM_IMAGE |= {
    name: {"image": (320, 256)}
    for name, (_, images) in SMALLEST.items()
    if name.startswith("flux-") and not images
}
WITH_STRENGTH = ("ultra", "sd3.5-large", "sd3.5-flash", "sd3.5-large-turbo", "sd3.5-medium")

OTHERS = (recraft, kling, ideogram)  # systems whose requests stand beside their tests

picture = cache(make_image)


def smallest(model: str, *, from_image: bool = False, **more: Any) -> ImageRequest:
    """The smallest request of a model, with more parameters; `from_image` adds an image if it takes one."""
    parameters, images = SMALLEST[model] if model in SMALLEST else _of_another_system(model)
    from_one = FROM_IMAGE | {name: sizes for each in OTHERS for name, sizes in each.FROM_IMAGE.items()}
    if from_image and model in from_one:
        images = images | from_one[model]
        parameters = parameters | ({"strength": 0.5} if model in WITH_STRENGTH else {})
        for each in OTHERS:
            parameters = parameters | each.BESIDE_IMAGE.get(model, {})
    inputs = tuple(InputImage(role, picture("png", size), "image/png") for role, size in images.items())
    return ImageRequest(model, parameters | more, inputs)


def _of_another_system(model: str) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    return next(each.SMALLEST[model] for each in OTHERS if model in each.SMALLEST)
