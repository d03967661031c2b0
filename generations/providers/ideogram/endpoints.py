"""Where each of Ideogram's models is called, and what it is told there.

Sources: docs/providers/ideogram.md, "Addresses", "Legacy calls", "v3" and "v2".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from generations.providers.base import ImageRequest, InputImage
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.ideogram.fields import CHARACTER, STYLE, V4_LARGE_SIZES, V4_SIZES
from generations.providers.transport import masks as transport_masks

PARTS: Mapping[str, str] = MappingProxyType(
    {STYLE: "style_reference_images", CHARACTER: "character_reference_images"}
)
Parameters = Mapping[str, Any]
Content = dict[str, Any]  # keyword arguments of `requests`


@dataclass(frozen=True)
class Endpoint:
    """A call: its paths, the likely one first, how its content is written, and the fields that it always has.

    With an image it has `path_with_image`, if there is one. `image_part` is the name of the part of an image.
    """

    paths: tuple[str, ...]
    write: Callable[[Endpoint, ImageRequest, Parameters], Content]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    path_with_image: str = ""
    image_part: str = "image"

    def paths_for(self, request: ImageRequest) -> tuple[str, ...]:
        """The paths of a request."""
        has_image = IMAGE in request.roles
        return (self.path_with_image,) if self.path_with_image and has_image else self.paths


def _v2(endpoint: Endpoint, request: ImageRequest, parameters: Parameters) -> Content:
    """JSON with an exact size, and values in lower case."""
    body = {**parameters, **endpoint.fixed}
    sizes = V4_LARGE_SIZES if body.pop("resolution", "1K") == "2K" else V4_SIZES
    width, height = sizes[body.pop("aspect_ratio", "1:1")]
    body["size" if "quality" in endpoint.fixed else "resolution"] = f"{width}x{height}"
    if "magic_prompt" in body:
        body["magic_prompt"] = body["magic_prompt"].lower()
    return {"json": body}


def _v3(endpoint: Endpoint, request: ImageRequest, parameters: Parameters) -> Content:
    """A form with flat fields; a ratio is written 16x9."""
    fields = {**parameters, **endpoint.fixed}
    if "aspect_ratio" in fields:
        fields["aspect_ratio"] = fields["aspect_ratio"].replace(":", "x")
    if "style_codes" in fields:
        fields["style_codes"] = fields["style_codes"].replace(",", " ").upper().split()
    return _form(endpoint, request, fields)


def _reframe(endpoint: Endpoint, request: ImageRequest, parameters: Parameters) -> Content:
    """The shape as the exact size that is asked for."""
    fields = {**parameters, **endpoint.fixed}
    width, height = catalogue_registry.get(request.model).size(fields.pop("aspect_ratio", "1:1"))
    return _form(endpoint, request, {**fields, "resolution": f"{width}x{height}"})


def _legacy(endpoint: Endpoint, request: ImageRequest, parameters: Parameters) -> Content:
    """JSON with one object; with an image a form, in which the object is JSON as text."""
    asked = {**parameters, **endpoint.fixed}
    if "model" in asked and request.wire_name:
        asked["model"] = request.wire_name
    if "aspect_ratio" in asked:
        asked["aspect_ratio"] = f"ASPECT_{asked['aspect_ratio'].replace(':', '_')}"
    if "magic_prompt" in asked:
        asked["magic_prompt_option"] = asked.pop("magic_prompt")
    if not request.inputs:
        return {"json": {"image_request": asked}}
    return _form(endpoint, request, {"image_request": json.dumps(asked)})


def _form(endpoint: Endpoint, request: ImageRequest, fields: Parameters) -> Content:
    """A form, also without a file; of a list each value is a part."""
    listed = [(name, value if isinstance(value, list) else [value]) for name, value in fields.items()]
    texts = [(name, (None, str(value))) for name, values in listed for value in values]
    return {"files": [*texts, *(_file_part(endpoint, image) for image in request.inputs)]}


def _file_part(endpoint: Endpoint, image: InputImage) -> tuple[str, tuple[str, bytes, str]]:
    """A part with an image. In a mask black is changed there."""
    name = endpoint.image_part if image.role == IMAGE else PARTS.get(image.role, image.role)
    data = transport_masks.black_and_white(image.data, changed=0) if image.role == MASK else image.data
    return name, (f"{image.role}.{image.media_type.removeprefix('image/')}", data, image.media_type)


def _of_v2(model: str, name: str, value: str) -> Endpoint:
    return Endpoint((f"/v2/image/generate/{model}",), _v2, {name: value})


def _of_v3(speed: str) -> Endpoint:
    path = "/v1/ideogram-v3"
    return Endpoint((f"{path}/generate",), _v3, {"rendering_speed": speed}, f"{path}/remix")


def _of_legacy(model: str) -> Endpoint:
    return Endpoint(("/generate",), _legacy, {"model": model}, "/remix", "image_file")


DEFAULT_SPEED = {"rendering_speed": "DEFAULT"}
ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "ideogram-4-5": _of_v2("ideogram-4-5", "quality", "high"),
        "ideogram-4-5-medium": _of_v2("ideogram-4-5", "quality", "medium"),
        "ideogram-4-5-low": _of_v2("ideogram-4-5", "quality", "low"),
        "ideogram-4": _of_v2("ideogram-4", "rendering_speed", "default"),
        "ideogram-4-quality": _of_v2("ideogram-4", "rendering_speed", "quality"),
        "ideogram-4-turbo": _of_v2("ideogram-4", "rendering_speed", "turbo"),
        "ideogram-v3": _of_v3("DEFAULT"),
        "ideogram-v3-quality": _of_v3("QUALITY"),
        "ideogram-v3-turbo": _of_v3("TURBO"),
        "ideogram-v3-flash": _of_v3("FLASH"),
        "ideogram-v3-character": _of_v3("DEFAULT"),
        "ideogram-v3-character-quality": _of_v3("QUALITY"),
        "ideogram-v3-character-turbo": _of_v3("TURBO"),
        "ideogram-v2": _of_legacy("V_2"),
        "ideogram-v2-turbo": _of_legacy("V_2_TURBO"),
        "ideogram-v2a": _of_legacy("V_2A"),
        "ideogram-v2a-turbo": _of_legacy("V_2A_TURBO"),
        "ideogram-v1": _of_legacy("V_1"),
        "ideogram-v1-turbo": _of_legacy("V_1_TURBO"),
        # The first one is deprecated and served, the second its name in newer lists.
        "ideogram-v3-edit": Endpoint(("/v1/ideogram-v3/edit", "/v1/ideogram-v3/inpaint"), _v3, DEFAULT_SPEED),
        "ideogram-v3-reframe": Endpoint(("/v1/ideogram-v3/reframe",), _reframe, DEFAULT_SPEED),
        "ideogram-v3-replace-background": Endpoint(
            ("/v1/ideogram-v3/replace-background",), _v3, DEFAULT_SPEED
        ),
        "ideogram-remove-background": Endpoint(
            ("/v2/image/remove-background/ideogram-1", "/v1/remove-background"), _v3
        ),
        "ideogram-upscale": Endpoint(("/upscale",), _legacy, image_part="image_file"),
        "ideogram-describe": Endpoint(("/describe",), _v3, image_part="image_file"),
    }
)
