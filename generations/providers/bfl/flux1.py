"""FLUX.1: from a text, and what fills or extends a picture.

Source: docs/providers/flux.md, "Models and prices"; prices were read on 2026-11-29.
"""

from __future__ import annotations

from dataclasses import replace

from generations.providers.bfl.fields import (
    ANY_LANGUAGE,
    IMAGE_BYTES,
    MEGAPIXEL,
    SEED,
    UPSAMPLING,
    guidance,
    output_format,
    prompt,
    safety_tolerance,
    shape,
    sizes,
    steps,
)
from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Flag, Group, Number, When
from generations.providers.catalogue.inputs import IMAGE, MASK, MIB, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop

TASK_SECONDS = 900.0  # they take seconds, and results are kept for ten minutes
TOLERANCE = safety_tolerance(6)
# Sides that `flux-pro-1.1` and `flux-dev` take: multiples of 32 from 256 to 1440.
SIZES = sizes(MEGAPIXEL, step=32, longest=1_440)
FOUR_MEGAPIXELS = sizes(4 * MEGAPIXEL, step=32)  # of `flux-pro-1.1-ultra`, for display: no table is published
PROMPT_IMAGE = Input(
    role=IMAGE,
    title=gettext_noop("Image prompt"),
    help=gettext_noop("The result takes up what it shows and how it looks, beside the words."),
    max_pixels=4 * MEGAPIXEL,
    max_bytes=IMAGE_BYTES,
)
EDITED = Input(
    role=IMAGE,
    title=gettext_noop("Image"),
    minimum=1,
    max_pixels=4 * MEGAPIXEL,
    max_bytes=IMAGE_BYTES,
)
EDITED_WITH_ALPHA = replace(EDITED, keeps_alpha=True)
PAINTED = Input(
    role=MASK,
    title=gettext_noop("Mask"),
    help=gettext_noop("White is changed, black is kept. Without a mask what is transparent is changed."),
    is_needed_unless_transparent=True,
    media_types=("image/png",),
    max_bytes=2 * MIB,
)
RAW = Flag(
    name="raw",
    title=gettext_noop("Raw"),
    help=gettext_noop("Less processed, more like a photo taken in passing."),
    group=Group.MORE,
    remembered=True,
)
IMAGE_STRENGTH = Number(
    name="image_prompt_strength",
    title=gettext_noop("Strength of the image"),
    help=gettext_noop("How much the image decides, beside the words."),
    group=Group.IMAGE,
    when=When.WITH_IMAGE,
    minimum=0,
    maximum=1,
    step=0.05,
    default=0.1,
)


MODELS = (
    Model(
        "flux-pro-1.1",
        "FLUX 1.1 [pro]",
        gettext_noop("Fast, good at any subject"),
        400,
        6,
        SIZES,
        (prompt(), shape(), UPSAMPLING, SEED, TOLERANCE, output_format()),
        inputs=(PROMPT_IMAGE,),
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "flux-pro-1.1-ultra",
        "FLUX 1.1 [pro] Ultra",
        gettext_noop("Four megapixels"),
        600,
        10,
        FOUR_MEGAPIXELS,
        (prompt(), shape(default="16:9"), IMAGE_STRENGTH, RAW, UPSAMPLING, SEED, TOLERANCE, output_format()),
        inputs=(PROMPT_IMAGE,),
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "flux-dev",
        "FLUX.1 [dev]",
        gettext_noop("Low price, for drafts"),
        250,  # at a reseller, 2025
        6,
        SIZES,
        (
            prompt(),
            shape(),
            steps(28),
            guidance(1.5, 5, 3),
            UPSAMPLING,
            SEED,
            TOLERANCE,
            output_format(),
        ),
        inputs=(PROMPT_IMAGE,),
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "flux-pro-1.0-fill",
        "FLUX.1 Fill [pro]",
        gettext_noop("Redraws what you paint"),
        500,
        12,
        {},
        (
            prompt(gettext_noop("What the painted part shall show."), required=False),
            steps(50, minimum=15),
            guidance(1.5, 100, 60),
            UPSAMPLING,
            SEED,
            TOLERANCE,
            output_format(),
        ),
        operations=(Operation.EDIT,),
        inputs=(EDITED_WITH_ALPHA, PAINTED),
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    ),
    Model(
        "flux-pro-1.0-expand",
        "FLUX.1 Expand [pro]",
        gettext_noop("Draws beyond the edges"),
        500,  # its price is not known; that of filling a part
        12,
        {},
        (
            *common_fields.sides(2_048),
            prompt(gettext_noop("What the new parts shall show. May be left empty."), required=False),
            SEED,
            TOLERANCE,
            output_format(),
        ),
        operations=(Operation.OUTPAINT,),
        inputs=(EDITED,),
        rules=(common_fields.extends_a_side,),
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    ),
)
