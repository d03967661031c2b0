"""Ideogram's models. Where a call costs more for more quality, each quality is a model of its own.

Sources: docs/providers/ideogram.md, "Legacy calls", "v3", "v2" and "Prices". How long they take is an
estimate.
"""

from __future__ import annotations

from dataclasses import replace

from generations.providers.base import OutputKind
from generations.providers.catalogue.fields import Field, When
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop
from generations.providers.ideogram.fields import (
    CHARACTER_REFERENCE,
    CHARACTER_STYLE_TYPE,
    EDITED,
    IMAGE_WEIGHT,
    LEGACY_SIZES,
    LEGACY_STYLE_TYPE,
    MAGIC_PROMPT,
    MASKED,
    NEGATIVE_PROMPT,
    PAINTED,
    PROMPT,
    RESOLUTION,
    SEED,
    START_IMAGE,
    STYLE_CODES,
    STYLE_REFERENCES,
    STYLE_TYPE,
    V3_SIZES,
    V4_SIZES,
    has_one_kind_of_style,
    percent,
    shape,
)

DESIGN = gettext_noop("Posters, logos, lettering")


def _v4(name: str, title: str, clause: str, cost: int, *, seconds: int) -> Model:
    fields = (PROMPT, shape(V4_SIZES), RESOLUTION, MAGIC_PROMPT, SEED)
    return Model(name, title, clause, cost, seconds, V4_SIZES, fields, languages=())


def _v3(name: str, title: str, clause: str, cost: int, *, seconds: int) -> Model:
    fields = (
        PROMPT,
        NEGATIVE_PROMPT,
        shape(V3_SIZES),
        STYLE_TYPE,
        STYLE_CODES,
        IMAGE_WEIGHT,
        MAGIC_PROMPT,
        SEED,
    )
    return Model(
        name,
        title,
        clause,
        cost,
        seconds,
        V3_SIZES,
        fields,
        languages=(),
        inputs=(START_IMAGE, STYLE_REFERENCES),
        rules=(has_one_kind_of_style,),
    )


def _character(name: str, title: str, clause: str, cost: int, *, seconds: int) -> Model:
    """A model of v3 with a character, which costs more."""
    fields = (PROMPT, NEGATIVE_PROMPT, shape(V3_SIZES), CHARACTER_STYLE_TYPE, MAGIC_PROMPT, SEED)
    return Model(
        name,
        title,
        clause,
        cost,
        seconds,
        V3_SIZES,
        fields,
        languages=(),
        inputs=(CHARACTER_REFERENCE,),
    )


def _legacy(name: str, title: str, clause: str, cost: int, *extra: Field, seconds: int = 12) -> Model:
    fields = (PROMPT, *extra, shape(LEGACY_SIZES), IMAGE_WEIGHT, MAGIC_PROMPT, SEED)
    return Model(
        name, title, clause, cost, seconds, LEGACY_SIZES, fields, languages=(), inputs=(START_IMAGE,)
    )


