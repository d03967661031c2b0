"""Validate an order of Kling's; ApiError (400) names each invalid field.

Source: docs/providers/kling.md, "Addresses and keys", "Fields" and "Prices".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from PIL import Image

from generations.sandbox.drawings import edit, generate
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.responses import bad_request

GENERATIONS, OMNI, EXPAND = "generations", "omni-image", "editing/expand"
MODELS = {
    GENERATIONS: {"kling-v1", "kling-v1-5", "kling-v2", "kling-v2-new", "kling-v2-1", "kling-v3"},
    OMNI: {"kling-image-o1", "kling-v3-omni"},
}
DEFAULTS = {GENERATIONS: "kling-v3", OMNI: "kling-image-o1", EXPAND: "kling-expand"}
HALF_PRICE = {"kling-v1", "kling-v2", "kling-v2-1"}  # without an image
HUNDREDTHS = 35  # of a credit of the sandbox, for a unit
SIZES = {
    "21:9": (1568, 672),
    "16:9": (1360, 768),
    "3:2": (1248, 832),
    "4:3": (1184, 880),
    "1:1": (1024, 1024),
    "3:4": (880, 1184),
    "2:3": (832, 1248),
    "9:16": (768, 1360),
}
TIMES = {"1k": 1, "2k": 2, "4k": 4}
SIDES = ("left", "right", "up", "down")
RATIOS = tuple(f"{side}_expansion_ratio" for side in SIDES)
COMMON = {"prompt", "n", "callback_url", "external_task_id", "watermark_info"}
FIELDS = {
    GENERATIONS: COMMON
    | {"model_name", "negative_prompt", "image", "image_reference", "image_fidelity", "human_fidelity"}
    | {"element_list", "resolution", "aspect_ratio"},
    OMNI: COMMON | {"model_name", "image_list", "resolution", "aspect_ratio", "result_type", "series_amount"},
    EXPAND: COMMON | {"image", *RATIOS},
}
MAX_IMAGE, SMALLEST_SIDE, LARGEST_RATIO, MAX_IMAGES = 10 * 1024 * 1024, 300, 2.5, 10
LONGEST_TEXT = 2_500
LARGEST_AREA = 3  # of an expanded image, in areas of the image


def read(body: bytes) -> dict[str, Any]:
    """Parse a body; ApiError (400) if it is no object."""
    try:
        values = json.loads(body)
    except ValueError as problem:
        raise bad_request("body: must be valid JSON") from problem
    if not isinstance(values, dict):
        raise bad_request("body: must be an object")
    return values


def validate(call: str, values: Mapping[str, Any], *, strict: bool) -> ImageRequest:
    """Return the request of a valid order."""
    errors = [
        f"{name}: is not a field of this call" for name in values if name not in FIELDS[call] and strict
    ]
    errors += _value_errors(call, values)
    files, image_errors = _images(values)
    if call == EXPAND and not files and not image_errors:
        errors.append("image: is required")
    if errors + image_errors:
        raise bad_request(*errors, *image_errors)
    model = str(values.get("model_name", DEFAULTS[call]))
    width, height = (0, 0) if call == EXPAND else _size(values)
    is_series = values.get("result_type") == "series"
    amount = values.get("series_amount", 4) if is_series else values.get("n", 1)
    return ImageRequest(
        model=model,
        prompt=str(values.get("prompt", "")),
        seed=pick_seed(),
        cost=_units(model, values, has_image=bool(files)) * HUNDREDTHS * amount,
        draw=_expanded if call == EXPAND else generate.picture,
        width=width,
        height=height,
        negative_prompt=str(values.get("negative_prompt", "")),
        any_language=True,
        strength=1 - float(values.get("image_fidelity", 0.5)) if files else 1.0,
        files=files,
        samples=amount,
        values={name: values.get(name, 0) for name in RATIOS} | {"series": is_series},
    )


def _expanded(request: ImageRequest) -> Image.Image:
    width, height = open_image(request.files["image"]).size
    lengths = {"left": width, "right": width, "up": height, "down": height}
    pixels = {side: round(request.values[f"{side}_expansion_ratio"] * lengths[side]) for side in SIDES}
    values = {**pixels, "prompt": request.prompt, "creativity": 0.5}
    return edit.outpaint(replace(request, values=values))


def _value_errors(call: str, values: Mapping[str, Any]) -> Iterator[str]:
    texts = {"prompt", "negative_prompt"} & values.keys()
    if call != EXPAND and not values.get("prompt"):
        yield "prompt: is required"
    if "negative_prompt" in values and "image" in values:
        yield "negative_prompt: does not go with an image"
    for name in texts:
        if not isinstance(values[name], str) or len(values[name]) > LONGEST_TEXT:
            yield f"{name}: must be a text of at most {LONGEST_TEXT} characters"
    for name, check in _checks(call).items():
        if name in values and not check(values[name]):
            yield f"{name}: is invalid"
    if "series_amount" in values and values.get("result_type") != "series":
        yield "series_amount: goes with a series"
    if call == EXPAND:
        yield from _expansion_errors(values)


def _expansion_errors(values: Mapping[str, Any]) -> Iterator[str]:
    ratios = {side: values.get(f"{side}_expansion_ratio", 0) for side in SIDES}
    if not any(ratios.values()):
        yield f"{', '.join(RATIOS)}: one must be above 0"
    if not all(isinstance(ratio, int | float) for ratio in ratios.values()):
        return  # said already
    area = (1 + ratios["left"] + ratios["right"]) * (1 + ratios["up"] + ratios["down"])
    if area > LARGEST_AREA:
        yield f"{', '.join(RATIOS)}: the new image may have three times the area at most"


def _checks(call: str) -> dict[str, Callable[[Any], bool]]:
    shapes = {*SIZES, *(("auto",) if call == OMNI else ())}
    return {
        "model_name": lambda value: value in MODELS.get(call, ()),
        "aspect_ratio": lambda value: value in shapes,
        "resolution": lambda value: value in TIMES and (value != "4k" or call == OMNI),
        "image_reference": lambda value: value in ("subject", "face"),
        "n": lambda value: type(value) is int and 1 <= value <= 9,
        "result_type": lambda value: value in ("single", "series"),
        "series_amount": lambda value: type(value) is int and 2 <= value <= 9,
        "image_fidelity": _is_share,
        "human_fidelity": _is_share,
        **dict.fromkeys(RATIOS, lambda value: isinstance(value, int | float) and 0 <= value <= 2),
    }


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _images(values: Mapping[str, Any]) -> tuple[dict[str, bytes], list[str]]:
    """The images, the first one as `image`, and what is wrong with them."""
    listed = values.get("image_list", [])
    if not isinstance(listed, list) or len(listed) > MAX_IMAGES:
        return {}, [f"image_list: must be a list of at most {MAX_IMAGES}"]
    texts = [values["image"]] if "image" in values else [each.get("image") for each in listed]
    files, errors = {}, []
    for index, text in enumerate(texts):
        name = "image" if index == 0 else f"image_{index + 1}"
        try:
            files[name] = _image(text)
        except ValueError as problem:
            errors.append(f"{name}: {problem}")
    return files, errors


def _image(text: Any) -> bytes:
    """Return the image of base64 without anything before it; ValueError if it is none, or too small."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, binascii.Error) as problem:
        raise ValueError("must be plain base64") from problem
    if len(data) > MAX_IMAGE:
        raise ValueError("is larger than 10 MB")
    width, height = open_image(data).size
    if min(width, height) < SMALLEST_SIDE or max(width, height) > LARGEST_RATIO * min(width, height):
        raise ValueError("must have sides of at least 300 pixels and a ratio of at most 2.5")
    return data


def _size(values: Mapping[str, Any]) -> tuple[int, int]:
    width, height = SIZES.get(str(values.get("aspect_ratio", "16:9")), SIZES["1:1"])
    times = TIMES[str(values.get("resolution", "1k"))]
    return width * times, height * times


def _units(model: str, values: Mapping[str, Any], *, has_image: bool) -> int:
    if values.get("resolution") == "4k":
        return 16
    return 4 if model in HALF_PRICE and not has_image else 8
