"""What a call has cost at OpenAI, from the tokens that its answer names.

Source: docs/providers/openai.md, "Prices".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# US dollars for a million tokens: the same for all live models.
TEXT_IN, IMAGE_IN, IMAGE_OUT = 5, 8, 30
MAX_TOKENS = 100_000_000


def cost(usage: Any) -> int | None:
    """Return the cost in hundredths of a US cent, rounded up; None if the answer names no tokens."""
    if not isinstance(usage, Mapping):
        return None
    drawn, received = _tokens(usage.get("output_tokens")), _tokens(usage.get("input_tokens"))
    if drawn is None or received is None:
        return None
    details = usage.get("input_tokens_details")
    images = _tokens(details.get("image_tokens")) if isinstance(details, Mapping) else None
    images = min(images or 0, received)
    dollars_per_million = (received - images) * TEXT_IN + images * IMAGE_IN + drawn * IMAGE_OUT
    return -(-dollars_per_million // 100)


def _tokens(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS
    return value if is_count else None
