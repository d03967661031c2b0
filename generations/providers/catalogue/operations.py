"""What people do with a model."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from generations.providers.i18n import gettext_noop


class Operation(StrEnum):
    """One operation, in the order in which pages list them."""

    GENERATE = "generate"
    EDIT = "edit"
    OUTPAINT = "outpaint"
    UPSCALE = "upscale"
    ERASE = "erase"
    REMOVE_BACKGROUND = "remove_background"
    RELIGHT = "relight"
    REPLACE = "replace"
    RECOLOR = "recolor"
    SKETCH = "sketch"
    STRUCTURE = "structure"
    STYLE = "style"
    STYLE_TRANSFER = "style_transfer"
    MAKE_STYLE = "make_style"
    VECTORIZE = "vectorize"
    DESCRIBE = "describe"
    SHORTEN = "shorten"
    BLEND = "blend"
    SWAP_FACE = "swap_face"
    VARY = "vary"
    FOLLOW_UP = "follow_up"


TITLES: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.GENERATE: gettext_noop("Generate"),
        Operation.EDIT: gettext_noop("Edit"),
        Operation.OUTPAINT: gettext_noop("Expand"),
        Operation.UPSCALE: gettext_noop("Upscale"),
        Operation.ERASE: gettext_noop("Erase"),
        Operation.REMOVE_BACKGROUND: gettext_noop("Remove background"),
        Operation.RELIGHT: gettext_noop("Replace background"),
        Operation.REPLACE: gettext_noop("Search and replace"),
        Operation.RECOLOR: gettext_noop("Recolor"),
        Operation.SKETCH: gettext_noop("From a sketch"),
        Operation.STRUCTURE: gettext_noop("Keep the structure"),
        Operation.STYLE: gettext_noop("In the style of"),
        Operation.STYLE_TRANSFER: gettext_noop("Transfer a style"),
        Operation.MAKE_STYLE: gettext_noop("Make a style"),
        Operation.VECTORIZE: gettext_noop("Vectorize"),
        Operation.DESCRIBE: gettext_noop("Describe"),
        Operation.SHORTEN: gettext_noop("Shorten a prompt"),
        Operation.BLEND: gettext_noop("Blend"),
        Operation.SWAP_FACE: gettext_noop("Swap a face"),
        Operation.VARY: gettext_noop("Vary"),
        Operation.FOLLOW_UP: gettext_noop("Next step"),
    }
)
# What an image is that was made so from another one, as a step of a chain of edits.
RESULTS: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.GENERATE: gettext_noop("Drawn anew"),
        Operation.EDIT: gettext_noop("Edited"),
        Operation.OUTPAINT: gettext_noop("Expanded"),
        Operation.UPSCALE: gettext_noop("Upscaled"),
        Operation.ERASE: gettext_noop("Erased"),
        Operation.REMOVE_BACKGROUND: gettext_noop("Background removed"),
        Operation.RELIGHT: gettext_noop("Background replaced"),
        Operation.REPLACE: gettext_noop("Replaced"),
        Operation.RECOLOR: gettext_noop("Recolored"),
        Operation.SKETCH: gettext_noop("Drawn from the sketch"),
        Operation.STRUCTURE: gettext_noop("Drawn with its structure"),
        Operation.STYLE: gettext_noop("Drawn in its style"),
        Operation.STYLE_TRANSFER: gettext_noop("Style transferred"),
        Operation.MAKE_STYLE: gettext_noop("Made into a style"),
        Operation.VECTORIZE: gettext_noop("Vectorized"),
        Operation.DESCRIBE: gettext_noop("Described"),
        Operation.SHORTEN: gettext_noop("Shortened"),
        Operation.BLEND: gettext_noop("Blended"),
        Operation.SWAP_FACE: gettext_noop("Face swapped"),
        Operation.VARY: gettext_noop("Varied"),
        Operation.FOLLOW_UP: gettext_noop("Continued"),
    }
)
