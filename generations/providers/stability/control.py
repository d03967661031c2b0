"""Stability's models that take lines, structure or style from an image.

Source: docs/providers/stability.md, "Edit, upscale and control". How long they take is an estimate.
"""

from __future__ import annotations

from dataclasses import replace

from generations.providers.catalogue.fields import Field
from generations.providers.catalogue.inputs import MIB, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop
from generations.providers.stability.fields import (
    FORMAT,
    ONE_MEGAPIXEL,
    SEED,
    SHAPE,
    STYLE,
    fraction,
    negative_prompt,
    prompt,
)
from generations.providers.stability.inputs import BOUND

STYLE_ROLE = "style"
TOGETHER = 9 * MIB // 2  # bytes of each of two images: a request has 10 MiB


def _controlled(strength: Field) -> tuple[Field, ...]:
    return (prompt(), strength, negative_prompt(), STYLE, SEED, FORMAT)


def _strength(note: str) -> Field:
    return fraction("control_strength", gettext_noop("Hold to the image"), 0.7, note=note)


MODELS = (
    Model(
        "sketch",
        "Sketch",
        gettext_noop("Finishes a drawing"),
        500,
        10,
        {},
        _controlled(_strength(gettext_noop("How closely the result follows the lines: 1 keeps them all."))),
        operations=(Operation.SKETCH,),
        inputs=(replace(BOUND, title=gettext_noop("Sketch")),),
    ),
    Model(
        "structure",
        "Structure",
        gettext_noop("Same shapes, new content"),
        500,
        10,
        {},
        _controlled(_strength(gettext_noop("How closely the result follows the structure: 1 keeps it all."))),
        operations=(Operation.STRUCTURE,),
        inputs=(BOUND,),
    ),
    Model(
        "style",
        "Style",
        gettext_noop("Borrows an image's style"),
        500,
        10,
        ONE_MEGAPIXEL,
        (
            prompt(),
            SHAPE,
            fraction(
                "fidelity",
                gettext_noop("Fidelity"),
                0.5,
                note=gettext_noop("How closely the result keeps to the style of the image."),
            ),
            negative_prompt(),
            STYLE,
            SEED,
            FORMAT,
        ),
        operations=(Operation.STYLE,),
        inputs=(replace(BOUND, title=gettext_noop("Image with the style")),),
    ),
    Model(
        "style-transfer",
        gettext_noop("Style transfer"),
        gettext_noop("Repaints in another style"),
        800,
        15,
        {},
        (
            prompt(gettext_noop("What the result shall show. May be left empty."), required=False),
            negative_prompt(),
            fraction(
                "style_strength",
                gettext_noop("Strength of the style"),
                1,
                note=gettext_noop("How much of the style is taken."),
            ),
            fraction(
                "composition_fidelity",
                gettext_noop("Keep the composition"),
                0.9,
                note=gettext_noop("How closely the result keeps to what is where in the image."),
            ),
            fraction(
                "change_strength",
                gettext_noop("Strength of the change"),
                0.9,
                minimum=0.1,
                note=gettext_noop("How far the result may go from the image."),
            ),
            SEED,
            FORMAT,
        ),
        operations=(Operation.STYLE_TRANSFER,),
        inputs=(
            replace(BOUND, max_bytes=TOGETHER),
            Input(
                role=STYLE_ROLE,
                title=gettext_noop("Image with the style"),
                minimum=1,
                max_bytes=TOGETHER,
                min_pixels=BOUND.min_pixels,
                max_pixels=BOUND.max_pixels,
            ),
        ),
    ),
)
