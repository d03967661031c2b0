"""The table of v2beta's services: their fields, input images and prices.

Source: docs/providers/stability.md, "Fields", "Image input", "Models", "Prices" and "Edit, upscale and
control".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from generations.sandbox.art.styles import STYLE_NAMES
from generations.sandbox.drawings import control, edit, generate, upscale
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.multipart import Form
from generations.sandbox.sizes import ONE_MEGAPIXEL, nearest_ratio, size_with
from generations.sandbox.stability.fields import Choice, Field, Number, Picture, Text

Values = Mapping[str, Any]
Fields = dict[str, Field]

MAX_SEED = 4_294_967_294
MAX_OUTPUT = (
    16_777_216  # pixels; of upscale/fast documented, of outpaint the sandbox's own, to bound its memory
)
LARGEST_SIDE = {"jpeg": 65_500, "webp": 16_383}  # that a file of the format can have
MODELS = {  # names at sd3, with those of 2024, which are aliases
    "sd3.5-large": "sd3.5-large",
    "sd3.5-large-turbo": "sd3.5-large-turbo",
    "sd3.5-medium": "sd3.5-medium",
    "sd3.5-flash": "sd3.5-flash",
    "sd3-large": "sd3.5-large",
    "sd3-large-turbo": "sd3.5-large-turbo",
    "sd3-medium": "sd3.5-medium",
}
SD3_COSTS = {"sd3.5-large": 650, "sd3.5-large-turbo": 400, "sd3.5-medium": 350, "sd3.5-flash": 250}


@dataclass(frozen=True)
class Service:
    """One endpoint; `cost` is in hundredths of a credit, `later` answers with the id of a task.

    `check` returns what is wrong with the values together, by field. `size` is of a text's picture; edits
    decide it themselves.
    """

    draw: Callable[[ImageRequest], Image.Image]
    cost: int
    fields: Mapping[str, Field]
    later: bool = False
    check: Callable[[Values], Mapping[str, str]] = lambda _: {}
    size: Callable[[Values], tuple[int, int]] = lambda _: (0, 0)


def find(path: str, form: Form) -> Service:
    """Return the service at a path of the table; from an image it has other fields than from text."""
    if path == "generate/ultra" and "image" in form.files:
        return ULTRA_FROM_IMAGE
    if path == "generate/sd3" and form.texts.get("mode") == "image-to-image":
        return SD3_FROM_IMAGE
    return SERVICES[path]


def model_name(path: str) -> str:
    """Return what the log calls a service: `core`, `edit/erase`."""
    return path.removeprefix("generate/")


def _generated_size(values: Values) -> tuple[int, int]:
    return ONE_MEGAPIXEL[values.get("aspect_ratio") or _input_ratio(values) or "1:1"]


def _core_size(values: Values) -> tuple[int, int]:
    return size_with(1.5e6, values["aspect_ratio"] or "1:1")


def _input_ratio(values: Values) -> str:
    return nearest_ratio(*open_image(values["image"]).size) if values.get("image") else ""


def _check_format(values: Values) -> dict[str, str]:
    """Refuse an edit as large as its input if no file of the output format can hold it."""
    return _too_large_for_format(values, open_image(values["image"]).size)


def _check_enlarged_format(values: Values) -> dict[str, str]:
    return _too_large_for_format(values, upscale.four_megapixels(open_image(values["image"]).size))


def _too_large_for_format(values: Values, size: tuple[int, int]) -> dict[str, str]:
    output_format = values["output_format"]
    largest = LARGEST_SIDE.get(output_format, max(size))
    if max(size) <= largest:
        return {}
    return {"output_format": f"a {output_format} image cannot have sides over {largest} pixels"}


def _check_outpaint(values: Values) -> dict[str, str]:
    if not any(values[side] for side in SIDES):
        return {"left, right, up, down": "one must be above 0"}
    width, height = edit.outpainted_size(open_image(values["image"]).size, values)
    if width * height > MAX_OUTPUT:
        return {"left, right, up, down": f"the result cannot have more than {MAX_OUTPUT} pixels"}
    return {}


def _check_lights(values: Values) -> dict[str, str]:
    errors = {}
    if not values["background_prompt"] and not values["background_reference"]:
        errors["background_prompt"] = "is required without background_reference"
    lights = values["light_source_direction"] or values["light_reference"]
    if values["light_source_strength"] is not None and not lights:
        errors["light_source_strength"] = "needs light_source_direction or light_reference"
    return errors


PROMPT: Fields = {"prompt": Text(required=True)}
NEGATIVE: Fields = {"negative_prompt": Text()}
STYLE: Fields = {"style_preset": Choice(STYLE_NAMES)}
RATIO: Fields = {"aspect_ratio": Choice(ONE_MEGAPIXEL)}
FORMAT: Fields = {"output_format": Choice(("png", "jpeg", "webp"), "png")}
COMMON: Fields = {"seed": Number(0, MAX_SEED, 0, whole=True), **FORMAT}
GENERATED: Fields = {**PROMPT, **NEGATIVE, **RATIO, **STYLE, **COMMON}
STRENGTH: Fields = {"strength": Number(0, 1, required=True)}
SD3: Fields = {
    **GENERATED,
    "mode": Choice(("text-to-image", "image-to-image"), "text-to-image"),
    "model": Choice(MODELS, "sd3.5-large"),
    "cfg_scale": Number(1, 10),
}

REFERENCE = Picture(min_side=64, min_pixels=4_096, max_pixels=9_437_184)
EDITED = replace(REFERENCE, required=True)
FRAMED = replace(EDITED, max_ratio=2.5)
MASK: Fields = {"mask": Picture(max_pixels=9_437_184)}
SIDES = ("left", "right", "up", "down")
CONTROLLED: Fields = {**PROMPT, "image": FRAMED, **NEGATIVE, **STYLE, **COMMON}
SEARCHED: Fields = {**CONTROLLED, "grow_mask": Number(0, 20, 3, whole=True)}
SHARE = Number(0, 1)

ULTRA_FROM_IMAGE = Service(
    generate.picture,
    800,
    {
        **GENERATED,
        "image": Picture(required=True, min_side=64, max_side=16_384, min_pixels=4_096),
        **STRENGTH,
    },
    size=_generated_size,
)
SD3_FROM_IMAGE = Service(
    generate.picture,
    SD3_COSTS["sd3.5-large"],
    {
        **{name: field for name, field in SD3.items() if name != "aspect_ratio"},
        "image": Picture(required=True, min_side=64),
        **STRENGTH,
    },
    size=_generated_size,
)
SERVICES = {
    "generate/ultra": Service(generate.picture, 800, GENERATED, size=_generated_size),
    "generate/core": Service(generate.picture, 300, GENERATED, size=_core_size),
    "generate/sd3": Service(generate.picture, SD3_COSTS["sd3.5-large"], SD3, size=_generated_size),
    "edit/erase": Service(
        edit.erase,
        500,
        {"image": EDITED, **MASK, "grow_mask": Number(0, 20, 5, whole=True), **COMMON},
        check=_check_format,
    ),
    "edit/inpaint": Service(
        edit.inpaint,
        500,
        {
            **PROMPT,
            "image": EDITED,
            **MASK,
            "grow_mask": Number(0, 100, 5, whole=True),
            **NEGATIVE,
            **STYLE,
            **COMMON,
        },
        check=_check_format,
    ),
    "edit/outpaint": Service(
        edit.outpaint,
        400,
        {
            "image": FRAMED,
            **dict.fromkeys(SIDES, Number(0, 2_000, 0, whole=True)),
            "prompt": Text(),
            "creativity": replace(SHARE, default=0.5),
            **STYLE,
            **COMMON,
        },
        check=_check_outpaint,
    ),
    "edit/search-and-replace": Service(
        edit.search_and_replace, 500, {**SEARCHED, "search_prompt": Text(required=True)}
    ),
    "edit/search-and-recolor": Service(
        edit.search_and_recolor, 500, {**SEARCHED, "select_prompt": Text(required=True)}
    ),
    "edit/remove-background": Service(
        edit.remove_background,
        500,
        {"image": replace(EDITED, max_pixels=4_194_304), "output_format": Choice(("png", "webp"), "png")},
        check=_check_format,
    ),
    "edit/replace-background-and-relight": Service(
        edit.replace_background,
        800,
        {
            "subject_image": FRAMED,
            "background_prompt": Text(),
            "background_reference": REFERENCE,
            "foreground_prompt": Text(),
            **NEGATIVE,
            "preserve_original_subject": replace(SHARE, default=0.6),
            "original_background_depth": replace(SHARE, default=0.5),
            "keep_original_background": Choice(("true", "false"), "false"),
            "light_source_direction": Choice(("left", "right", "above", "below")),
            "light_reference": REFERENCE,
            "light_source_strength": SHARE,  # .3 where there is a light
            **COMMON,
        },
        later=True,
        check=_check_lights,
    ),
    "upscale/fast": Service(
        upscale.fast,
        200,
        {
            "image": Picture(
                required=True, min_side=32, max_side=1_536, min_pixels=1_024, max_pixels=1_048_576
            ),
            **FORMAT,
        },
    ),
    "upscale/conservative": Service(
        upscale.conservative,
        4_000,
        {**PROMPT, "image": FRAMED, **NEGATIVE, "creativity": Number(0.2, 0.5, 0.35), **COMMON},
    ),
    "upscale/creative": Service(
        upscale.creative,
        6_000,
        {
            **PROMPT,
            "image": replace(EDITED, max_pixels=1_048_576),
            **NEGATIVE,
            "creativity": Number(0.1, 0.5, 0.3),
            **STYLE,
            **COMMON,
        },
        later=True,
        check=_check_enlarged_format,
    ),
    "control/sketch": Service(
        control.sketch, 500, {**CONTROLLED, "control_strength": replace(SHARE, default=0.7)}
    ),
    "control/structure": Service(
        control.structure, 500, {**CONTROLLED, "control_strength": replace(SHARE, default=0.7)}
    ),
    "control/style": Service(
        control.style,
        500,
        {**CONTROLLED, "aspect_ratio": Choice(ONE_MEGAPIXEL, "1:1"), "fidelity": replace(SHARE, default=0.5)},
    ),
    "control/style-transfer": Service(
        control.style_transfer,
        800,
        {
            "init_image": FRAMED,
            "style_image": EDITED,
            "prompt": Text(),
            **NEGATIVE,
            "style_strength": replace(SHARE, default=1),
            "composition_fidelity": replace(SHARE, default=0.9),
            "change_strength": Number(0.1, 1, 0.9),
            **COMMON,
        },
    ),
}
