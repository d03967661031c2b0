"""A validated request for images, of any system."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from generations.sandbox.responses import moderated, wrong_language

FLAGGED_WORDS = re.compile(r"\b(forbidden|nsfw|gore)\b", re.IGNORECASE)
LAST_LATIN_LETTER = 0x24F


@dataclass(frozen=True)
class ImageRequest:
    """A validated request; `cost` is in hundredths of a credit for all samples."""

    model: str
    prompt: str
    width: int
    height: int
    seed: int
    cost: int
    negative_prompt: str = ""
    style: str = ""
    output_format: str = "png"
    image: bytes | None = None
    strength: float = 1.0  # 0 keeps the start image, 1 ignores it
    samples: int = 1


def pick_seed() -> int:
    """Return a random seed."""
    return secrets.randbelow(4_294_967_294) + 1


def moderate(prompt: str) -> None:
    """Raise ApiError for a flagged prompt (403) or one mostly in another script (422)."""
    if FLAGGED_WORDS.search(prompt):
        raise moderated()
    letters = [letter for letter in prompt if letter.isalpha()]
    foreign = sum(ord(letter) > LAST_LATIN_LETTER for letter in letters)
    if foreign * 2 > len(letters):
        raise wrong_language()
