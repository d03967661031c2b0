"""Midjourney's models, and the face swap that its proxies offer beside them.

A call brings one picture: a grid of four, whose quarters are next steps.
Source: docs/providers/midjourney.md, "Addresses", "Parameters of a prompt", "Face swap" and "Prices". How
long they take is an estimate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from generations.providers.base import OutputKind
from generations.providers.catalogue.fields import Choice, Field, Number
from generations.providers.catalogue.inputs import IMAGE, MASK, MIB, REFERENCE, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.midjourney.fields import (
    CHAOS,
    IMAGE_WEIGHT,
    NEGATIVE_PROMPT,
    RAW,
    SEED,
    SHAPE,
    SIZES,
    SPEED,
    STYLIZE,
    TILE,
    WEIRD,
    prompt,
)

# A relay says after an hour that a task has failed; a task can stay unfinished for ever. See "Traps".
TASK_SECONDS = 3_900.0
CALL_SECONDS = 120.0  # a relay waits up to a minute for the proxy behind it
# Prices of the relay's defaults of 2025-04, in hundredths of a US cent; gateways set their own.
IMAGINE_COST, SMALL_COST = 1_000, 500
REGION, ZOOM = "vary-region", "zoom-out"  # next steps that ask for more
# What the relay calls them in its lists of models and prices.
SOLD_AS = {
    "midjourney": ("mj_imagine",),
    "niji-journey": ("mj_imagine",),
    "midjourney-blend": ("mj_blend",),
    "midjourney-describe": ("mj_describe",),
    "midjourney-shorten": ("mj_shorten",),
    "midjourney-region": ("mj_modal",),
    "midjourney-zoom": ("mj_modal",),
    "insight-face-swap": ("swap_face",),
}
LARGER = ("u1", "u2", "u3", "u4", "upscale-2x", "upscale-4x", "upscale-subtle", "upscale-creative")
STEP_COSTS = MappingProxyType(dict.fromkeys(LARGER, SMALL_COST))
STEP_HELP = MappingProxyType(
    {
        "u1": gettext_noop("Picture 1 at full size"),
        "u2": gettext_noop("Picture 2 at full size"),
        "u3": gettext_noop("Picture 3 at full size"),
        "u4": gettext_noop("Picture 4 at full size"),
        "v1": gettext_noop("Four variations of picture 1"),
        "v2": gettext_noop("Four variations of picture 2"),
        "v3": gettext_noop("Four variations of picture 3"),
        "v4": gettext_noop("Four variations of picture 4"),
    }
)
ANY_LANGUAGE: tuple[str, ...] = ()  # Midjourney reads English best, and proxies translate what is not
FACE = "face"  # a role
DIMENSIONS = {
    "SQUARE": gettext_noop("Square"),
    "PORTRAIT": gettext_noop("Portrait"),
    "LANDSCAPE": gettext_noop("Landscape"),
}

# All images of a request go in one JSON text, of which gateways take some 10 MB; base64 adds a third.
REFERENCES = Input(
    role=REFERENCE,
    title=gettext_noop("Reference images"),
    help=gettext_noop("Midjourney takes their subject and look as a part of the prompt."),
    maximum=4,
    max_bytes=3 * MIB // 2,
)
BLENDED = Input(
    role=IMAGE,
    title=gettext_noop("Images"),
    help=gettext_noop("Two to five images that become one."),
    minimum=2,
    maximum=5,
    max_bytes=5 * MIB // 4,
)
CONTINUED = Input(
    role=IMAGE,
    title=gettext_noop("Image"),
    help=gettext_noop("A picture of Midjourney at its full size, from the library."),
    minimum=1,
    max_bytes=7 * MIB,
)
READ = Input(role=IMAGE, title=gettext_noop("Image"), minimum=1, max_bytes=4 * MIB)


def _has_references(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    if IMAGE_WEIGHT.name in parameters and REFERENCE not in roles:
        return {IMAGE_WEIGHT.name: _("Only with reference images.")}
    return {}


def _imagine(name: str, title: str, clause: str, *fields: Field) -> Model:
    return Model(
        name,
        title,
        clause,
        IMAGINE_COST,
        60,
        SIZES,
        (prompt(), NEGATIVE_PROMPT, SHAPE, *fields, SPEED),
        inputs=(REFERENCES,),
        rules=(_has_references,),
        languages=ANY_LANGUAGE,
        call_seconds=CALL_SECONDS,
        task_seconds=TASK_SECONDS,
        step_costs=STEP_COSTS,
        step_help=STEP_HELP,
    )


def _continuing(name: str, title: str, clause: str, step: str, *fields: Field, operation: Operation) -> Model:
    """A next step of a picture that Midjourney has enlarged, with what its window asks for."""
    mask = Input(
        role=MASK,
        title=gettext_noop("Mask"),
        help=gettext_noop("White is drawn anew, black is kept."),
        minimum=1,
        media_types=("image/png",),
        max_bytes=2 * MIB,
    )
    return Model(
        name,
        title,
        clause,
        IMAGINE_COST,
        60,
        {},
        (prompt(), *fields, SPEED),
        operations=(operation,),
        inputs=(CONTINUED, mask) if operation is Operation.EDIT else (CONTINUED,),
        languages=ANY_LANGUAGE,
        call_seconds=CALL_SECONDS,
        task_seconds=TASK_SECONDS,
        step_costs=STEP_COSTS,
        step_help=STEP_HELP,
        continues=step,
    )


IMAGINE = (
    _imagine(
        "midjourney",
        "Midjourney",
        gettext_noop("Four pictures to go on with"),
        STYLIZE,
        CHAOS,
        WEIRD,
        RAW,
        TILE,
        IMAGE_WEIGHT,
        SEED,
    ),
    _imagine(
        "niji-journey",
        "Niji Journey",
        gettext_noop("Anime and illustration"),
        STYLIZE,
        CHAOS,
        RAW,
        IMAGE_WEIGHT,
        SEED,
    ),
)
_MODELS = (
    *IMAGINE,
    Model(
        "midjourney-blend",
        "Midjourney Blend",
        gettext_noop("Makes one of two to five"),
        IMAGINE_COST,
        60,
        {},
        (
            Choice(
                name="dimensions",
                title=gettext_noop("Shape"),
                default="SQUARE",
                choices=MappingProxyType(DIMENSIONS),
            ),
            SPEED,
        ),
        operations=(Operation.BLEND,),
        inputs=(BLENDED,),
        languages=ANY_LANGUAGE,
        call_seconds=CALL_SECONDS,
        task_seconds=TASK_SECONDS,
        step_costs=STEP_COSTS,
        step_help=STEP_HELP,
    ),
    _continuing(
        "midjourney-region",
        "Midjourney Vary Region",
        gettext_noop("Redraws what you paint"),
        REGION,
        operation=Operation.EDIT,
    ),
    _continuing(
        "midjourney-zoom",
        "Midjourney Zoom",
        gettext_noop("Shows more around it"),
        ZOOM,
        Number(
            name="zoom",
            title=gettext_noop("Zoom"),
            help=gettext_noop("How much smaller the picture becomes: 2 shows twice as much."),
            minimum=1,
            maximum=2,
            step=0.1,
            default=2,
        ),
        operation=Operation.OUTPAINT,
    ),
    Model(
        "midjourney-describe",
        "Midjourney Describe",
        gettext_noop("Four prompts for an image"),
        SMALL_COST,
        20,
        {},
        (),
        operations=(Operation.DESCRIBE,),
        inputs=(READ,),
        output=OutputKind.TEXT,
        languages=ANY_LANGUAGE,
        call_seconds=CALL_SECONDS,
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "midjourney-shorten",
        "Midjourney Shorten",
        gettext_noop("What counts in a prompt"),
        IMAGINE_COST,
        20,
        {},
        (prompt(gettext_noop("The text of which Midjourney says what it reads, and shorter ones.")),),
        operations=(Operation.SHORTEN,),
        output=OutputKind.TEXT,
        languages=ANY_LANGUAGE,
        call_seconds=CALL_SECONDS,
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "insight-face-swap",
        "InsightFace Swap",
        gettext_noop("Puts a face into an image"),
        SMALL_COST,
        30,
        {},
        (),
        operations=(Operation.SWAP_FACE,),
        inputs=(
            replace(READ, help=gettext_noop("The picture that gets the face."), max_bytes=3 * MIB),
            Input(
                role=FACE,
                title=gettext_noop("Face"),
                help=gettext_noop("A picture of the face that is put in."),
                minimum=1,
                max_bytes=3 * MIB,
            ),
        ),
        languages=ANY_LANGUAGE,
        call_seconds=CALL_SECONDS,
        task_seconds=TASK_SECONDS,
    ),
)
MODELS = tuple(replace(model, sold_as=SOLD_AS[model.name]) for model in _MODELS)
