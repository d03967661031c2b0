"""Validate a call of Ideogram's by the table; ApiError (400) names each invalid field.

Source: docs/providers/ideogram.md, "Legacy calls", "v3" and "v2".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.sandbox.ideogram.calls import (
    CALLS,
    LEGACY_COSTS,
    LEGACY_RATIOS,
    RATIOS,
    SPEEDS,
    V2_COSTS,
    V2_SIZES,
    Call,
    cost_of,
    size_of,
)
from generations.sandbox.image_decoding import decode, open_image
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.multipart import parse_form
from generations.sandbox.responses import bad_request
from generations.sandbox.state import Request

MAX_SEED = 2_147_483_647
MAX_IMAGE = 10_000_000
STYLE_CODE = re.compile(r"[0-9A-F]{8}", re.ASCII)
WITH_AN_OBJECT = ("/generate", "/remix", "/upscale")
NUMBERS = ("seed", "num_images", "image_weight", "resemblance", "detail")
STYLES = {"AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION", "CUSTOM", "STYLIZED"}
LEGACY_STYLES = STYLES | {"RENDER_3D", "ANIME"}
# The lists of exact sizes (69 of v3) are not copied here: what all of their values have in common.
LEGACY_SIZE, V3_SIZE = re.compile(r"RESOLUTION_(\d{3,4})_(\d{3,4})"), re.compile(r"(\d{3,4})x(\d{3,4})")
SIDES, SIDE_STEP = range(512, 1_537), 16


@dataclass(frozen=True)
class Received:
    """The fields of a call by name, and its images by the name of their part."""

    values: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


def read(request: Request) -> Received:
    """Read a call: JSON or a form, of legacy calls the object `image_request` in it."""
    if "multipart/form-data" in request.content_type:
        form = parse_form(request.content_type, request.body)
        values: dict[str, Any] = dict(form.texts)
        values |= {name: int(values[name]) for name in NUMBERS if values.get(name, "").isdecimal()}
        files = form.files
    else:
        values, files = _object(request.body, "body"), {}
    if request.path in WITH_AN_OBJECT:
        values = _image_request(values.get("image_request"), in_form=bool(files))
    return Received(values, files)


def validate(path: str, received: Received, *, strict: bool) -> ImageRequest:
    """Return the request of a valid call."""
    call, values = CALLS[path], received.values
    errors = [*_unknown(call, received)] if strict else []
    errors += [f"{name}: is required" for name in call.required if not {**values, **received.files}.get(name)]
    errors += [
        f"{name}: is invalid"
        for name, check in _checks(path).items()
        if name in values and not check(values[name])
    ]
    errors += [*_file_errors(received), *_style_errors(received)]
    if errors:
        raise bad_request(*errors)
    image = received.files.get("image") or received.files.get("image_file")
    files = {"image": image, "mask": received.files.get("mask")}
    width, height = size_of(path, values, image)
    return ImageRequest(
        model=str(values.get("model") or path.rpartition("/")[2]),
        prompt=str(values.get("prompt", "")),
        seed=values.get("seed") or pick_seed() // 2,
        cost=cost_of(path, values, has_character="character_reference_images" in received.files)
        * values.get("num_images", 1),
        draw=call.draw,
        samples=values.get("num_images", 1),
        width=width,
        height=height,
        negative_prompt=str(values.get("negative_prompt", "")),
        any_language=True,
        strength=1 - values.get("image_weight", 50) / 100 if image else 1.0,
        files={name: data for name, data in files.items() if data},
    )


def _image_request(inner: Any, *, in_form: bool) -> dict[str, Any]:
    """The object of a legacy call: JSON as text in a form, an object in JSON."""
    if in_form and isinstance(inner, str):
        return _object(inner, "image_request")
    if in_form or not isinstance(inner, dict | None):
        raise bad_request("image_request: must be JSON as text in a form, an object in JSON")
    return inner or {}


def _object(text: Any, name: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError as problem:
        raise bad_request(f"{name}: must be valid JSON") from problem
    if not isinstance(values, dict):
        raise bad_request(f"{name}: must be an object")
    return values


def _unknown(call: Call, received: Received) -> Iterator[str]:
    for name in received.values:
        if name not in call.fields and not _is_listed(call, name):
            yield f"{name}: is not a field of this call"
    for name in received.files:
        if name not in call.images and not _is_listed(call, name):
            yield f"{name}: is not a file of this call"


def _is_listed(call: Call, name: str) -> bool:
    """Whether it is one of several parts that the call takes of a name."""
    first, _, place = name.removesuffix("]").partition("[")
    return int(place or 1) <= call.lists.get(first, 0)


def _checks(path: str) -> dict[str, Callable[[Any], bool]]:
    is_legacy, is_v2 = path in WITH_AN_OBJECT, path.startswith("/v2/")
    levels = V2_COSTS.get(path.rpartition("/")[2], {})
    magic = {"auto", "on", "off"} if is_v2 else {"AUTO", "ON", "OFF"}
    return {
        "prompt": lambda value: isinstance(value, str) and bool(value),
        "model": lambda value: value in LEGACY_COSTS,
        "aspect_ratio": lambda value: value in (LEGACY_RATIOS if is_legacy else RATIOS),
        "resolution": lambda value: (
            value in V2_SIZES if is_v2 else _is_size(value, LEGACY_SIZE if is_legacy else V3_SIZE)
        ),
        "size": lambda value: value == "auto" or value in V2_SIZES,
        "quality": lambda value: value in levels,
        "rendering_speed": lambda value: value in (levels if is_v2 else SPEEDS),
        "style_type": lambda value: value in (LEGACY_STYLES if is_legacy else STYLES),
        "magic_prompt": lambda value: value in magic,
        "magic_prompt_option": lambda value: value in magic,
        "seed": lambda value: _is_whole(value, 0, MAX_SEED),
        "num_images": lambda value: _is_whole(value, 1, 8),
        "color_palette": _is_palette,
        **dict.fromkeys(("image_weight", "resemblance", "detail"), lambda value: _is_whole(value, 1, 100)),
    }


def _is_size(value: Any, form: re.Pattern[str]) -> bool:
    found = form.fullmatch(value) if isinstance(value, str) else None
    sides = [int(side) for side in found.groups()] if found else []
    return bool(sides) and all(side in SIDES and side % SIDE_STEP == 0 for side in sides)


def _is_palette(value: Any) -> bool:
    """Whether it is an object, in a form as JSON; sources disagree on the names in it."""
    try:
        return isinstance(json.loads(value) if isinstance(value, str) else value, dict)
    except ValueError:
        return False


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _style_errors(received: Received) -> list[str]:
    """Codes exclude a type and images of a style, and have eight hexadecimal digits each."""
    codes = [str(value) for name, value in received.values.items() if name.startswith("style_codes")]
    others = "style_type" in received.values or "style_reference_images" in received.files
    errors = ["style_codes: exclude style_type and style_reference_images"] if codes and others else []
    return errors + [f"style_codes: {code}" for code in codes if not STYLE_CODE.fullmatch(code)]


def _file_errors(received: Received) -> list[str]:
    errors = [
        f"{name}: is larger than 10 MB" for name, data in received.files.items() if len(data) > MAX_IMAGE
    ]
    try:
        opened = {name: open_image(data).size for name, data in received.files.items()}
        sizes = {size for name, size in opened.items() if name in ("image", "image_file", "mask")}
        mask = received.files.get("mask")
        if mask and set(decode(mask, "L").tobytes()) != {0, 255}:
            errors.append("mask: must have black and white areas, and nothing between")
    except ValueError as problem:
        return [*errors, f"image: {problem}"]
    return errors + (["mask: must have the size of the image"] if len(sizes) > 1 else [])