GENERATE = (
    _v4("ideogram-4-5", "Ideogram 4.5", DESIGN, 1_000, seconds=25),
    _v4("ideogram-4-5-medium", "Ideogram 4.5 Medium", gettext_noop("4.5, faster"), 600, seconds=15),
    _v4("ideogram-4-5-low", "Ideogram 4.5 Low", gettext_noop("4.5, drafts"), 300, seconds=8),
    _v4("ideogram-4", "Ideogram 4", gettext_noop("Keeps to its lettering"), 600, seconds=15),
    _v4("ideogram-4-quality", "Ideogram 4 Quality", gettext_noop("4, finest detail"), 1_000, seconds=25),
    _v4("ideogram-4-turbo", "Ideogram 4 Turbo", gettext_noop("4, drafts"), 300, seconds=8),
    _v3("ideogram-v3", "Ideogram 3", gettext_noop("Styles, and a start image"), 600, seconds=12),
    _v3("ideogram-v3-quality", "Ideogram 3 Quality", gettext_noop("3, finest detail"), 900, seconds=20),
    _v3("ideogram-v3-turbo", "Ideogram 3 Turbo", gettext_noop("3, faster"), 300, seconds=7),
    _v3("ideogram-v3-flash", "Ideogram 3 Flash", gettext_noop("3, drafts"), 300, seconds=4),
    _character(
        "ideogram-v3-character", "Ideogram Character", gettext_noop("Keeps a face"), 1_500, seconds=15
    ),
    _character(
        "ideogram-v3-character-quality",
        "Ideogram Character Quality",
        gettext_noop("Keeps a face, finest"),
        2_000,
        seconds=25,
    ),
    _character(
        "ideogram-v3-character-turbo",
        "Ideogram Character Turbo",
        gettext_noop("Keeps a face, faster"),
        1_000,
        seconds=8,
    ),
    _legacy(
        "ideogram-v2",
        "Ideogram 2",
        gettext_noop("At many gateways"),
        800,
        NEGATIVE_PROMPT,
        LEGACY_STYLE_TYPE,
    ),
    _legacy(
        "ideogram-v2-turbo",
        "Ideogram 2 Turbo",
        gettext_noop("2, faster"),
        500,
        NEGATIVE_PROMPT,
        LEGACY_STYLE_TYPE,
        seconds=6,
    ),
    _legacy("ideogram-v2a", "Ideogram 2a", gettext_noop("2, for photos"), 400, LEGACY_STYLE_TYPE),
    _legacy(
        "ideogram-v2a-turbo",
        "Ideogram 2a Turbo",
        gettext_noop("2a, faster"),
        250,
        LEGACY_STYLE_TYPE,
        seconds=6,
    ),
    _legacy("ideogram-v1", "Ideogram 1", gettext_noop("The first version"), 600, NEGATIVE_PROMPT),
    _legacy("ideogram-v1-turbo", "Ideogram 1 Turbo", gettext_noop("1, faster"), 200, NEGATIVE_PROMPT),
)
EDIT = (
    Model(
        "ideogram-v3-edit",
        "Ideogram Edit",
        gettext_noop("Redraws what you paint"),
        600,
        12,
        {},
        (PROMPT, STYLE_TYPE, MAGIC_PROMPT, SEED),
        languages=(),
        operations=(Operation.EDIT,),
        inputs=(MASKED, PAINTED),
    ),
    Model(
        "ideogram-v3-reframe",
        "Ideogram Reframe",
        gettext_noop("Into another shape"),
        600,
        12,
        V3_SIZES,
        (shape(V3_SIZES, When.WITH_IMAGE), SEED),
        languages=(),
        operations=(Operation.OUTPAINT,),
        inputs=(EDITED,),
    ),
    Model(
        "ideogram-v3-replace-background",
        "Ideogram Background",
        gettext_noop("New background by a text"),
        600,
        12,
        {},
        (PROMPT, MAGIC_PROMPT, SEED),
        languages=(),
        operations=(Operation.RELIGHT,),
        inputs=(EDITED,),
    ),
    Model(
        "ideogram-remove-background",
        "Ideogram Cut-out",
        gettext_noop("Cuts out the subject"),
        100,
        6,
        {},
        (),
        languages=(),
        operations=(Operation.REMOVE_BACKGROUND,),
        inputs=(EDITED,),
    ),
    # No prices of these two were found (2026-11-29): that of 2.0, and a small one.
    Model(
        "ideogram-upscale",
        "Ideogram Upscale",
        gettext_noop("Larger, with more detail"),
        800,
        20,
        {},
        (
            replace(
                PROMPT,
                required=False,
                min_length=0,
                help=gettext_noop("What the image shows. May be left empty."),
            ),
            percent("resemblance", gettext_noop("Likeness"), gettext_noop("How much it stays the same.")),
            percent("detail", gettext_noop("Detail"), gettext_noop("How much detail is added.")),
            SEED,
        ),
        languages=(),
        operations=(Operation.UPSCALE,),
        inputs=(EDITED,),
    ),
    Model(
        "ideogram-describe",
        "Ideogram Describe",
        gettext_noop("Says what an image shows"),
        100,
        6,
        {},
        (),
        languages=(),
        operations=(Operation.DESCRIBE,),
        inputs=(EDITED,),
        output=OutputKind.TEXT,
    ),
)
MODELS = (*GENERATE, *EDIT)
