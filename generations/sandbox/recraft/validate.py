"""Validate a call of Recraft's by the table; ApiError (400) names each invalid field.

Source: docs/providers/recraft.md, "Fields" and "Limits".
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.sandbox.drawings import generate
from generations.sandbox.image_decoding import decode, open_image
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.multipart import parse_form
from generations.sandbox.recraft import styles
from generations.sandbox.recraft.calls import (
    CALLS,
    MODELS,
    RASTER_STYLES,
    SIDES,
    V4_SIZES,
    VECTOR_STYLE,
    Call,
    Draws,
)
from generations.sandbox.recraft.styles import Style
from generations.sandbox.responses import bad_request
from generations.sandbox.state import Request

MAX_SEED = 4_294_967_295
MAX_PIXELS = 16_000_000
LARGEST_SIDE, SMALLEST_SIDE = 4_096, 256
HUNDREDTHS = 10  # of a credit of the sandbox, for a unit
COLOURING = {"colors", "background_color"}
CONTROLS = COLOURING | {"artistic_level", "no_text"}
PARSED = ("n", "random_seed", "strength", "controls", *sorted(SIDES))
ADDRESSES = {"image_url": "image", "mask_url": "mask"}  # in JSON, of images that a form has as files
DATA_URL = re.compile(r"data:image/[a-z+]{2,10};base64,")
RATIO = re.compile(r"([1-9]\d?):([1-9]\d?)")  # in place of a size


@dataclass(frozen=True)
class Received:
    """The fields of a call by name, and its images by the name of their part."""

    values: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


def read(request: Request) -> Received:
    """Read a call: JSON, or a form, in which objects and numbers are JSON too."""
    if "multipart/form-data" in request.content_type:
        form = parse_form(request.content_type, request.body)
        parsed = {name: _parsed(name, form.texts[name]) for name in PARSED if name in form.texts}
        files = {"image" if name == "file" else name: data for name, data in form.files.items()}
        return Received({**form.texts, **parsed}, files)
    values = _parsed("body", request.body)
    if not isinstance(values, dict):
        raise bad_request("body: must be an object")
    files = {name: _fetched(url, values[url]) for url, name in ADDRESSES.items() if url in values}
    return Received({name: value for name, value in values.items() if name not in ADDRESSES}, files)


def validate(name: str, received: Received, *, strict: bool, key: str) -> ImageRequest:
    """Return the request of a valid call; ApiError (403) for a style that the key's account did not make."""
    call, values = CALLS[name], received.values
    has_prompt = "prompt" in call.fields
    errors = [*_unknown(call, received)] if strict else []
    errors += _file_errors(call, received)
    model = MODELS.get(str(values.get("model", "recraftv4_1")))
    if has_prompt:
        errors += _value_errors(name, values, model)
    if name == "outpaint" and not errors:
        errors += _outpaint_errors(received)
    if name == "variateImage" and not _pixels(values.get("size"), V4_SIZES):
        errors.append("size: is required")
    if errors:
        raise bad_request(*errors)
    style = styles.of_id(values["style_id"], key) if "style_id" in values else None
    if style and model and style.is_v4 != model.needs_style:
        raise bad_request("style_id: this model does not draw in it")
    vector = _is_vector(name, values, model, style) if has_prompt else call.output_format == "svg"
    width, height = _size(call, received)
    count = values.get("n", 1) if "n" in call.fields else 1
    return ImageRequest(
        model=str(values.get("model", name)),
        prompt=str(values.get("prompt", "")),
        seed=values.get("random_seed") or pick_seed(),
        cost=(call.units or _units(model, vector=vector)) * HUNDREDTHS * count,
        draw=styles.tinted(call.draw, _colours(values, style)),
        width=width,
        height=height,
        negative_prompt=str(values.get("negative_prompt", "")),
        output_format="svg" if vector else str(values.get("image_format", call.output_format)),
        any_language=True,
        strength=float(values.get("strength", 1.0)),
        samples=count,
        files=received.files,
        values={"prompt": values.get("prompt", ""), **{name: values[name] for name in SIDES & values.keys()}},
    )


