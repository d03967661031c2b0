"""Tokens of a call, and what they cost.

Source: docs/providers/openai.md, "Prices". How many tokens an image has is only known for some sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

SQUARE = 1024 * 1024  # pixels
OUTPUT = {"low": 196, "medium": 439, "high": 1_756, "xhigh": 3_122, "max": 7_024}  # of a square
AUTO = "high"
IMAGE_INPUT = 1_024
LETTERS_PER_TOKEN = 4
TEXT_IN, IMAGE_IN, IMAGE_OUT = 5, 8, 30  # US dollars for a million


@dataclass(frozen=True)
class Usage:
    """The tokens of a call."""

    text: int
    images: int
    drawn: int

    @property
    def cost(self) -> int:
        """The cost in hundredths of a US cent."""
        return -(-(self.text * TEXT_IN + self.images * IMAGE_IN + self.drawn * IMAGE_OUT) // 100)

    def as_json(self) -> dict[str, object]:
        """The object `usage` of an answer."""
        received = self.text + self.images
        return {
            "input_tokens": received,
            "input_tokens_details": {"text_tokens": self.text, "image_tokens": self.images},
            "output_tokens": self.drawn,
            "output_tokens_details": {"text_tokens": 0, "image_tokens": self.drawn},
            "total_tokens": received + self.drawn,
        }


def of_call(prompt: str, images: int, *, quality: str, size: tuple[int, int], count: int) -> Usage:
    """Return the tokens of a call for `count` images of a size."""
    share = max(1.0, size[0] * size[1] / SQUARE) ** 0.5
    drawn = round(OUTPUT.get(quality, OUTPUT[AUTO]) * share) * count
    return Usage(-(-len(prompt) // LETTERS_PER_TOKEN), images * IMAGE_INPUT, drawn)
