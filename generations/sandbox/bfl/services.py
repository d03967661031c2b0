"""The table of models: their fields, what they draw, and prices in hundredths of a credit.

Source: docs/providers/flux.md, "Models and prices".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from generations.sandbox.bfl.fields import (
    Choice,
    Field,
    Flag,
    FreeSide,
    Number,
    Picture,
    Pictures,
    Ratio,
    Text,
)
from generations.sandbox.drawings import edit, generate
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.sizes import size_with

Values = Mapping[str, Any]
Fields = Mapping[str, Field]

ANY_SEED = Number(-(2**63), 2**63, whole=True)
TASKS_AT_ONCE = 24


@dataclass(frozen=True)
class Service:
    """One model; `cost` is in hundredths of a credit.

    `size` is of the result, if it is known. `pictures` are the files of the drawing, `drawn_from` its values;
    `check` says what is wrong with the values together.
    A `strict` service refuses fields that it does not have. `tasks` may be under way at the same time, and
    `words` are what is said of one that runs.
    """

    fields: Fields
    cost: Callable[[Values], int]
    draw: Callable[[ImageRequest], Image.Image] = generate.picture
    size: Callable[[Values], tuple[int, int]] = lambda _: (0, 0)
    pictures: Callable[[Values], Mapping[str, bytes]] = lambda _: {}
    drawn_from: Callable[[Values], Values] = lambda values: values
    check: Callable[[Values], str] = lambda _: ""
    strict: bool = False
    tasks: int = TASKS_AT_ONCE
    words: tuple[str, ...] = ("Pending",)


def common(tolerance: int, output_format: str = "jpeg") -> dict[str, Field]:
    """The fields of all models but FLUX 3."""
    return {
        "seed": ANY_SEED,
        "safety_tolerance": Number(0, tolerance, 2, whole=True),
        "output_format": Choice(("jpeg", "png", "webp"), output_format),
        "webhook_url": Text(),
        "webhook_secret": Text(),
    }


def _from(name: str) -> Callable[[Values], Mapping[str, bytes]]:
    return lambda values: {"image": values[name]} if values[name] else {}


def _painted(values: Values) -> Mapping[str, bytes]:
    return {name: values[name] for name in ("image", "mask") if values.get(name)}


def _extended(values: Values) -> Values:
    """The sides as the drawing has them."""
    return {
        "left": values["left"],
        "right": values["right"],
        "up": values["top"],
        "down": values["bottom"],
        "prompt": values["prompt"],
        "creativity": CREATIVITY if values["prompt"] else 0,
    }


def _by_ratio(pixels: int) -> Callable[[Values], tuple[int, int]]:
    """About that many pixels, in the ratio that was asked for or that the first image has."""

    def size(values: Values) -> tuple[int, int]:
        if values["aspect_ratio"] is None and values.get("input_image"):
            width, height = open_image(values["input_image"]).size
            return size_with(pixels, f"{width}:{height}")
        return size_with(pixels, values["aspect_ratio"] or "1:1")

    return size


def _in_pixels(values: Values) -> tuple[int, int]:
    return values["width"], values["height"]


def _numbered(count: int) -> Fields:
    """`input_image`, `input_image_2` and so on."""
    names = ["input_image", *(f"input_image_{number}" for number in range(2, count + 1))]
    return dict.fromkeys(names, Picture())


def _kontext(cost: int, tasks: int = TASKS_AT_ONCE) -> Service:
    return Service(
        {
            "prompt": Text(required=True),
            **_numbered(4),
            "aspect_ratio": Ratio(),
            "prompt_upsampling": Flag(),
            **common(6, "png"),
        },
        lambda _: cost,
        size=_by_ratio(MEGAPIXEL),
        pictures=_from("input_image"),
        tasks=tasks,
    )


def _megapixels(values: Values) -> tuple[int, int]:
    """Width and height; 0 or none is automatic: as the first image, or a square."""
    if values["width"] and values["height"]:
        return values["width"], values["height"]
    if not values["input_image"]:
        return size_with(MEGAPIXEL, "1:1")
    width, height = open_image(values["input_image"]).size
    return size_with(MEGAPIXEL, f"{width}:{height}")


def _flux2(first: int, further: int, extra: Fields, *, images: int = 8) -> Service:
    """The first megapixel, each further one that comes out, and each that goes in."""

    def cost(values: Values) -> int:
        width, height = _megapixels(values)
        pictures = [open_image(values[name]).size for name in _numbered(images) if values[name]]
        going_in = sum(_rounded_up(*size) for size in pictures)
        return first + further * (_rounded_up(width, height) - 1 + going_in)

    fields: Fields = {
        "prompt": Text(required=True),
        **_numbered(images),
        "width": FreeSide(),
        "height": FreeSide(),
        **extra,
        **common(5),
    }
    return Service(fields, cost, size=_megapixels, pictures=_from("input_image"), check=_at_most_four)


def _at_most_four(values: Values) -> str:
    width, height = _megapixels(values)
    return "" if width * height <= 4 * MEGAPIXEL else "the image would have more than 4 megapixels"


def _rounded_up(width: int, height: int) -> int:
    return -(-width * height // MEGAPIXEL)


def _flux3_size(values: Values) -> tuple[int, int]:
    return size_with(PIXELS_OF[values["resolution"]], _flux3_ratio(values))


def _flux3_ratio(values: Values) -> str:
    if values["aspect_ratio"] != "auto":
        return str(values["aspect_ratio"])
    if not values["images"]:
        return "1:1"
    width, height = open_image(values["images"][0]).size
    return f"{width}:{height}"


def _first_image(values: Values) -> Mapping[str, bytes]:
    return {"image": values["images"][0]} if values["images"] else {}


def _no_more_than_sixteen(values: Values) -> str:
    sizes = [open_image(data).size for data in values["images"] or ()]
    is_large = any(width * height > 16 * 1_000_000 for width, height in sizes)
    return "an image has more than 16 megapixels" if is_large else ""


MEGAPIXEL = 1024 * 1024
PIXELS_OF = {
    "768sq": 768 * 768,
    "1k": MEGAPIXEL,
    "1.5k": 9 * MEGAPIXEL // 4,
    "2k": 4 * MEGAPIXEL,
    "4k": 16 * MEGAPIXEL,
}
RESOLUTION_COSTS = {"768sq": 380, "1k": 380, "1.5k": 800, "2k": 800, "4k": 4_900}
SHAPES = (
    "21:9",
    "2:1",
    "16:9",
    "3:2",
    "7:5",
    "4:3",
    "5:4",
    "1:1",
    "4:5",
    "3:4",
    "5:7",
    "2:3",
    "9:16",
    "1:2",
    "9:21",
)
CREATIVITY = 0.5
PIXELS: Fields = {
    "width": Number(256, 1_440, 1_024, whole=True, step=32),
    "height": Number(256, 1_440, 768, whole=True, step=32),
}
PROMPTED: Fields = {"prompt": Text(), "prompt_upsampling": Flag()}
FROM_IMAGE: Fields = {**PROMPTED, "image_prompt": Picture()}
SIDE = Number(0, 2_048, 0, whole=True)

SERVICES: Mapping[str, Service] = {
    "flux-pro-1.1": Service(
        {**FROM_IMAGE, **PIXELS, **common(6)},
        lambda _: 400,
        size=_in_pixels,
        pictures=_from("image_prompt"),
    ),
    "flux-pro-1.1-ultra": Service(
        {
            **FROM_IMAGE,
            "aspect_ratio": Ratio("16:9"),
            "raw": Flag(),
            "image_prompt_strength": Number(0, 1, 0.1),
            **common(6),
        },
        lambda _: 600,
        size=_by_ratio(4 * MEGAPIXEL),
        pictures=_from("image_prompt"),
    ),
    "flux-dev": Service(
        {
            **FROM_IMAGE,
            **PIXELS,
            "steps": Number(1, 50, 28, whole=True),
            "guidance": Number(1.5, 5, 3),
            **common(6),
        },
        lambda _: 250,
        size=_in_pixels,
        pictures=_from("image_prompt"),
    ),
    "flux-pro-1.0-fill": Service(
        {
            **PROMPTED,
            "image": Picture(required=True),
            "mask": Picture(),
            "steps": Number(15, 50, 50, whole=True),
            "guidance": Number(1.5, 100, 60),
            **common(6),
        },
        lambda _: 500,
        draw=edit.inpaint,
        pictures=_painted,
    ),
    "flux-pro-1.0-expand": Service(
        {
            "prompt": Text(),
            "image": Picture(required=True),
            **dict.fromkeys(("top", "bottom", "left", "right"), SIDE),
            **common(6),
        },
        lambda _: 500,
        draw=edit.outpaint,
        pictures=_painted,
        drawn_from=_extended,
    ),
    "flux-kontext-pro": _kontext(400),
    "flux-kontext-max": _kontext(800, tasks=6),
    "flux-2-pro": _flux2(300, 150, {}),
    "flux-2-max": _flux2(700, 300, {}),
    "flux-2-flex": _flux2(
        500,
        500,
        {
            "prompt_upsampling": Flag(default=True),
            "steps": Number(1, 50, 50, whole=True),
            "guidance": Number(1.5, 10, 5),
        },
    ),
    "flux-2-klein-4b": _flux2(140, 10, {}, images=4),
    "flux-2-klein-9b": _flux2(150, 20, {}, images=4),
    "flux-3-image": Service(
        {
            "prompt": Text(required=True),
            "images": Pictures(min_side=256),
            "aspect_ratio": Choice(("auto", *SHAPES), "auto"),
            "resolution": Choice(tuple(PIXELS_OF), "1k"),
            "safety_tolerance": Number(0, 4, 2, whole=True),
            "grounding": Flag(default=True),
            "version": Choice(("latest",), "latest"),
        },
        lambda values: RESOLUTION_COSTS[values["resolution"]],
        size=_flux3_size,
        pictures=_first_image,
        check=_no_more_than_sixteen,
        strict=True,
        words=("Pending", "Reasoning", "Generating"),
    ),
}
