"""Where each of Recraft's models is called, and what it is told there.

Sources: docs/providers/recraft.md, "Addresses" and "Fields".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from generations.providers.base import ImageRequest, Refused
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Colors
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.catalogue.model import STYLE_NAME
from generations.providers.i18n import gettext as _
from generations.providers.recraft.fields import (
    LARGEST_SIDE,
    STYLE_MODEL,
    V4_STYLE_MODEL,
    V4_VECTOR_STYLE_MODEL,
    VECTOR_STYLE_MODEL,
)
from generations.providers.transport import media_check

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "seed": "random_seed",
        "output_format": "image_format",
        "left": "expand_left",
        "right": "expand_right",
        "up": "expand_top",
        "down": "expand_bottom",
    }
)
VECTOR_STYLE = "vector_illustration"  # how V2 and V3 are asked for drawings
GENERATIONS, IMAGE_TO_IMAGE, STYLES = "generations", "imageToImage", "styles"
OUTPAINT, VARIATE = "outpaint", "variateImage"


@dataclass(frozen=True)
class Endpoint:
    """A call: its name below `/v1/images/`, and at gateways, whose list is from 2024.

    `fixed` are the fields that every such call has. With `is_processing` an image goes in and one comes out,
    without a model; gateways call its part `file`. With `makes_style` the result is the id of a style.
    """

    name: str
    old_name: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    is_processing: bool = False
    makes_style: bool = False

    def paths(self, *, at_gateway: bool) -> tuple[str, ...]:
        """The paths under which the call is known, the likely one first."""
        if self.makes_style:
            return (f"/v1/{self.name}",)
        names = (self.old_name, self.name) if at_gateway else (self.name, self.old_name)
        return tuple(f"/v1/images/{name}" for name in names if name)


def _old_vector(model: str) -> Endpoint:
    return Endpoint(GENERATIONS, fixed={"model": model, "style": VECTOR_STYLE})


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        name: Endpoint(GENERATIONS, fixed={"model": name})
        for name in (
            "recraftv4_1",
            "recraftv4_1_pro",
            "recraftv4_1_vector",
            "recraftv4",
            "recraftv4_pro",
            "recraftv4_vector",
            "recraftv4_pro_vector",
            "recraftv4_styles",
            "recraftv4_styles_pro",
            "recraftv4_styles_vector",
            "recraftv4_styles_pro_vector",
            "recraftv3",
            "recraftv2",
        )
    }
    | {
        "recraftv3_vector": _old_vector("recraftv3"),
        "recraftv2_vector": _old_vector("recraftv2"),
        "recraft-inpaint": Endpoint("inpaint", fixed={"model": "recraftv3"}),
        "recraft-replace-background": Endpoint("replaceBackground", fixed={"model": "recraftv3"}),
        "recraft-generate-background": Endpoint("generateBackground", fixed={"model": "recraftv3"}),
        "recraft-outpaint": Endpoint(OUTPAINT, fixed={"model": "recraftv3"}),
        "recraft-variate": Endpoint(VARIATE),
        "recraft-erase-region": Endpoint("eraseRegion"),
        "recraft-remove-background": Endpoint("removeBackground", is_processing=True),
        "recraft-vectorize": Endpoint("vectorize", is_processing=True),
        "recraft-crisp-upscale": Endpoint("crispUpscale", "clarityUpscale", is_processing=True),
        "recraft-creative-upscale": Endpoint("creativeUpscale", "generativeUpscale", is_processing=True),
        STYLE_MODEL: Endpoint(STYLES, makes_style=True),
        VECTOR_STYLE_MODEL: Endpoint(STYLES, fixed={"style": VECTOR_STYLE}, makes_style=True),
        V4_STYLE_MODEL: Endpoint(STYLES, fixed={"model": "recraftv4_styles"}, makes_style=True),
        V4_VECTOR_STYLE_MODEL: Endpoint(STYLES, fixed={"model": "recraftv4_styles_vector"}, makes_style=True),
    }
)


def endpoint_of(request: ImageRequest) -> Endpoint | None:
    """Return the endpoint of a request; None if Recraft does not have the model."""
    endpoint = ENDPOINTS.get(request.model)
    if endpoint and endpoint.name == GENERATIONS and IMAGE in request.roles:
        return Endpoint(IMAGE_TO_IMAGE, fixed=endpoint.fixed)
    return endpoint


def fields_of(endpoint: Endpoint, request: ImageRequest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a call, in Recraft's names. A style has no name there.

    Refused if an image would be extended to more than Recraft draws.
    """
    model = catalogue_registry.get(request.model)
    body = {**endpoint.fixed, **parameters}
    body.pop(STYLE_NAME, None)
    if "style" in model.made_styles(parameters):
        body["style_id"] = body.pop("style")
    if request.wire_name and "model" in body and not endpoint.makes_style:
        body["model"] = request.wire_name
    if endpoint.name == GENERATIONS:
        width, height = model.size(body.pop("aspect_ratio", "1:1"))
        body["size"] = f"{width}x{height}"
    elif endpoint.name == VARIATE:
        body["size"] = body.pop("aspect_ratio", "1:1")  # a shape is a size too
    elif endpoint.name == OUTPAINT:
        _check_size(request, parameters)
    for ours, theirs in NAMES.items():
        if ours in body:
            body[theirs] = body.pop(ours)
    controls = {name: read(body.pop(name)) for name, read in CONTROLS.items() if name in body}
    return body | ({"controls": controls} if controls else {})


def _check_size(request: ImageRequest, parameters: Mapping[str, Any]) -> None:
    image = media_check.identify(request.of_role(IMAGE)[0].data)
    across = image.width + parameters.get("left", 0) + parameters.get("right", 0)
    down = image.height + parameters.get("up", 0) + parameters.get("down", 0)
    if max(across, down) > LARGEST_SIDE:
        text = _("The extended image would have %(width)s x %(height)s pixels: at most %(most)s on a side.")
        raise Refused(text % {"width": across, "height": down, "most": LARGEST_SIDE})


def _palette(value: str) -> list[dict[str, list[int]]]:
    return [{"rgb": list(color)} for color in Colors.rgb(value)]


# Fields that are in `controls`, and how each is written there.
CONTROLS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "artistic_level": lambda value: value,
        "no_text": lambda value: value,
        "colors": _palette,
        "background_color": lambda value: _palette(value)[0],
    }
)
