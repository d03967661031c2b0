"""A validated request for images, of any system."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from generations.sandbox.responses import moderated, wrong_language

FLAGGED_WORDS = re.compile(r"\b(forbidden|nsfw|gore)\b", re.IGNORECASE)
LAST_LATIN_LETTER = 0x24F


@dataclass(frozen=True)
class ImageRequest:
    """A validated request; `cost` is in hundredths of a credit for all samples.

    `draw` returns the image, RGB or RGBA. `width` and `height` are 0 if it decides the size, as edits do.
    """

    model: str
    prompt: str  # all that describes what to draw, to be moderated
    seed: int
    cost: int
    draw: Callable[[ImageRequest], Image.Image]
    width: int = 0
    height: int = 0
    negative_prompt: str = ""
    style: str = ""
    output_format: str = "png"
    samples: int = 1
    any_language: bool = False  # the prompt need not be English
    strength: float = 1.0  # 0 keeps the start image, 1 ignores it
    files: Mapping[str, bytes] = field(default_factory=dict)  # checked images by the name of their field
    values: Mapping[str, Any] = field(default_factory=dict)  # what else the draw function reads


def pick_seed() -> int:
    """Return a random seed."""
    return secrets.randbelow(4_294_967_294) + 1


def moderate(prompt: str, *, any_language: bool = False) -> None:
    """Raise ApiError for a flagged prompt (403), or for one mostly in another script (422)."""
    if FLAGGED_WORDS.search(prompt):
        raise moderated()
    if any_language:
        return
    letters = [letter for letter in prompt if letter.isalpha()]
    foreign = sum(ord(letter) > LAST_LATIN_LETTER for letter in letters)
    if foreign * 2 > len(letters):
        raise wrong_language()
