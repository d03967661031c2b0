"""How each model is asked: the names of its images, and fields that are sent otherwise than declared.

The address of a model is its name. Source: docs/providers/flux.md, "Models and prices" and "FLUX 3".
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from generations.providers.base import ImageRequest, InputImage
from generations.providers.bfl import flux1
from generations.providers.bfl.fields import MEGAPIXEL, size_of
from generations.providers.transport import media_check

Body = dict[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """How one model is asked.

    `images` are the names of fields by role. With `numbered` all images are in fields of that name, from the
    second on with their number: `input_image`, `input_image_2`; with `listed` all are a list in one field.
    `defaults` are sent where nothing is chosen, because the maker's own default is another one, or not known.
    `adapt` changes the fields.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    numbered: str = ""
    listed: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    adapt: Callable[[ImageRequest, Body], Body] = lambda _, body: body


def in_pixels(sizes: Mapping[str, tuple[int, int]]) -> Callable[[ImageRequest, Body], Body]:
    """Send width and height in place of a shape."""

    def adapt(_: ImageRequest, body: Body) -> Body:
        width, height = sizes[body.pop("aspect_ratio", "1:1")]
        return body | {"width": width, "height": height}

    return adapt


def _megapixels(request: ImageRequest, body: Body) -> Body:
    """Send width and height in place of megapixels and a shape, which may be that of the first image."""
    across, colon, down = str(body.pop("aspect_ratio", "")).partition(":")
    pixels = int(body.pop("megapixels", 1)) * MEGAPIXEL
    ratio = (int(across), int(down)) if colon else _size_of_first(request)
    width, height = size_of(pixels, *ratio, step=16)
    return body | {"width": max(SMALLEST_SIDE, width), "height": max(SMALLEST_SIDE, height)}


def _size_of_first(request: ImageRequest) -> tuple[int, int]:
    if not request.inputs:
        return 1, 1
    media = media_check.identify(request.inputs[0].data)
    return media.width, media.height


def _sides(_: ImageRequest, body: Body) -> Body:
    """Pages and other systems say up and down."""
    names = {"up": "top", "down": "bottom"}
    return {names.get(name, name): value for name, value in body.items()}


IMAGE_PROMPT = {"image": "image_prompt"}
PAINTED = {"image": "image", "mask": "mask"}
CHANGED = Endpoint(numbered="input_image")
FLUX2 = Endpoint(numbered="input_image", adapt=_megapixels)
SMALLEST_SIDE = 64
ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "flux-pro-1.1": Endpoint(IMAGE_PROMPT, adapt=in_pixels(flux1.SIZES)),
        "flux-pro-1.1-ultra": Endpoint(IMAGE_PROMPT),
        "flux-dev": Endpoint(IMAGE_PROMPT, adapt=in_pixels(flux1.SIZES)),
        "flux-pro-1.0-fill": Endpoint(PAINTED),
        "flux-pro-1.0-expand": Endpoint(PAINTED, adapt=_sides),
        "flux-kontext-pro": CHANGED,
        "flux-kontext-max": CHANGED,
        "flux-2-pro": FLUX2,
        "flux-2-max": FLUX2,
        "flux-2-flex": replace(FLUX2, defaults={"prompt_upsampling": False}),
        "flux-2-klein-4b": FLUX2,
        "flux-2-klein-9b": FLUX2,
        "flux-3-image": Endpoint(listed="images", defaults={"grounding": False, "resolution": "1k"}),
    }
)


def body_of(request: ImageRequest, parameters: Mapping[str, Any]) -> Body:
    """The JSON body of an order, from validated parameters."""
    endpoint = ENDPOINTS[request.model]
    body = endpoint.adapt(request, {**endpoint.defaults, **parameters})
    texts = [_as_text(image) for image in request.inputs]
    if endpoint.listed:
        return body | ({endpoint.listed: texts} if texts else {})
    return body | dict(zip(image_names(request), texts, strict=True))


def image_names(request: ImageRequest) -> list[str]:
    """The names of the fields of a request's images, in their order."""
    endpoint = ENDPOINTS[request.model]
    if endpoint.listed:
        return [endpoint.listed] * len(request.inputs)
    if not endpoint.numbered:
        return [endpoint.images[image.role] for image in request.inputs]
    numbers = range(1, len(request.inputs) + 1)
    return [endpoint.numbered if number == 1 else f"{endpoint.numbered}_{number}" for number in numbers]


def _as_text(image: InputImage) -> str:
    return base64.b64encode(image.data).decode("ascii")
