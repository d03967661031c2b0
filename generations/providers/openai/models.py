"""OpenAI's image models.

Sources: docs/providers/openai.md, "The maker's models", "Generations", "Edits" and "Prices".
"""

from __future__ import annotations

from collections.abc import Mapping

from generations.providers.catalogue.inputs import IMAGE, MASK, MIB, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop
from generations.providers.openai import fields as openai_fields
from generations.providers.openai import sizes

CALL_SECONDS = 300.0  # an answer may take minutes, and is paid for also if nobody waits for it
MAX_IMAGES = 16
IMAGES = Input(
    role=IMAGE,
    title=gettext_noop("Images"),
    help=gettext_noop("What is edited, or combined. A mask is for the first one."),
    maximum=MAX_IMAGES,
    max_bytes=6 * MIB,
    keeps_alpha=True,
)
PAINTED = Input(
    role=MASK,
    title=gettext_noop("Mask"),
    help=gettext_noop("White is changed, black is kept. Without a mask the prompt decides."),
    media_types=("image/png",),
    max_bytes=3 * MIB,
)


# Of a square picture, in hundredths of a US cent. No price of a picture is published: they are counted from
# tokens that others have measured, and for gpt-image-2 one reseller's (docs/providers/openai.md, "Prices").
COSTS_OF_2 = {"low": 200, "medium": 700, "high": 1_900}
COSTS_OF_2_5 = {"low": 59, "medium": 132, "high": 527, "xhigh": 937, "max": 2_107}
COSTS_OF_2_6 = COSTS_OF_2_5 | {"low": 200, "medium": 450}


def _model(
    name: str, title: str, clause: str, *, usual: str, seconds: int, costs: Mapping[str, int]
) -> Model:
    """`costs` are by quality; `usual` is the one that is taken for what the model chooses by itself."""
    qualities = {name: title for name, title in openai_fields.QUALITIES.items() if name in {"auto", *costs}}
    return Model(
        name,
        title,
        clause,
        costs[usual],
        seconds,
        sizes.OF_SHAPES,
        openai_fields.fields_of(qualities),
        languages=(),
        operations=(Operation.GENERATE, Operation.EDIT),
        inputs=(IMAGES, PAINTED),
        rules=(openai_fields.has_a_size_that_is_drawn, openai_fields.has_a_format_that_fits),
        call_seconds=CALL_SECONDS,
        choice_costs={"quality": costs},
    )


MODELS = (
    _model(
        "gpt-image-2.6-sunburst",
        "GPT Image 2.6 Sunburst",
        gettext_noop("Finest detail and edits"),
        usual="high",
        seconds=30,
        costs=COSTS_OF_2_6,
    ),
    _model(
        "gpt-image-2.6-flare",
        "GPT Image 2.6 Flare",
        gettext_noop("Quick, keeps to long texts"),
        usual="high",
        seconds=12,
        costs=COSTS_OF_2_6,
    ),
    _model(
        "gpt-image-2.5-sunburst",
        "GPT Image 2.5 Sunburst",
        gettext_noop("Fine detail, careful edits"),
        usual="high",
        seconds=40,
        costs=COSTS_OF_2_5,
    ),
    _model(
        "gpt-image-2.5-flare",
        "GPT Image 2.5 Flare",
        gettext_noop("Quick and cheap drafts"),
        usual="high",
        seconds=20,
        costs=COSTS_OF_2_5,
    ),
    _model(
        "gpt-image-2",
        "GPT Image 2",
        gettext_noop("Writes text into pictures"),
        usual="medium",
        seconds=40,
        costs=COSTS_OF_2,
    ),
)
