"""What the declarations of Ideogram's models share: fields, sizes, images.

Source: docs/providers/ideogram.md, "Legacy calls", "v3" and "v2".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Group, Number, Text, When
from generations.providers.catalogue.inputs import IMAGE, MASK, MIB, Input
from generations.providers.catalogue.sizes import Sizes, with_portraits
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop

LARGEST_SEED = 2_147_483_647
STYLE, CHARACTER = "style", "character"  # roles of images
MAX_STYLE_REFERENCES, MAX_STYLE_CODES = 3, 3
STYLE_CODE = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)
LONGEST_TEXT = 10_000  # characters; no limit is published


# Of v3 by its ratios, without 16:10, which is nearly 3:2; reframing takes these sizes themselves.
V3_SIZES = with_portraits(
    {
        "3:1": (1536, 512),
        "2:1": (1408, 704),
        "16:9": (1312, 736),
        "3:2": (1248, 832),
        "4:3": (1152, 864),
        "5:4": (1120, 896),
        "1:1": (1024, 1024),
    }
)
# Presets that 4.0 and 4.5 take alike, of one and of four megapixels.
V4_SIZES = with_portraits(
    {
        "2:1": (1440, 720),
        "16:9": (1280, 720),
        "3:2": (1248, 832),
        "4:3": (1152, 864),
        "5:4": (1120, 896),
        "1:1": (1024, 1024),
    }
)
V4_LARGE_SIZES = {shape: (width * 2, height * 2) for shape, (width, height) in V4_SIZES.items()}
LEGACY_SIZES = {shape: size for shape, size in V3_SIZES.items() if shape not in ("2:1", "1:2", "5:4", "4:5")}


def shape(sizes: Sizes, when: When = When.ALWAYS) -> Choice:
    """The shape of the result, one of those that a model has sizes for."""
    return Choice(
        name="aspect_ratio",
        title=gettext_noop("Shape"),
        label="Aspect ratio",
        default="1:1",
        remembered=True,
        choices=MappingProxyType({name: name for name in sizes}),
        when=when,
    )


PROMPT = Text(
    name="prompt", title=gettext_noop("Prompt"), required=True, min_length=1, max_length=LONGEST_TEXT
)
NEGATIVE_PROMPT = Text(name="negative_prompt", title=gettext_noop("Negative prompt"), max_length=LONGEST_TEXT)
SEED = common_fields.seed(LARGEST_SEED)
MAGIC_PROMPT = Choice(
    name="magic_prompt",
    title=gettext_noop("Rewrite the prompt"),
    help=gettext_noop("Ideogram can make more of a short prompt."),
    group=Group.MORE,
    remembered=True,
    default="AUTO",
    choices=MappingProxyType(
        {"AUTO": gettext_noop("If it helps"), "ON": gettext_noop("Always"), "OFF": gettext_noop("Never")}
    ),
)
STYLE_TYPE = Choice(
    name="style_type",
    title=gettext_noop("Style"),
    choices=MappingProxyType(
        {
            "GENERAL": gettext_noop("General"),
            "REALISTIC": gettext_noop("Photo"),
            "DESIGN": gettext_noop("Design"),
            "FICTION": gettext_noop("Fiction"),
        }
    ),
)
LEGACY_STYLE_TYPE = replace(
    STYLE_TYPE,
    choices=MappingProxyType(
        {
            "GENERAL": gettext_noop("General"),
            "REALISTIC": gettext_noop("Photo"),
            "DESIGN": gettext_noop("Design"),
            "RENDER_3D": gettext_noop("3D model"),
            "ANIME": gettext_noop("Anime"),
        }
    ),
)
CHARACTER_STYLE_TYPE = replace(
    STYLE_TYPE,
    choices=MappingProxyType({"REALISTIC": gettext_noop("Photo"), "FICTION": gettext_noop("Fiction")}),
)
STYLE_CODES = Text(
    name="style_codes",
    title=gettext_noop("Style codes"),
    help=gettext_noop("Up to three codes of Ideogram's styles, eight letters and digits each."),
    group=Group.MORE,
    max_length=35,
)
IMAGE_WEIGHT = Number(
    name="image_weight",
    title=gettext_noop("Weight of the image"),
    help=gettext_noop("How much of the image is kept: 1 little, 100 nearly all."),
    group=Group.IMAGE,
    when=When.WITH_IMAGE,
    minimum=1,
    maximum=100,
    whole=True,
    default=50,
)
RESOLUTION = Choice(
    name="resolution",
    title=gettext_noop("Resolution"),
    group=Group.MORE,
    remembered=True,
    default="1K",
    choices=MappingProxyType({"1K": "1K", "2K": "2K"}),
)


def percent(name: str, title: str, note: str) -> Number:
    """A number from 1 to 100, half by default."""
    return Number(name=name, title=title, help=note, minimum=1, maximum=100, whole=True, default=50)


START_IMAGE = Input(
    role=IMAGE,
    title=gettext_noop("Start image"),
    help=gettext_noop("The result begins with it, cropped to its shape; “Weight” says how much is kept."),
    max_bytes=9 * MIB,
)
EDITED = replace(START_IMAGE, title=gettext_noop("Image"), help="", minimum=1)
MASKED = replace(EDITED, max_bytes=7 * MIB)
PAINTED = Input(
    role=MASK,
    title=gettext_noop("Mask"),
    help=gettext_noop("White is changed, black is kept."),
    minimum=1,
    media_types=("image/png",),
    max_bytes=2 * MIB,
)
STYLE_REFERENCES = Input(
    role=STYLE,
    title=gettext_noop("Images of a style"),
    help=gettext_noop("The result is drawn in their style."),
    maximum=MAX_STYLE_REFERENCES,
    max_bytes=3 * MIB,
)
CHARACTER_REFERENCE = Input(
    role=CHARACTER,
    title=gettext_noop("Character"),
    help=gettext_noop("The person or figure that the result shows."),
    minimum=1,
    max_bytes=9 * MIB,
)


def has_one_kind_of_style(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    """A rule: style codes are well-formed, and go neither with a style of the list nor with images of one."""
    codes = str(parameters.get("style_codes", "")).replace(",", " ").split()
    if not codes:
        return {}
    if len(codes) > MAX_STYLE_CODES or not all(STYLE_CODE.fullmatch(code) for code in codes):
        return {"style_codes": _("Write up to three codes of eight letters and digits, such as AAFF5733.")}
    if "style_type" in parameters or STYLE in roles:
        return {"style_codes": _("Style codes go neither with a style of the list nor with images of one.")}
    return {}
