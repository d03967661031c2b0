"""FLUX.2: from a text, or from a text and images; priced by megapixels, going in and coming out.

Source: docs/providers/flux.md, "Models and prices"; prices were read on 2026-11-29.
"""

from __future__ import annotations

from types import MappingProxyType

from generations.providers.bfl.fields import (
    ANY_LANGUAGE,
    MEGAPIXEL,
    SEED,
    UPSAMPLING,
    edited,
    guidance,
    output_format,
    prompt,
    references,
    safety_tolerance,
    shape,
    sizes,
    steps,
)
from generations.providers.bfl.flux1 import TASK_SECONDS
from generations.providers.catalogue.fields import Choice, Field
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop

MEGAPIXELS = ("1", "2", "4")
FIELDS: tuple[Field, ...] = (
    prompt(gettext_noop("What shall be drawn, or what shall change in the image.")),
    shape(may_be_automatic=True),
    Choice(
        name="megapixels",
        title=gettext_noop("Megapixels"),
        help=gettext_noop("How large the picture is. Each further megapixel costs more."),
        remembered=True,
        default="1",
        choices=MappingProxyType({"1": "1 MP", "2": "2 MP", "4": "4 MP"}),
    ),
    SEED,
    safety_tolerance(5),
    output_format(),
)


def _model(
    name: str,
    title: str,
    clause: str,
    cost: int,
    *extra: Field,
    megapixel: int,
    seconds: int,
    images: int = 8,
) -> Model:
    """A model whose further megapixels cost `megapixel`: an image has one at most, so it costs as much."""
    return Model(
        name,
        title,
        clause,
        cost,
        seconds,
        sizes(MEGAPIXEL, step=16),
        (*FIELDS, *extra),
        operations=(Operation.GENERATE, Operation.EDIT),
        inputs=(edited(max_pixels=MEGAPIXEL), references(images - 1, max_pixels=MEGAPIXEL)),
        choice_costs={"megapixels": {count: cost + (int(count) - 1) * megapixel for count in MEGAPIXELS}},
        image_cost=megapixel,
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    )


MODELS = (
    _model(
        "flux-2-pro", "FLUX.2 [pro]", gettext_noop("Fast, and true to images"), 300, megapixel=150, seconds=10
    ),
    _model("flux-2-max", "FLUX.2 [max]", gettext_noop("The best of FLUX.2"), 700, megapixel=300, seconds=20),
    _model(
        "flux-2-flex",
        "FLUX.2 [flex]",
        gettext_noop("Fine control, clear letters"),
        500,
        steps(50),
        guidance(1.5, 10, 5),
        UPSAMPLING,
        megapixel=500,
        seconds=15,
    ),
    _model(
        "flux-2-klein-9b",
        "FLUX.2 [klein] 9B",
        gettext_noop("In a second, at a low price"),
        150,
        megapixel=20,
        seconds=3,
        images=4,
    ),
    _model(
        "flux-2-klein-4b",
        "FLUX.2 [klein] 4B",
        gettext_noop("The fastest and cheapest"),
        140,
        megapixel=10,
        seconds=3,
        images=4,
    ),
)
