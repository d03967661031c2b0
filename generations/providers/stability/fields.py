"""What the declarations of Stability's models share: fields with their ranges, styles, sizes.

Sources: docs/providers/stability.md, "Fields", "Sizes" and "v1 text to image".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Group, Number, Text, WeightedTexts, When
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
LONGEST_TEXT = 10_000  # characters, of v2beta
LARGEST_SEED = 4_294_967_294  # of v2beta


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
# SD 1.6 takes all multiples of 64 from 320 to 1536; these are near its default of 512x512, and sent.
SD16_SIZES = {
    "21:9": (896, 384),
    "16:9": (896, 512),
    "3:2": (768, 512),
    "5:4": (640, 512),
    "1:1": (512, 512),
    "4:5": (512, 640),
    "2:3": (512, 768),
    "9:16": (512, 896),
    "9:21": (384, 896),
}

SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    label="Aspect ratio",
    default="1:1",
    remembered=True,
    choices=MappingProxyType({s: s for s in SHAPES}),
)
SHAPE_WITHOUT_IMAGE = replace(SHAPE, when=When.WITHOUT_IMAGE)
STYLE = Choice(
    name="style_preset",
    title=gettext_noop("Style"),
    label="Style preset",
    choices=STYLES,
    has_samples=True,
)
FORMAT = Choice(
    name="output_format",
    title=gettext_noop("Format"),
    group=Group.MORE,
    remembered=True,
    default="png",
    choices=FORMATS,
)
WEIGHTED = WeightedTexts(name="text_prompts", title=gettext_noop("Weighted prompts"))


def prompt(note: str = "", *, required: bool = True, max_length: int = LONGEST_TEXT) -> Text:
    """The text of what shall be drawn."""
    least = 1 if required else 0
    return Text(
        name="prompt",
        title=gettext_noop("Prompt"),
        help=note,
        required=required,
        min_length=least,
        max_length=max_length,
    )


def negative_prompt(max_length: int = LONGEST_TEXT) -> Text:
    """The text of what shall not be drawn."""
    return Text(name="negative_prompt", title=gettext_noop("Negative prompt"), max_length=max_length)


SEED = common_fields.seed(LARGEST_SEED)


def strength(suggested: float = 0.6) -> Number:
    """Distance from the start image: 0 keeps it, 1 ignores it."""
    return Number(
        name="strength",
        title=gettext_noop("Strength"),
        label="Denoising strength",
        help=gettext_noop("How far the result may go from the image: 0 keeps it, 1 ignores it."),
        group=Group.IMAGE,
        required=True,
        when=When.WITH_IMAGE,
        minimum=0,
        maximum=1,
        step=0.01,
        suggested=suggested,
    )


def guidance(minimum: float, maximum: float, default: float) -> Number:
    """How closely the model keeps to the prompt."""
    return Number(
        name="cfg_scale",
        title=gettext_noop("Guidance"),
        label="CFG scale",
        group=Group.MORE,
        remembered=True,
        minimum=minimum,
        maximum=maximum,
        step=0.5,
        default=default,
    )


def steps() -> Number:
    """Steps of v1; more than 30 cost more."""
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


def fraction(
    name: str,
    title: str,
    default: float,
    *,
    minimum: float = 0,
    maximum: float = 1,
    note: str,
    group: Group = Group.MAIN,
) -> Number:
    """A number from 0 to 1, or a part of that range, as a slider."""
    return Number(
        name=name,
        title=title,
        help=note,
        group=group,
        minimum=minimum,
        maximum=maximum,
        step=0.01 if maximum - minimum < 0.5 else 0.05,
        default=default,
    )


def grow_mask(maximum: int, default: int) -> Number:
    """Pixels by which the edited area grows at its edges."""
    return Number(
        name="grow_mask",
        title=gettext_noop("Grow the area"),
        help=gettext_noop("By how many pixels the changed area grows at its edges, so that no seam is seen."),
        group=Group.MORE,
        remembered=True,
        minimum=0,
        maximum=maximum,
        whole=True,
        default=default,
    )
