"""Recraft's models.

Sources: docs/providers/recraft.md, "Fields", "Limits" and "Prices". How long they take is an estimate.
"""

from __future__ import annotations

from dataclasses import replace

from generations.providers.base import OutputKind
from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Field
from generations.providers.catalogue.inputs import Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.catalogue.sizes import Sizes
from generations.providers.i18n import gettext_noop
from generations.providers.recraft.fields import (
    ARTISTIC_LEVEL,
    BACKGROUND_COLOR,
    BASE_STYLE,
    COLORS,
    EDITED,
    FORMAT,
    LONGEST_OLD_TEXT,
    MADE_VECTOR_STYLE,
    MASKED,
    MOST_ADDED,
    NAME,
    NEGATIVE_PROMPT,
    NO_TEXT,
    PAINTED,
    SEED,
    SHAPE,
    SHAPE_WITHOUT_IMAGE,
    START_IMAGE,
    STRENGTH,
    STYLE,
    STYLE_MATCH,
    STYLE_MODEL,
    STYLE_OR_MADE,
    STYLE_PICTURES,
    V3_SIZES,
    V4_PRO_SIZES,
    V4_SIZES,
    V4_STYLE,
    V4_STYLE_MODEL,
    V4_STYLE_PICTURES,
    V4_VECTOR_STYLE,
    V4_VECTOR_STYLE_MODEL,
    VECTOR_STYLE_MODEL,
    prompt,
)

SHARP = gettext_noop("Drawings that stay sharp")
HUNDREDTHS_OF_A_CENT = 10  # for a unit: 1,000 units are 1 USD
COLORING: tuple[Field, ...] = (COLORS, BACKGROUND_COLOR)
V4_FIELDS: tuple[Field, ...] = (prompt(), SHAPE, *COLORING, SEED)
OLD_PROMPT = prompt(LONGEST_OLD_TEXT)
OLD_FIELDS: tuple[Field, ...] = (OLD_PROMPT, NEGATIVE_PROMPT)
V3_CONTROLS: tuple[Field, ...] = (ARTISTIC_LEVEL, NO_TEXT)


EDIT_FIELDS: tuple[Field, ...] = (*OLD_FIELDS, STYLE_OR_MADE, *COLORING, SEED, FORMAT)


def _v4(
    name: str,
    title: str,
    clause: str,
    cost: int,
    *extra: Field,
    seconds: int = 12,
    sizes: Sizes = V4_SIZES,
) -> Model:
    return Model(name, title, clause, cost, seconds, sizes, (*V4_FIELDS, *extra, FORMAT), languages=())


def _v4_vector(
    name: str,
    title: str,
    cost: int,
    *extra: Field,
    clause: str = SHARP,
    seconds: int = 20,
    sizes: Sizes = V4_SIZES,
) -> Model:
    fields = (*V4_FIELDS, *extra)
    return Model(name, title, clause, cost, seconds, sizes, fields, languages=(), output=OutputKind.SVG)


def _old(
    name: str,
    title: str,
    clause: str,
    cost: int,
    *extra: Field,
    inputs: tuple[Input, ...] = (),
    output: OutputKind = OutputKind.IMAGE,
) -> Model:
    """A model of V3 or V2; only V3 begins with an image, and has more controls."""
    shape = SHAPE_WITHOUT_IMAGE if inputs else SHAPE
    fields = (*OLD_FIELDS, shape, *extra, *((STRENGTH, *V3_CONTROLS) if inputs else ()), *COLORING, SEED)
    raster = output is OutputKind.IMAGE
    return Model(
        name,
        title,
        clause,
        cost,
        12,
        V3_SIZES,
        (*fields, FORMAT) if raster else fields,
        languages=(),
        inputs=inputs,
        output=output,
    )


