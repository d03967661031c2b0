"""The fields of OpenAI's image models, and what must hold between them.

Source: docs/providers/openai.md, "Generations" and "Edits".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue.fields import Choice, Field, Group, Number, Text, When
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.openai import sizes

QUALITIES = {
    "auto": gettext_noop("Automatic"),
    "low": gettext_noop("Low"),
    "medium": gettext_noop("Medium"),
    "high": gettext_noop("High"),
    "xhigh": gettext_noop("Very high"),
    "max": gettext_noop("Highest"),
}
TRANSPARENT = "transparent"
WITH_ALPHA = ("png", "webp")  # formats
COMPRESSED = ("jpeg", "webp")
SVG = "svg"

PROMPT = Text(
    name="prompt",
    title=gettext_noop("Prompt"),
    help=gettext_noop("What shall be drawn, or what shall change. Any language."),
    required=True,
    min_length=1,
    max_length=32_000,
)
SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    label="Aspect ratio",
    default="1:1",
    remembered=True,
    when=When.WITHOUT_IMAGE,
    choices=MappingProxyType({shape: shape for shape in sizes.OF_SHAPES}),
)
SIZE = Text(
    name="size",
    title=gettext_noop("Exact size"),
    label="Requested size",
    help=gettext_noop(
        "Such as 2048x1152, instead of a shape. Both sides are multiples of 16, at most 3840, the longer one "
        "at most three times the shorter. Without it the size of an edit is chosen by the model."
    ),
    group=Group.MORE,
    max_length=sizes.LONGEST,
)
QUALITY = Choice(
    name="quality",
    title=gettext_noop("Quality"),
    help=gettext_noop("Higher takes longer and costs more."),
    default="auto",
    remembered=True,
    choices=MappingProxyType(QUALITIES),
)
BACKGROUND = Choice(
    name="background",
    title=gettext_noop("Background"),
    group=Group.MORE,
    default="auto",
    choices=MappingProxyType(
        {
            "auto": gettext_noop("Automatic"),
            "opaque": gettext_noop("Opaque"),
            TRANSPARENT: gettext_noop("Transparent"),
        }
    ),
)
FORMAT = Choice(
    name="output_format",
    title=gettext_noop("Format"),
    group=Group.MORE,
    default="png",
    remembered=True,
    help=gettext_noop("SVG, a drawing of lines and areas, is for accounts that OpenAI has let in."),
    choices=MappingProxyType({"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "svg": "SVG"}),
)
COMPRESSION = Number(
    name="output_compression",
    title=gettext_noop("File quality"),
    label="Output compression",
    help=gettext_noop("Of JPEG and WebP: 100 is the best and the largest file."),
    group=Group.MORE,
    minimum=0,
    maximum=100,
    whole=True,
    default=100,
)
MODERATION = Choice(
    name="moderation",
    title=gettext_noop("Moderation"),
    help=gettext_noop("How strictly OpenAI filters what is drawn."),
    group=Group.MORE,
    default="auto",
    choices=MappingProxyType({"auto": gettext_noop("Usual"), "low": gettext_noop("Less strict")}),
)


def fields_of(qualities: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the fields of a model with these qualities."""
    quality = replace(QUALITY, choices=MappingProxyType(dict(qualities)))
    return (PROMPT, SHAPE, quality, SIZE, BACKGROUND, FORMAT, COMPRESSION, MODERATION)


def has_a_size_that_is_drawn(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    """An exact size must be one that the models draw."""
    text = parameters.get(SIZE.name, sizes.AUTO)
    size = sizes.parse(text)
    if text == sizes.AUTO or (size and sizes.is_taken(size)):
        return {}
    return {
        SIZE.name: _(
            "Write a size such as 2048x1152: both sides multiples of 16 and at most 3840, the longer one at "
            "most three times the shorter, and 0.7 to 8.3 megapixels in all."
        )
    }


def has_a_format_that_fits(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    """Transparency needs a format that has it, only compressed ones have a quality, and SVG is drawn anew."""
    chosen, errors = parameters.get(FORMAT.name, FORMAT.default), {}
    if parameters.get(BACKGROUND.name) == TRANSPARENT and chosen not in WITH_ALPHA:
        errors[FORMAT.name] = _("Choose PNG or WebP for a transparent background.")
    if chosen == SVG and roles:
        errors[FORMAT.name] = _("SVG is drawn from a prompt alone: choose another format, or no images.")
    if COMPRESSION.name in parameters and chosen not in COMPRESSED:
        errors[COMPRESSION.name] = _("Choose JPEG or WebP to set a file quality.")
    return errors
