"""Stability's models that change a part of an image, or what is around it.

Source: docs/providers/stability.md, "Edit, upscale and control". How long they take is an estimate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Flag, Group, Text
from generations.providers.catalogue.inputs import MIB, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.stability.fields import (
    FORMAT,
    FORMATS,
    LONGEST_TEXT,
    SEED,
    STYLE,
    fraction,
    grow_mask,
    negative_prompt,
    prompt,
)
from generations.providers.stability.inputs import BOUND, EDITED, MASKED, PAINTED

TASK_SECONDS = 3600.0  # results are kept for 24 hours: docs/providers/stability.md, "Results that come later"
LIGHT_SIDES: Mapping[str, str] = MappingProxyType(
    {
        "left": gettext_noop("From the left"),
        "right": gettext_noop("From the right"),
        "above": gettext_noop("From above"),
        "below": gettext_noop("From below"),
    }
)
BACKGROUND, LIGHT = "background_reference", "light_reference"  # roles
SUBJECT_BYTES, REFERENCE_BYTES = 4 * MIB, 5 * MIB // 2  # of the 10 MiB of a request, for one and two images


def _named(name: str, title: str, note: str) -> Text:
    """The words by which something is found in the image."""
    return Text(name=name, title=title, help=note, required=True, min_length=1, max_length=LONGEST_TEXT)


def _has_background_and_light(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    errors = {}
    if "background_prompt" not in parameters and BACKGROUND not in roles:
        errors["background_prompt"] = _("Describe the new background, or add an image of it.")
    has_light = "light_source_direction" in parameters or LIGHT in roles
    if "light_source_strength" in parameters and not has_light:
        errors["light_source_strength"] = _(
            "Choose where the light comes from, or add an image of the light."
        )
    return errors


MODELS = (
    Model(
        "inpaint",
        "Inpaint",
        gettext_noop("Redraws what you paint"),
        500,
        10,
        {},
        (
            prompt(gettext_noop("What the painted part shall show.")),
            negative_prompt(),
            STYLE,
            SEED,
            FORMAT,
            grow_mask(100, 5),
        ),
        operations=(Operation.EDIT,),
        inputs=(MASKED, PAINTED),
    ),
    Model(
        "outpaint",
        "Outpaint",
        gettext_noop("Draws beyond the edges"),
        400,
        12,
        {},
        (
            *common_fields.sides(2_000),
            prompt(gettext_noop("What the new parts shall show. May be left empty."), required=False),
            fraction(
                "creativity",
                gettext_noop("Creativity"),
                0.5,
                note=gettext_noop("How far the new parts may go from what the image shows."),
            ),
            STYLE,
            SEED,
            FORMAT,
        ),
        operations=(Operation.OUTPAINT,),
        inputs=(replace(BOUND, keeps_alpha=True),),
        rules=(common_fields.extends_a_side,),
    ),
    Model(
        "erase",
        "Erase",
        gettext_noop("Takes out what you paint"),
        500,
        8,
        {},
        (SEED, FORMAT, grow_mask(20, 5)),
        operations=(Operation.ERASE,),
        inputs=(MASKED, PAINTED),
    ),
    Model(
        "remove-background",
        gettext_noop("Remove background"),
        gettext_noop("Cuts out the subject"),
        500,
        5,
        {},
        (replace(FORMAT, choices=MappingProxyType({name: FORMATS[name] for name in ("png", "webp")})),),
        operations=(Operation.REMOVE_BACKGROUND,),
        inputs=(replace(EDITED, max_pixels=4_194_304),),
    ),
    Model(
        "replace-background-and-relight",
        gettext_noop("Replace background and relight"),
        gettext_noop("New background, new light"),
        800,
        30,
        {},
        (
            Text(
                name="background_prompt",
                title=gettext_noop("New background"),
                help=gettext_noop("What the new background shall show, unless an image shows it."),
                max_length=LONGEST_TEXT,
            ),
            Text(
                name="foreground_prompt",
                title=gettext_noop("Subject"),
                help=gettext_noop("What the subject is, so that the background does not change it."),
                max_length=LONGEST_TEXT,
            ),
            negative_prompt(),
            Choice(
                name="light_source_direction",
                title=gettext_noop("Direction of the light"),
                choices=LIGHT_SIDES,
            ),
            fraction(
                "light_source_strength",
                gettext_noop("Strength of the light"),
                0.3,
                note=gettext_noop("Only with a direction or an image of the light."),
            ),
            fraction(
                "preserve_original_subject",
                gettext_noop("Keep the subject"),
                0.6,
                note=gettext_noop("How much of the subject stays as it is: 1 keeps every pixel."),
                group=Group.MORE,
            ),
            fraction(
                "original_background_depth",
                gettext_noop("Depth of the background"),
                0.5,
                note=gettext_noop("How much the new background has the depth of the old one."),
                group=Group.MORE,
            ),
            Flag(
                name="keep_original_background",
                title=gettext_noop("Keep the background"),
                help=gettext_noop("Only the light changes."),
                group=Group.MORE,
            ),
            SEED,
            FORMAT,
        ),
        operations=(Operation.RELIGHT,),
        inputs=(
            replace(BOUND, max_bytes=SUBJECT_BYTES),
            Input(
                role=BACKGROUND,
                title=gettext_noop("Image of the background"),
                max_bytes=REFERENCE_BYTES,
                min_pixels=EDITED.min_pixels,
                max_pixels=EDITED.max_pixels,
            ),
            Input(
                role=LIGHT,
                title=gettext_noop("Image of the light"),
                help=gettext_noop("The light of this image is used."),
                max_bytes=REFERENCE_BYTES,
                min_pixels=EDITED.min_pixels,
                max_pixels=EDITED.max_pixels,
            ),
        ),
        rules=(_has_background_and_light,),
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "search-and-replace",
        gettext_noop("Search and replace"),
        gettext_noop("Swaps a thing you name"),
        500,
        12,
        {},
        (
            _named(
                "search_prompt",
                gettext_noop("What to replace"),
                gettext_noop("The thing in the image, in a few words."),
            ),
            prompt(gettext_noop("What shall be there instead.")),
            negative_prompt(),
            STYLE,
            SEED,
            FORMAT,
            grow_mask(20, 3),
        ),
        operations=(Operation.REPLACE,),
        inputs=(BOUND,),
    ),
    Model(
        "search-and-recolor",
        gettext_noop("Search and recolor"),
        gettext_noop("Recolors a thing you name"),
        500,
        12,
        {},
        (
            _named(
                "select_prompt",
                gettext_noop("What to recolor"),
                gettext_noop("The thing in the image, in a few words."),
            ),
            prompt(gettext_noop("Which color it shall have.")),
            negative_prompt(),
            STYLE,
            SEED,
            FORMAT,
            grow_mask(20, 3),
        ),
        operations=(Operation.RECOLOR,),
        inputs=(BOUND,),
    ),
)
