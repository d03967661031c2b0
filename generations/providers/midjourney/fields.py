"""What the declarations of Midjourney's models share: fields with their ranges, and sizes.

Source: docs/providers/midjourney.md, "Parameters of a prompt".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from generations.providers.catalogue import common_fields
from generations.providers.catalogue.fields import Choice, Flag, Group, Number, Text
from generations.providers.i18n import gettext_noop

LONGEST_PROMPT = 6_000  # characters that Discord takes
# Of a grid of four pictures, or of one that was enlarged.
SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "21:9": (3360, 1440),
        "16:9": (2912, 1632),
        "3:2": (2688, 1792),
        "4:3": (2464, 1856),
        "5:4": (2400, 1920),
        "1:1": (2048, 2048),
        "4:5": (1920, 2400),
        "3:4": (1856, 2464),
        "2:3": (1792, 2688),
        "9:16": (1632, 2912),
        "9:21": (1440, 3360),
    }
)
SPEEDS: Mapping[str, str] = MappingProxyType(
    {
        "relax": gettext_noop("Relaxed"),
        "fast": gettext_noop("Fast"),
        "turbo": gettext_noop("Turbo"),
    }
)

SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    label="Aspect ratio",
    default="1:1",
    remembered=True,
    choices=MappingProxyType({shape: shape for shape in SIZES}),
)
SPEED = Choice(
    name="speed",
    title=gettext_noop("Speed"),
    help=gettext_noop("How soon it is drawn. If none is chosen, the provider account decides."),
    group=Group.MORE,
    remembered=True,
    choices=SPEEDS,
)
STYLIZE = Number(
    name="stylize",
    title=gettext_noop("Stylize"),
    help=gettext_noop("How much of Midjourney's own taste is in the picture."),
    group=Group.MORE,
    remembered=True,
    minimum=0,
    maximum=1_000,
    step=50,
    whole=True,
    default=100,
)
CHAOS = Number(
    name="chaos",
    title=gettext_noop("Chaos"),
    help=gettext_noop("How different the four pictures are."),
    group=Group.MORE,
    remembered=True,
    minimum=0,
    maximum=100,
    step=5,
    whole=True,
    default=0,
    absent=(0,),
)
WEIRD = Number(
    name="weird",
    title=gettext_noop("Weird"),
    help=gettext_noop("How unusual the pictures may be."),
    group=Group.MORE,
    remembered=True,
    minimum=0,
    maximum=3_000,
    step=250,
    whole=True,
    default=0,
    absent=(0,),
)
IMAGE_WEIGHT = Number(
    name="image_weight",
    title=gettext_noop("Weight of the references"),
    help=gettext_noop("How much the reference images count against the prompt."),
    group=Group.MORE,
    minimum=0,
    maximum=3,
    step=0.25,
    default=1,
)
RAW = Flag(
    name="raw",
    title=gettext_noop("Raw"),
    help=gettext_noop("With less of Midjourney's own taste: closer to the prompt."),
    group=Group.MORE,
    remembered=True,
)
TILE = Flag(
    name="tile",
    title=gettext_noop("Pattern"),
    help=gettext_noop("The edges fit, so that the picture can be repeated without a seam."),
    group=Group.MORE,
)
SEED = common_fields.seed(4_294_967_295)
NEGATIVE_PROMPT = Text(name="negative_prompt", title=gettext_noop("Negative prompt"), max_length=1_000)


def prompt(note: str = "", *, required: bool = True) -> Text:
    """The text of what shall be drawn."""
    return Text(
        name="prompt",
        title=gettext_noop("Prompt"),
        help=note,
        required=required,
        min_length=1 if required else 0,
        max_length=LONGEST_PROMPT,
    )
