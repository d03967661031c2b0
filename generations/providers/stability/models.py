"""Stability's models: fields with their ranges, sizes, prices, styles.

Sources: docs/providers/stability.md, "Fields", "Models", "Sizes", "Prices" and "v1 text to image".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from generations.providers.catalogue.fields import Choice, Field, Group, Number, Text, WeightedTexts, When
from generations.providers.catalogue.inputs import IMAGE, Input
from generations.providers.catalogue.model import Model
from generations.providers.i18n import gettext_noop

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "photographic": gettext_noop("Photo"),
        "cinematic": gettext_noop("Cinematic"),
        "analog-film": gettext_noop("Analog film"),
        "anime": gettext_noop("Anime"),
        "digital-art": gettext_noop("Digital art"),
        "fantasy-art": gettext_noop("Fantasy"),
        "low-poly": gettext_noop("Low poly"),
        "line-art": gettext_noop("Line art"),
        "neon-punk": gettext_noop("Neon punk"),
        "comic-book": gettext_noop("Comic book"),
        "pixel-art": gettext_noop("Pixel art"),
        "3d-model": gettext_noop("3D model"),
        "isometric": gettext_noop("Isometric"),
        "origami": gettext_noop("Origami"),
        "modeling-compound": gettext_noop("Clay"),
        "tile-texture": gettext_noop("Tile texture"),
        "enhance": gettext_noop("Enhance"),
    }
)
SHAPES = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")  # widest to tallest
FORMATS: Mapping[str, str] = MappingProxyType({"png": "PNG", "jpeg": "JPEG", "webp": "WebP"})


def _sizes(pixels: int) -> dict[str, tuple[int, int]]:
    """Return sizes of about that many pixels whose sides are multiples of 16."""
    sizes = {}
    for shape in SHAPES:
        across, down = map(int, shape.split(":"))
        sides = math.sqrt(pixels * across / down), math.sqrt(pixels * down / across)
        sizes[shape] = (int(sides[0] // 16 * 16), int(sides[1] // 16 * 16))
    return sizes


ONE_MEGAPIXEL = {
    "21:9": (1536, 640),
    "16:9": (1344, 768),
    "3:2": (1216, 832),
    "5:4": (1088, 896),
    "1:1": (1024, 1024),
    "4:5": (896, 1088),
    "2:3": (832, 1216),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
ONE_MEGAPIXEL_AND_A_HALF = _sizes(1_500_000)
# The only sizes that SDXL takes; these are sent to it, not only shown.
SDXL_SIZES = ONE_MEGAPIXEL | {"5:4": (1152, 896), "4:5": (896, 1152)}

SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    default="1:1",
    remembered=True,
    choices=MappingProxyType({s: s for s in SHAPES}),
)
SHAPE_WITHOUT_IMAGE = replace(SHAPE, when=When.WITHOUT_IMAGE)
STYLE = Choice(name="style_preset", title=gettext_noop("Style"), choices=STYLES)
FORMAT = Choice(
    name="output_format",
    title=gettext_noop("Format"),
    group=Group.MORE,
    remembered=True,
    default="png",
    choices=FORMATS,
)
WEIGHTED = WeightedTexts(name="text_prompts", title=gettext_noop("Weighted prompts"))
START_IMAGE = Input(role=IMAGE, title=gettext_noop("Start image"), max_side=4096)


def _texts(max_length: int) -> tuple[Field, ...]:
    return (
        Text(name="prompt", title=gettext_noop("Prompt"), required=True, min_length=1, max_length=max_length),
        Text(name="negative_prompt", title=gettext_noop("Negative prompt"), max_length=max_length),
    )


def _seed(maximum: int) -> Field:
    return Number(
        name="seed",
        title=gettext_noop("Seed"),
        group=Group.MORE,
        minimum=0,
        maximum=maximum,
        whole=True,
        default=0,
        absent=(0, -1),
    )  # 0 means a random seed, as sending none does; -1 does in other programs


def _strength(suggested: float = 0.6) -> Field:
    """Distance from the start image: 0 keeps it, 1 ignores it."""
    return Number(
        name="strength",
        title=gettext_noop("Strength"),
        group=Group.IMAGE,
        required=True,
        when=When.WITH_IMAGE,
        minimum=0,
        maximum=1,
        step=0.01,
        suggested=suggested,
    )


def _guidance(minimum: float, maximum: float, default: float) -> Field:
    return Number(
        name="cfg_scale",
        title=gettext_noop("Guidance"),
        group=Group.MORE,
        remembered=True,
        minimum=minimum,
        maximum=maximum,
        step=0.5,
        default=default,
    )


def _steps() -> Field:
    return Number(
        name="steps",
        title=gettext_noop("Steps"),
        group=Group.MORE,
        remembered=True,
        minimum=10,
        maximum=50,
        whole=True,
        default=30,
    )


def _stable_image(*extra: Field, shape: Field = SHAPE) -> tuple[Field, ...]:
    return (*_texts(10_000), shape, STYLE, _seed(4_294_967_294), FORMAT, *extra)


def _sd3(name: str, title: str, clause: str, cost: int, seconds: int, *extra: Field) -> Model:
    fields = _stable_image(*extra, shape=SHAPE_WITHOUT_IMAGE)
    return Model(name, title, clause, cost, seconds, ONE_MEGAPIXEL, fields, inputs=(START_IMAGE,))


MODELS = (
    Model(
        "core",
        "Core",
        gettext_noop("Fast, good with any subject"),
        300,
        9,
        ONE_MEGAPIXEL_AND_A_HALF,
        _stable_image(),
    ),
    Model(
        "ultra",
        "Ultra",
        gettext_noop("Finest detail, best light"),
        800,
        12,
        ONE_MEGAPIXEL,
        _stable_image(_strength()),
        inputs=(START_IMAGE,),
    ),
    _sd3(
        "sd3.5-large",
        "SD 3.5 Large",
        gettext_noop("Keeps to long prompts"),
        650,
        10,
        _strength(),
        _guidance(1, 10, 4),
    ),
    _sd3(
        "sd3.5-flash",
        "SD 3.5 Flash",
        gettext_noop("Quick drafts and ideas"),
        250,
        4,
        _strength(0.95),
        _guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-large-turbo",
        "SD 3.5 Turbo",
        gettext_noop("Large, in far less time"),
        400,
        5,
        _strength(),
        _guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-medium",
        "SD 3.5 Medium",
        gettext_noop("Good balance for the price"),
        350,
        8,
        _strength(),
        _guidance(1, 10, 4),
    ),
    Model(
        "sdxl",
        "SDXL 1.0",
        gettext_noop("Lowest price, many styles"),
        90,
        6,
        SDXL_SIZES,
        (*_texts(2_000), WEIGHTED, SHAPE, STYLE, _seed(4_294_967_295), _guidance(0, 35, 7), _steps()),
        included_steps=30,
    ),
)
