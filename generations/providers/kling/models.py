"""Kling's models of images.

Sources: docs/providers/kling.md, "Addresses and keys", "Fields" and "Prices". Sizes and times are estimates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Field, Group, Number, Text, When
from generations.providers.catalogue.inputs import IMAGE, MIB, REFERENCE, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop

HUNDREDTHS_OF_A_CENT = 35  # for a unit, .0035 USD
TASK_SECONDS = 1_800.0  # a picture takes less than a minute; results are kept for 30 days
LONGEST_TEXT = 2_500  # characters
NO_COSTS: Mapping[str, Mapping[str, int]] = MappingProxyType({})
MAX_REFERENCES = 10
SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "21:9": (1568, 672),
        "16:9": (1360, 768),
        "3:2": (1248, 832),
        "4:3": (1184, 880),
        "1:1": (1024, 1024),
        "3:4": (880, 1184),
        "2:3": (832, 1248),
        "9:16": (768, 1360),
    }
)

SIDE_NOTE = gettext_noop(
    "By how many pixels the image is extended on this side: at most twice its own length, and to three times "
    "the area in all."
)
PROMPT = Text(
    name="prompt", title=gettext_noop("Prompt"), required=True, min_length=1, max_length=LONGEST_TEXT
)
NEGATIVE_PROMPT = Text(
    name="negative_prompt",
    title=gettext_noop("Negative prompt"),
    max_length=LONGEST_TEXT,
    when=When.WITHOUT_IMAGE,
)
SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    label="Aspect ratio",
    default="16:9",
    remembered=True,
    choices=MappingProxyType({shape: shape for shape in SIZES}),
)
ANY_SHAPE = replace(SHAPE, default="auto", choices={"auto": gettext_noop("Auto"), **SHAPE.choices})
RESOLUTION = Choice(
    name="resolution",
    title=gettext_noop("Resolution"),
    group=Group.MORE,
    remembered=True,
    default="1k",
    choices=MappingProxyType({"1k": "1K", "2k": "2K"}),
)
OMNI_RESOLUTION = replace(RESOLUTION, choices=MappingProxyType({"1k": "1K", "2k": "2K", "4k": "4K"}))
OMNI_COSTS = {"resolution": {"4k": 16 * HUNDREDTHS_OF_A_CENT}}
SERIES_COSTS = {str(amount): amount * 8 * HUNDREDTHS_OF_A_CENT for amount in range(2, 10)}
SERIES_AMOUNT = Choice(
    name="series_amount",
    title=gettext_noop("Pictures of the series"),
    required=True,
    default="4",
    choices=MappingProxyType({amount: amount for amount in SERIES_COSTS}),
)
FIDELITY = Number(
    name="image_fidelity",
    title=gettext_noop("Likeness to the image"),
    help=gettext_noop("How much the result is like the image: 0 little, 1 very much."),
    group=Group.IMAGE,
    when=When.WITH_IMAGE,
    minimum=0,
    maximum=1,
    step=0.05,
    default=0.5,
)
SUBJECT = Choice(
    name="image_reference",
    title=gettext_noop("Taken from the image"),
    group=Group.IMAGE,
    required=True,
    when=When.WITH_IMAGE,
    choices=MappingProxyType({"subject": gettext_noop("The subject"), "face": gettext_noop("The face")}),
)
HUMAN_FIDELITY = replace(
    FIDELITY,
    name="human_fidelity",
    title=gettext_noop("Likeness of the face"),
    help=gettext_noop(
        "Only with the subject of an image: how much a person's face is like that of the image."
    ),
    default=0.45,
)
START_IMAGE = Input(
    role=IMAGE,
    title=gettext_noop("Image"),
    help=gettext_noop("The result follows it; “Likeness” says how much."),
    media_types=("image/jpeg", "image/png"),
    min_side=300,
    max_ratio=2.5,
)
REFERENCES = replace(
    START_IMAGE,
    role=REFERENCE,
    title=gettext_noop("Images"),
    help=gettext_noop("The text speaks of them as <<<image_1>>>, <<<image_2>>> and so on."),
    maximum=MAX_REFERENCES,
    max_bytes=9 * MIB // MAX_REFERENCES,
)


def _face_without_body(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    if "human_fidelity" in parameters and parameters.get("image_reference") != "subject":
        return {"human_fidelity": _("This goes with the subject of an image only.")}
    return {}


def _model(
    name: str,
    title: str,
    clause: str,
    units: int,
    *extra: Field,
    inputs: tuple[Input, ...] = (),
    shape: Choice = SHAPE,
    rules: tuple[Any, ...] = (),
    choice_costs: Mapping[str, Mapping[str, int]] = NO_COSTS,
) -> Model:
    negative = () if shape is ANY_SHAPE else (NEGATIVE_PROMPT,)
    return Model(
        name,
        title,
        clause,
        units * HUNDREDTHS_OF_A_CENT,
        24,
        SIZES,
        (PROMPT, *negative, shape, *extra),
        languages=(),
        inputs=inputs,
        rules=rules,
        task_seconds=TASK_SECONDS,
        choice_costs=choice_costs,
    )


# No prices of v1, v1.5, v2 and of expanding were found (2026-11-29): those of v2.1 and v3 stand for them.
MODELS = (
    _model(
        "kling-v3",
        "Kling 3",
        gettext_noop("People and scenes as filmed"),
        8,
        RESOLUTION,
        FIDELITY,
        inputs=(START_IMAGE,),
    ),
    _model(
        "kling-v3-omni",
        "Kling 3 Omni",
        gettext_noop("From text and many images"),
        8,
        OMNI_RESOLUTION,
        inputs=(REFERENCES,),
        shape=ANY_SHAPE,
        choice_costs=OMNI_COSTS,
    ),
    # Not in 4k: what a series costs there was not found.
    _model(
        "kling-v3-omni-series",
        "Kling 3 Omni Series",
        gettext_noop("Pictures of one story"),
        16,
        SERIES_AMOUNT,
        RESOLUTION,
        inputs=(REFERENCES,),
        shape=ANY_SHAPE,
        choice_costs={"series_amount": SERIES_COSTS},
    ),
    _model(
        "kling-image-o1",
        "Kling Image O1",
        gettext_noop("Edits by text, many images"),
        8,
        OMNI_RESOLUTION,
        inputs=(REFERENCES,),
        shape=ANY_SHAPE,
        choice_costs=OMNI_COSTS,
    ),
    # With an image it costs twice as much, as v3 does, so it takes none here.
    _model("kling-v2-1", "Kling 2.1", gettext_noop("Half the price, text only"), 4, RESOLUTION),
    _model("kling-v2", "Kling 2", gettext_noop("Earlier version, text only"), 4),
    _model(
        "kling-v1-5",
        "Kling 1.5",
        gettext_noop("Keeps a subject or a face"),
        8,
        SUBJECT,
        FIDELITY,
        HUMAN_FIDELITY,
        inputs=(START_IMAGE,),
        rules=(_face_without_body,),
    ),
    _model("kling-v1", "Kling 1", gettext_noop("The first version"), 4, FIDELITY, inputs=(START_IMAGE,)),
    Model(
        "kling-expand",
        "Kling Expand",
        gettext_noop("Draws beyond the edges"),
        8 * HUNDREDTHS_OF_A_CENT,
        24,
        {},
        (
            *common_fields.sides(4_000, SIDE_NOTE),
            replace(
                PROMPT,
                required=False,
                min_length=0,
                help=gettext_noop("What the new parts shall show. May be left empty."),
            ),
        ),
        languages=(),
        operations=(Operation.OUTPAINT,),
        inputs=(replace(START_IMAGE, help="", minimum=1),),
        rules=(common_fields.extends_a_side,),
        task_seconds=TASK_SECONDS,
    ),
)