GENERATE = (
    _v4("recraftv4_1", "Recraft V4.1", gettext_noop("Design with good taste"), 350),
    _v4(
        "recraftv4_1_pro",
        "Recraft V4.1 Pro",
        gettext_noop("Fit for print"),
        2_100,
        seconds=30,
        sizes=V4_PRO_SIZES,
    ),
    _v4_vector("recraftv4_1_vector", "Recraft V4.1 Vector", 800),
    _v4("recraftv4", "Recraft V4", gettext_noop("The design model before"), 400),
    _v4(
        "recraftv4_pro",
        "Recraft V4 Pro",
        gettext_noop("V4, fit for print"),
        2_500,
        seconds=30,
        sizes=V4_PRO_SIZES,
    ),
    _v4_vector("recraftv4_vector", "Recraft V4 Vector", 800),
    _v4_vector("recraftv4_pro_vector", "Recraft V4 Pro Vector", 3_000, seconds=40, sizes=V4_PRO_SIZES),
    _v4(
        "recraftv4_styles",
        "Recraft V4 Styles",
        gettext_noop("In a style of your team"),
        350,
        V4_STYLE,
        STYLE_MATCH,
    ),
    _v4(
        "recraftv4_styles_pro",
        "Recraft V4 Styles Pro",
        gettext_noop("A style, fit for print"),
        1_000,
        V4_STYLE,
        STYLE_MATCH,
        seconds=30,
        sizes=V4_PRO_SIZES,
    ),
    _v4_vector(
        "recraftv4_styles_vector",
        "Recraft V4 Styles Vector",
        500,
        V4_VECTOR_STYLE,
        STYLE_MATCH,
        clause=gettext_noop("Drawings in a style"),
    ),
    _v4_vector(
        "recraftv4_styles_pro_vector",
        "Recraft V4 Styles Pro Vector",
        1_200,
        V4_VECTOR_STYLE,
        STYLE_MATCH,
        clause=gettext_noop("Finer drawings in a style"),
        seconds=40,
        sizes=V4_PRO_SIZES,
    ),
    _old(
        "recraftv3",
        "Recraft V3",
        gettext_noop("Styles, and a start image"),
        400,
        STYLE_OR_MADE,
        inputs=(START_IMAGE,),
    ),
    _old(
        "recraftv3_vector",
        "Recraft V3 Vector",
        gettext_noop("Drawings, from an image too"),
        800,
        MADE_VECTOR_STYLE,
        inputs=(START_IMAGE,),
        output=OutputKind.SVG,
    ),
    _old("recraftv2", "Recraft V2", gettext_noop("Lowest price, with styles"), 220, STYLE),
    _old(
        "recraftv2_vector",
        "Recraft V2 Vector",
        gettext_noop("The cheapest drawings"),
        440,
        output=OutputKind.SVG,
    ),
)
EDIT = (
    Model(
        "recraft-inpaint",
        "Recraft Inpaint",
        gettext_noop("Redraws what you paint"),
        400,
        12,
        {},
        EDIT_FIELDS,
        languages=(),
        operations=(Operation.EDIT,),
        inputs=(MASKED, PAINTED),
    ),
    Model(
        "recraft-erase-region",
        "Recraft Erase",
        gettext_noop("Takes out what you paint"),
        20,
        8,
        {},
        (FORMAT,),
        languages=(),
        operations=(Operation.ERASE,),
        inputs=(MASKED, PAINTED),
    ),
    Model(
        "recraft-replace-background",
        "Recraft Background",
        gettext_noop("New background by a text"),
        400,
        12,
        {},
        EDIT_FIELDS,
        languages=(),
        operations=(Operation.RELIGHT,),
        inputs=(replace(EDITED, keeps_alpha=False),),
    ),
    Model(
        "recraft-generate-background",
        "Recraft Fill Background",
        gettext_noop("New background you paint"),
        400,
        12,
        {},
        EDIT_FIELDS,
        languages=(),
        operations=(Operation.RELIGHT,),
        inputs=(MASKED, PAINTED),
    ),
    Model(
        "recraft-outpaint",
        "Recraft Outpaint",
        gettext_noop("Draws beyond the edges"),
        400,
        12,
        {},
        (*common_fields.sides(MOST_ADDED), *EDIT_FIELDS),
        languages=(),
        operations=(Operation.OUTPAINT,),
        inputs=(replace(EDITED, keeps_alpha=False),),
        rules=(common_fields.extends_a_side,),
    ),
    Model(
        "recraft-variate",
        "Recraft Remix",
        gettext_noop("The same idea once more"),
        400,
        12,
        V4_SIZES,
        (SHAPE, SEED, FORMAT),
        languages=(),
        operations=(Operation.VARY,),
        inputs=(replace(EDITED, keeps_alpha=False),),
    ),
    Model(
        "recraft-remove-background",
        "Recraft Cut-out",
        gettext_noop("Cuts out the subject"),
        100,
        6,
        {},
        (replace(FORMAT, default="png"),),
        languages=(),
        operations=(Operation.REMOVE_BACKGROUND,),
        inputs=(EDITED,),
    ),
    Model(
        "recraft-vectorize",
        "Recraft Vectorize",
        gettext_noop("An image into a drawing"),
        100,
        10,
        {},
        (),
        languages=(),
        operations=(Operation.VECTORIZE,),
        inputs=(EDITED,),
        output=OutputKind.SVG,
    ),
    Model(
        "recraft-crisp-upscale",
        "Recraft Crisp Upscale",
        gettext_noop("Larger and sharper, cheap"),
        40,
        8,
        {},
        (FORMAT,),
        languages=(),
        operations=(Operation.UPSCALE,),
        inputs=(replace(EDITED, max_pixels=4_000_000),),
    ),
    Model(
        "recraft-creative-upscale",
        "Recraft Creative Upscale",
        gettext_noop("Larger, with new details"),
        2_500,
        40,
        {},
        (FORMAT,),
        languages=(),
        operations=(Operation.UPSCALE,),
        inputs=(replace(EDITED, max_pixels=4_000_000),),
        call_seconds=180.0,
    ),
)


def _style(name: str, title: str, clause: str, *extra: Field, pictures: Input = STYLE_PICTURES) -> Model:
    """A model whose result is a style."""
    return Model(
        name,
        title,
        clause,
        400,
        10,
        {},
        (NAME, *extra),
        languages=(),
        operations=(Operation.MAKE_STYLE,),
        inputs=(pictures,),
        output=OutputKind.STYLE,
    )


STYLES = (
    _style(STYLE_MODEL, "Recraft Style", gettext_noop("A style of your pictures"), BASE_STYLE),
    _style(VECTOR_STYLE_MODEL, "Recraft Vector Style", gettext_noop("A style of drawings")),
    _style(
        V4_STYLE_MODEL,
        "Recraft V4 Style",
        gettext_noop("A style for V4 Styles"),
        pictures=V4_STYLE_PICTURES,
    ),
    _style(
        V4_VECTOR_STYLE_MODEL,
        "Recraft V4 Vector Style",
        gettext_noop("For V4's styled drawings"),
        pictures=V4_STYLE_PICTURES,
    ),
)
MODELS = (*GENERATE, *EDIT, *STYLES)