def _parsed(name: str, text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise bad_request(f"{name}: must be valid JSON") from problem


def _fetched(name: str, address: Any) -> bytes:
    """The image in a data: address; the sandbox fetches nothing."""
    head = DATA_URL.match(address) if isinstance(address, str) else None
    try:
        return base64.b64decode(address[head.end() :], validate=True) if head else b""
    except ValueError as problem:
        raise bad_request(f"{name}: must be a data: address") from problem


def _unknown(call: Call, received: Received) -> Iterator[str]:
    for name in received.values:
        if name not in call.fields:
            yield f"{name}: is not a field of this call"
    for name in received.files:
        if name not in call.images:
            yield f"{name}: is not a file of this call"


def _file_errors(call: Call, received: Received) -> list[str]:
    errors = [f"{name}: is required" for name in call.images if name not in received.files]
    if errors:
        return errors
    try:
        sizes = {name: open_image(received.files[name]).size for name in call.images}
        if "mask" in sizes and set(decode(received.files["mask"], "L").tobytes()) - {0, 255}:
            errors.append("mask: must be black and white")
    except ValueError as problem:
        return [f"image: {problem}"]
    if len(set(sizes.values())) > 1:
        errors.append("mask: must have the size of the image")
    for width, height in sizes.values():
        if not SMALLEST_SIDE <= min(width, height) <= max(width, height) <= LARGEST_SIDE:
            errors.append(f"image: each side must be from {SMALLEST_SIDE} to {LARGEST_SIDE}")
        if width * height > MAX_PIXELS:
            errors.append(f"image: at most {MAX_PIXELS} pixels")
    return errors


def _value_errors(name: str, values: Mapping[str, Any], model: Draws | None) -> list[str]:
    if model is None:
        return ["model: is unknown"]
    takes_own = model.needs_style or values.get("model") == "recraftv3"
    checks: dict[str, Callable[[Any], bool]] = {
        "prompt": lambda value: isinstance(value, str) and 1 <= len(value) <= model.longest_prompt,
        "negative_prompt": lambda value: model.has_styles and isinstance(value, str),
        "size": lambda value: bool(_pixels(value, model.sizes)),
        "style": lambda value: model.has_styles and value in {*RASTER_STYLES, VECTOR_STYLE},
        "style_id": lambda value: takes_own and isinstance(value, str) and "style" not in values,
        "style_match": lambda value: value in ("precise", "flexible") and model.needs_style,
        "random_seed": lambda value: _is_whole(value, 0, MAX_SEED),
        "n": lambda value: _is_whole(value, 1, 6),
        "strength": lambda value: isinstance(value, int | float) and 0 <= value <= 1,
        "image_format": lambda value: value in ("webp", "png"),
        "response_format": lambda value: value in ("url", "b64_json"),
        "controls": lambda value: _are_controls(value, model),
    }
    checks |= dict.fromkeys(SIDES, lambda value: _is_whole(value, 0, LARGEST_SIDE))
    required = {"prompt"} | ({"strength"} if name == "imageToImage" else set())
    required |= {"style_id"} if model.needs_style else set()
    missing = [f"{field}: is required" for field in sorted(required - values.keys())]
    return missing + [
        f"{field}: is invalid"
        for field, check in checks.items()
        if field in values and not check(values[field])
    ]


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _are_controls(value: Any, model: Draws) -> bool:
    is_v3 = model is MODELS["recraftv3"]
    return (
        isinstance(value, dict)
        and value.keys() <= (CONTROLS if is_v3 else COLOURING)
        and _is_whole(value.get("artistic_level", 0), 0, 5)
        and isinstance(value.get("no_text", False), bool)
        and _are_colours(value.get("colors", []), 10)
        and _are_colours([value["background_color"]] if "background_color" in value else [], 1)
    )


def _are_colours(value: Any, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(_is_colour(each) for each in value)


def _is_colour(value: Any) -> bool:
    rgb = value.get("rgb") if isinstance(value, dict) and value.keys() <= {"rgb", "weight"} else None
    return isinstance(rgb, list) and len(rgb) == 3 and all(_is_whole(channel, 0, 255) for channel in rgb)


def _colours(values: Mapping[str, Any], style: Style | None) -> list[tuple[int, int, int]]:
    """What a picture is coloured with: its style, its palette, its background."""
    controls = values.get("controls", {})
    named = [*controls.get("colors", []), *filter(None, [controls.get("background_color")])]
    palette = [(each["rgb"][0], each["rgb"][1], each["rgb"][2]) for each in named]
    return [*([style.colour] if style else []), *palette]


def _outpaint_errors(received: Received) -> list[str]:
    """Something must be added, and neither side may become longer than an image may be."""
    added = {name: received.values.get(name, 0) for name in SIDES}
    width, height = open_image(received.files["image"]).size
    if not any(added.values()):
        return ["expand_left: at least one of size, expand_* or zoom_out_percentage is required"]
    across = width + added["expand_left"] + added["expand_right"]
    down = height + added["expand_top"] + added["expand_bottom"]
    return [f"image: a result of at most {LARGEST_SIDE}"] if max(across, down) > LARGEST_SIDE else []


def _is_vector(name: str, values: Mapping[str, Any], model: Draws | None, style: Style | None) -> bool:
    """Drawings come of some models, of one style, and of own styles that were made from drawings."""
    of_drawings = style is not None and style.is_vector
    is_asked = name.endswith("/vector") or values.get("style") == VECTOR_STYLE or of_drawings
    return is_asked or bool(model and not model.raster)


def _units(model: Draws | None, *, vector: bool) -> int:
    return (model.vector if vector else model.raster) if model else 0


def _size(call: Call, received: Received) -> tuple[int, int]:
    """The size of the picture that is drawn; other edits decide it themselves."""
    if call.draw not in (generate.picture, generate.masked):
        return 0, 0
    if call.images and "size" not in call.fields:
        return open_image(received.files["image"]).size
    model = MODELS.get(str(received.values.get("model", "recraftv4_1")))
    sizes = model.sizes if model else frozenset()
    return _pixels(received.values.get("size", "1:1"), sizes) or (1_024, 1_024)


def _pixels(size: Any, sizes: frozenset[str]) -> tuple[int, int] | None:
    """The size that is meant, of a ratio the nearest one that the model has; None for none of its sizes."""
    known = sorted(tuple(map(int, each.split("x"))) for each in sizes)
    if not isinstance(size, str):
        return None
    if found := RATIO.fullmatch(size):
        ratio = int(found[1]) / int(found[2])
        width, height = min(known, key=lambda each: abs(math.log(each[0] / each[1] / ratio)))
        return width, height
    return next(((width, height) for width, height in known if size == f"{width}x{height}"), None)
