"""FLUX.1 Kontext: changes a picture by words, or draws from words alone.

Source: docs/providers/flux.md, "Models and prices"; prices were read on 2026-11-29. Their maker calls them
deprecated, and still serves them.
"""

from __future__ import annotations

from generations.providers.bfl.fields import (
    ANY_LANGUAGE,
    MEGAPIXEL,
    SEED,
    UPSAMPLING,
    edited,
    output_format,
    prompt,
    references,
    safety_tolerance,
    shape,
    sizes,
)
from generations.providers.bfl.flux1 import TASK_SECONDS
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop

FIELDS = (
    prompt(gettext_noop("What shall change, or what shall be drawn.")),
    shape(may_be_automatic=True),
    UPSAMPLING,
    SEED,
    safety_tolerance(6),
    output_format("png"),
)
INPUTS = (edited(max_pixels=4 * MEGAPIXEL), references(3, max_pixels=4 * MEGAPIXEL))


def _model(
    name: str, title: str, clause: str, cost: int, seconds: int, *, max_in_flight: int | None = None
) -> Model:
    return Model(
        name,
        title,
        clause,
        cost,
        seconds,
        sizes(MEGAPIXEL, step=16),
        FIELDS,
        operations=(Operation.EDIT, Operation.GENERATE),
        inputs=INPUTS,
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
        max_in_flight=max_in_flight,
    )


MODELS = (
    _model("flux-kontext-pro", "FLUX.1 Kontext [pro]", gettext_noop("Changes images by words"), 400, 8),
    _model(
        "flux-kontext-max",
        "FLUX.1 Kontext [max]",
        gettext_noop("Best with text in images"),
        800,
        10,
        max_in_flight=6,
    ),
)
