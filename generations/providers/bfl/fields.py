"""What the declarations of Flux's models share: fields with their ranges, and sizes.

Sources: docs/providers/flux.md, "Models and prices" and "FLUX 3".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Flag, Group, Number, Text
from generations.providers.catalogue.inputs import IMAGE, MIB, REFERENCE, Input
from generations.providers.i18n import gettext_noop

MEGAPIXEL = 1024 * 1024  # pixels: what is billed as one
# Of the 20 MB that are taken of each; all images go as text in one body, which is half as long again.
IMAGE_BYTES, REFERENCE_BYTES = 4 * MIB, 2 * MIB
LONGEST_PROMPT = 10_000  # characters; no limit is documented
LARGEST_SEED = 4_294_967_295  # no limit is documented; this one fits into any of their integers
SHAPES = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "9:21")  # widest first

AUTOMATIC = "auto"
ANY_LANGUAGE: tuple[str, ...] = ()  # prompts are refused in none


def sizes(
    pixels: int, *, step: int, longest: int = 1_000_000, shapes: Iterable[str] = SHAPES
) -> dict[str, tuple[int, int]]:
    """Return the largest sizes of these shapes with at most so many pixels: sides are multiples of `step`."""
    return {
        shape: size_of(pixels, *map(int, shape.split(":")), step=step, longest=longest) for shape in shapes
    }


def size_of(pixels: int, across: int, down: int, *, step: int, longest: int = 1_000_000) -> tuple[int, int]:
    """Return the largest size of this ratio with at most so many pixels, one step or more on each side."""
    unit = min(math.sqrt(pixels / (across * down)), longest / max(across, down))
    width, height = (max(step, int(side * unit + 1e-9) // step * step) for side in (across, down))
    return width, height


def shape(values: Iterable[str] = SHAPES, *, default: str = "1:1", may_be_automatic: bool = False) -> Choice:
    """The shape of the picture, which may be left to the image or the model."""
    choices = {AUTOMATIC: gettext_noop("Auto")} if may_be_automatic else {}
    return Choice(
        name="aspect_ratio",
        title=gettext_noop("Shape"),
        label="Aspect ratio",
        default=AUTOMATIC if may_be_automatic else default,
        remembered=True,
        choices=MappingProxyType(choices | {each: each for each in values}),
        absent=(AUTOMATIC,),
    )


def edited(*, min_side: int = 64, max_pixels: int = 4 * MEGAPIXEL, max_bytes: int = IMAGE_BYTES) -> Input:
    """The image that is changed, or drawn from."""
    return Input(
        role=IMAGE,
        title=gettext_noop("Image"),
        help=gettext_noop("What shall be changed. In the prompt it is image 1."),
        min_side=min_side,
        max_pixels=max_pixels,
        max_bytes=IMAGE_BYTES,
    )


def references(maximum: int, *, min_side: int = 64, max_pixels: int = 4 * MEGAPIXEL) -> Input:
    """Further images, which the prompt may speak of."""
    return Input(
        role=REFERENCE,
        title=gettext_noop("More images"),
        help=gettext_noop("People, things or styles to take up; the prompt can name them by their number."),
        maximum=maximum,
        min_side=min_side,
        max_pixels=max_pixels,
        max_bytes=REFERENCE_BYTES,
    )


def prompt(note: str = "", *, required: bool = True) -> Text:
    """The text of what shall be drawn."""
    return Text(
        name="prompt",
        title=gettext_noop("Prompt"),
        help=note,
        required=required,
        min_length=1 if required else 0,
        max_length=LONGEST_PROMPT,
    )


def output_format(default: str = "jpeg") -> Choice:
    """The format of the file."""
    return Choice(
        name="output_format",
        title=gettext_noop("Format"),
        group=Group.MORE,
        remembered=True,
        default=default,
        choices=FORMATS,
    )


def safety_tolerance(maximum: int) -> Number:
    """How much the moderation lets pass: the maximum differs between generations of models."""
    return Number(
        name="safety_tolerance",
        title=gettext_noop("Safety tolerance"),
        help=gettext_noop("How much the provider's moderation lets pass: 0 is the strictest."),
        group=Group.MORE,
        remembered=True,
        minimum=0,
        maximum=maximum,
        whole=True,
        default=2,
    )


def steps(default: int, *, minimum: int = 1) -> Number:
    """How many steps of denoising."""
    return Number(
        name="steps",
        title=gettext_noop("Steps"),
        group=Group.MORE,
        remembered=True,
        minimum=minimum,
        maximum=50,
        whole=True,
        default=default,
    )


def guidance(minimum: float, maximum: float, default: float) -> Number:
    """How closely the model keeps to the prompt."""
    return Number(
        name="guidance",
        title=gettext_noop("Guidance"),
        label="CFG scale",
        group=Group.MORE,
        remembered=True,
        minimum=minimum,
        maximum=maximum,
        step=0.5,
        default=default,
    )


FORMATS: Mapping[str, str] = MappingProxyType({"jpeg": "JPEG", "png": "PNG", "webp": "WebP"})
SEED = common_fields.seed(LARGEST_SEED)
UPSAMPLING = Flag(
    name="prompt_upsampling",
    title=gettext_noop("Enrich the prompt"),
    help=gettext_noop("The provider adds detail to the prompt before it draws."),
    group=Group.MORE,
    remembered=True,
)
