"""FLUX 3, whose API takes no field that it does not know: no seed, no size in pixels, no format.

Source: docs/providers/flux.md, "FLUX 3".
"""

from __future__ import annotations

from types import MappingProxyType

from generations.providers.bfl.fields import (
    ANY_LANGUAGE,
    MEGAPIXEL,
    edited,
    prompt,
    references,
    safety_tolerance,
    shape,
    sizes,
)
from generations.providers.catalogue.fields import Choice, Flag, Group
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop

TASK_SECONDS = 1_800.0  # it thinks first; results are kept for an hour
SHAPES = (
    "21:9",
    "2:1",
    "16:9",
    "3:2",
    "7:5",
    "4:3",
    "5:4",
    "1:1",
    "4:5",
    "3:4",
    "5:7",
    "2:3",
    "9:16",
    "1:2",
    "9:21",
)
RESOLUTIONS = {"768sq": "768", "1k": "1K", "1.5k": "1.5K", "2k": "2K", "4k": "4K"}

MODELS = (
    Model(
        "flux-3-image",
        "FLUX 3",
        gettext_noop("Thinks before it draws"),
        # No official price: what APIMart asked on 2026-11-29, for a size without one that of the next larger.
        380,
        25,
        sizes(MEGAPIXEL, step=16, shapes=SHAPES),
        (
            prompt(gettext_noop("What shall be drawn, or what shall change in the images.")),
            shape(SHAPES, may_be_automatic=True),
            Choice(
                name="resolution",
                title=gettext_noop("Resolution"),
                help=gettext_noop("How large the picture is. Larger ones cost more."),
                remembered=True,
                default="1k",
                choices=MappingProxyType(RESOLUTIONS),
            ),
            Flag(
                name="grounding",
                title=gettext_noop("Grounding"),
                help=gettext_noop("The model may look up what the prompt speaks of."),
                group=Group.MORE,
                remembered=True,
            ),
            safety_tolerance(4),
        ),
        operations=(Operation.GENERATE, Operation.EDIT),
        inputs=(
            edited(min_side=256),
            references(9, min_side=256),
        ),
        choice_costs={"resolution": {"1.5k": 800, "2k": 800, "4k": 4_900}},
        languages=ANY_LANGUAGE,
        task_seconds=TASK_SECONDS,
    ),
)
