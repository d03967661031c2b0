"""Stability's models, and the declarations of those that generate images from a text.

Sources: docs/providers/stability.md, "Fields", "Models", "Sizes", "Prices", "v1 text to image" and "v1 image
to image".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Field
from generations.providers.catalogue.inputs import IMAGE, MASK, MIB, Input
from generations.providers.catalogue.model import Model
from generations.providers.i18n import gettext_noop
from generations.providers.stability import control, edit, upscale
from generations.providers.stability.fields import (
    FORMAT,
    ONE_MEGAPIXEL,
    ONE_MEGAPIXEL_AND_A_HALF,
    SD16_SIZES,
    SDXL_SIZES,
    SEED,
    SHAPE,
    SHAPE_WITHOUT_IMAGE,
    STYLE,
    WEIGHTED,
    guidance,
    negative_prompt,
    prompt,
    steps,
    strength,
)
from generations.providers.stability.inputs import START_IMAGE

V1_LONGEST_TEXT = 2_000  # characters
V1_LARGEST_SEED = 4_294_967_295
V1_STRENGTH = replace(
    strength(),
    required=False,
    default=0.65,
    suggested=None,
    help=gettext_noop(
        "How far the result may go from the image: 0 keeps it, 1 ignores it. This model's own API counts the "
        "other way; the portal turns it. With a mask it is not used."
    ),
)


def _stable_image(*extra: Field, shape: Field = SHAPE) -> tuple[Field, ...]:
    return (prompt(), negative_prompt(), shape, STYLE, SEED, FORMAT, *extra)


def _sd3(name: str, title: str, clause: str, cost: int, seconds: int, *extra: Field) -> Model:
    fields = _stable_image(*extra, shape=SHAPE_WITHOUT_IMAGE)
    return Model(name, title, clause, cost, seconds, ONE_MEGAPIXEL, fields, inputs=(START_IMAGE,))


def _v1(name: str, title: str, clause: str, *, seconds: int, sizes: Mapping[str, tuple[int, int]]) -> Model:
    fields = (
        prompt(max_length=V1_LONGEST_TEXT),
        negative_prompt(max_length=V1_LONGEST_TEXT),
        WEIGHTED,
        SHAPE_WITHOUT_IMAGE,
        STYLE,
        common_fields.seed(V1_LARGEST_SEED),
        V1_STRENGTH,
        guidance(0, 35, 7),
        steps(),
    )
    start_image = Input(
        role=IMAGE,
        title=gettext_noop("Start image"),
        help=gettext_noop("The result begins with it."),
        max_bytes=4 * MIB,
        sizes=tuple(sizes.values()),
    )
    mask = Input(
        role=MASK,
        title=gettext_noop("Mask"),
        help=gettext_noop(
            "White is drawn anew, black is kept. Without a mask all of the image is drawn anew."
        ),
        media_types=("image/png",),
        max_bytes=4 * MIB,
    )
    return Model(
        name, title, clause, 90, seconds, sizes, fields, included_steps=30, inputs=(start_image, mask)
    )


GENERATE = (
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
        _stable_image(strength()),
        inputs=(START_IMAGE,),
    ),
    _sd3(
        "sd3.5-large",
        "SD 3.5 Large",
        gettext_noop("Keeps to long prompts"),
        650,
        10,
        strength(),
        guidance(1, 10, 4),
    ),
    _sd3(
        "sd3.5-flash",
        "SD 3.5 Flash",
        gettext_noop("Quick drafts and ideas"),
        250,
        4,
        strength(0.95),
        guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-large-turbo",
        "SD 3.5 Turbo",
        gettext_noop("Large, in far less time"),
        400,
        5,
        strength(),
        guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-medium",
        "SD 3.5 Medium",
        gettext_noop("Good balance for the price"),
        350,
        8,
        strength(),
        guidance(1, 10, 4),
    ),
    _v1("sdxl", "SDXL 1.0", gettext_noop("Lowest price, many styles"), seconds=6, sizes=SDXL_SIZES),
    _v1("sd-1.6", "SD 1.6", gettext_noop("Small and cheap drafts"), seconds=4, sizes=SD16_SIZES),
)
MODELS = (*GENERATE, *edit.MODELS, *upscale.MODELS, *control.MODELS)
