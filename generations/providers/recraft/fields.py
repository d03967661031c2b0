"""What the declarations of Recraft's models share: fields, sizes, images.

Source: docs/providers/recraft.md, "Fields" and "Limits".
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Colors, Flag, Group, Number, Text, When
from generations.providers.catalogue.inputs import IMAGE, MASK, REFERENCE, Input
from generations.providers.catalogue.model import STYLE_NAME
from generations.providers.catalogue.sizes import with_portraits
from generations.providers.i18n import gettext_noop

LARGEST_SEED = 4_294_967_295
LONGEST_TEXT, LONGEST_OLD_TEXT = 10_000, 1_000  # characters: the V4 family, and V3 and V2
MAX_BYTES = 5_000_000  # older texts say 5 MB, newer ones 10
MAX_PIXELS = 16_000_000
LARGEST_SIDE = 4_096  # of images, and of results of outpainting
MOST_ADDED = LARGEST_SIDE - 256  # pixels, on one side of the smallest image
MAX_STYLE_PICTURES = 5  # together of MAX_BYTES
MAX_V4_STYLE_PICTURES = 10  # together of 10 MB


V4_SIZES = with_portraits(
    {
        "2:1": (1536, 768),
        "16:9": (1344, 768),
        "3:2": (1280, 832),
        "4:3": (1216, 896),
        "5:4": (1152, 896),
        "1:1": (1024, 1024),
    }
)
V4_PRO_SIZES = {shape: (width * 2, height * 2) for shape, (width, height) in V4_SIZES.items()}
V3_SIZES = with_portraits(
    {
        "2:1": (2048, 1024),
        "16:9": (1820, 1024),
        "3:2": (1536, 1024),
        "4:3": (1365, 1024),
        "5:4": (1280, 1024),
        "1:1": (1024, 1024),
    }
)

SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    label="Aspect ratio",
    default="1:1",
    remembered=True,
    choices=MappingProxyType({shape: shape for shape in V4_SIZES}),
)
SHAPE_WITHOUT_IMAGE = replace(SHAPE, when=When.WITHOUT_IMAGE)
SEED = common_fields.seed(LARGEST_SEED)
FORMAT = Choice(
    name="output_format",
    title=gettext_noop("Format"),
    group=Group.MORE,
    remembered=True,
    default="webp",
    choices=MappingProxyType({"webp": "WebP", "png": "PNG"}),
)
# The models that make styles out of pictures; V3 draws in them, and so do the edits that it does.
STYLE_MODEL, VECTOR_STYLE_MODEL = "recraft-style", "recraft-vector-style"
# V4 Styles draw in styles of their own, and in nothing else.
V4_STYLE_MODEL, V4_VECTOR_STYLE_MODEL = "recraft-v4-style", "recraft-v4-vector-style"
STYLE = Choice(
    name="style",
    title=gettext_noop("Style"),
    choices=MappingProxyType(
        {
            "realistic_image": gettext_noop("Photo"),
            "digital_illustration": gettext_noop("Illustration"),
            "logo_raster": gettext_noop("Logo"),
        }
    ),
)
STYLE_OR_MADE = replace(
    STYLE,
    help=gettext_noop("Your team makes styles of its own with the model “Recraft Style”."),
    made_with=(STYLE_MODEL,),
)
MADE_VECTOR_STYLE = replace(
    STYLE,
    help=gettext_noop("Your team makes styles of drawings with the model “Recraft Vector Style”."),
    choices=MappingProxyType({}),
    made_with=(VECTOR_STYLE_MODEL,),
)
V4_STYLE = replace(
    STYLE,
    help=gettext_noop("Your team makes such styles with the model “Recraft V4 Style”."),
    required=True,
    choices=MappingProxyType({}),
    made_with=(V4_STYLE_MODEL,),
)
V4_VECTOR_STYLE = replace(
    V4_STYLE,
    help=gettext_noop("Your team makes such styles with the model “Recraft V4 Vector Style”."),
    made_with=(V4_VECTOR_STYLE_MODEL,),
)
BASE_STYLE = replace(
    STYLE,
    title=gettext_noop("Kind of picture"),
    required=True,
    choices=MappingProxyType(
        {
            "realistic_image": gettext_noop("Photo"),
            "digital_illustration": gettext_noop("Illustration"),
        }
    ),
)
NAME = Text(
    name=STYLE_NAME,
    title=gettext_noop("Name of the style"),
    help=gettext_noop("By this name your team finds it."),
    required=True,
    min_length=1,
    max_length=60,
)
STRENGTH = Number(
    name="strength",
    title=gettext_noop("Strength"),
    label="Denoising strength",
    help=gettext_noop("How far the result may go from the image: 0 keeps it, 1 ignores it."),
    group=Group.IMAGE,
    required=True,
    when=When.WITH_IMAGE,
    minimum=0,
    maximum=1,
    step=0.01,
    suggested=0.5,
)
ARTISTIC_LEVEL = Number(
    name="artistic_level",
    title=gettext_noop("Artistic level"),
    help=gettext_noop("0 is plain and calm, 5 is eccentric and full of movement."),
    group=Group.MORE,
    minimum=0,
    maximum=5,
    whole=True,
)
NO_TEXT = Flag(
    name="no_text",
    title=gettext_noop("No text in the picture"),
    group=Group.MORE,
)
COLORS = Colors(
    name="colors",
    title=gettext_noop("Colors"),
    help=gettext_noop("Those that the picture shall mostly have, up to ten."),
    group=Group.MORE,
    maximum=10,
)
BACKGROUND_COLOR = Colors(
    name="background_color",
    title=gettext_noop("Background color"),
    group=Group.MORE,
)
STYLE_MATCH = Choice(
    name="style_match",
    title=gettext_noop("Closeness to the style"),
    group=Group.MORE,
    default="precise",
    choices=MappingProxyType(
        {"precise": gettext_noop("In every detail"), "flexible": gettext_noop("In its general look")}
    ),
)
NEGATIVE_PROMPT = Text(
    name="negative_prompt", title=gettext_noop("Negative prompt"), max_length=LONGEST_OLD_TEXT
)

START_IMAGE = Input(
    role=IMAGE,
    title=gettext_noop("Start image"),
    help=gettext_noop("The result begins with it; “Strength” says how far it may go from it."),
    max_bytes=MAX_BYTES,
    min_side=256,
    max_side=LARGEST_SIDE,
    max_pixels=MAX_PIXELS,
)
EDITED = replace(START_IMAGE, title=gettext_noop("Image"), help="", minimum=1, keeps_alpha=True)
MASKED = replace(EDITED, max_bytes=4_000_000, keeps_alpha=False)
STYLE_PICTURES = Input(
    role=REFERENCE,
    title=gettext_noop("Pictures"),
    help=gettext_noop("One to five that are drawn alike; what they show does not matter."),
    minimum=1,
    maximum=MAX_STYLE_PICTURES,
    max_bytes=MAX_BYTES // MAX_STYLE_PICTURES,
    min_side=256,
    max_side=2_048,
)
V4_STYLE_PICTURES = replace(
    STYLE_PICTURES,
    help=gettext_noop("One to ten that are drawn alike; what they show does not matter."),
    maximum=MAX_V4_STYLE_PICTURES,
)
PAINTED = Input(
    role=MASK,
    title=gettext_noop("Mask"),
    help=gettext_noop("White is changed, black is kept."),
    minimum=1,
    media_types=("image/png",),
    max_bytes=2_000_000,
)


def prompt(max_length: int = LONGEST_TEXT) -> Text:
    """The text of what shall be drawn."""
    return Text(
        name="prompt", title=gettext_noop("Prompt"), required=True, min_length=1, max_length=max_length
    )
