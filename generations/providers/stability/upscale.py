"""Stability's models that make an image larger.

Source: docs/providers/stability.md, "Edit, upscale and control". How long they take is an estimate.
"""

from __future__ import annotations

from dataclasses import replace

from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop
from generations.providers.stability.edit import TASK_SECONDS
from generations.providers.stability.fields import FORMAT, SEED, STYLE, fraction, negative_prompt, prompt
from generations.providers.stability.inputs import BOUND, EDITED

SHOWN = gettext_noop("What the image shows.")
ONE_MEGAPIXEL = 1_048_576

MODELS = (
    Model(
        "upscale-fast",
        gettext_noop("Fast upscale"),
        gettext_noop("Four times as wide, fast"),
        200,
        4,
        {},
        (FORMAT,),
        operations=(Operation.UPSCALE,),
        inputs=(replace(EDITED, min_side=32, max_side=1_536, min_pixels=1_024, max_pixels=ONE_MEGAPIXEL),),
    ),
    Model(
        "upscale-conservative",
        gettext_noop("Conservative upscale"),
        gettext_noop("To 4 megapixels, faithful"),
        4_000,
        30,
        {},
        (
            prompt(SHOWN),
            negative_prompt(),
            fraction(
                "creativity",
                gettext_noop("Creativity"),
                0.35,
                minimum=0.2,
                maximum=0.5,
                note=gettext_noop("How much new detail may be added."),
            ),
            SEED,
            FORMAT,
        ),
        operations=(Operation.UPSCALE,),
        inputs=(BOUND,),
    ),
    Model(
        "upscale-creative",
        gettext_noop("Creative upscale"),
        gettext_noop("Adds detail to poor images"),
        6_000,
        60,
        {},
        (
            prompt(SHOWN),
            negative_prompt(),
            fraction(
                "creativity",
                gettext_noop("Creativity"),
                0.3,
                minimum=0.1,
                maximum=0.5,
                note=gettext_noop("How much new detail may be added."),
            ),
            STYLE,
            SEED,
            FORMAT,
        ),
        operations=(Operation.UPSCALE,),
        inputs=(replace(EDITED, max_pixels=ONE_MEGAPIXEL),),
        task_seconds=TASK_SECONDS,
    ),
)
