"""The text that Midjourney reads: the prompt, and behind it the parameters as it writes them.

Source: docs/providers/midjourney.md, "Parameters of a prompt".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

WORDS: Mapping[str, str] = MappingProxyType(  # by the name of the field, in the order in which they are sent
    {
        "negative_prompt": "--no",
        "aspect_ratio": "--ar",
        "stylize": "--stylize",
        "chaos": "--chaos",
        "weird": "--weird",
        "image_weight": "--iw",
        "zoom": "--zoom",
        "seed": "--seed",
    }
)
FLAGS: Mapping[str, str] = MappingProxyType({"raw": "--style raw", "tile": "--tile"})
# Other spellings of the same. What a member has written into the prompt is not sent a second time.
SAME: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "--ar": ("--ar", "--aspect"),
        "--stylize": ("--stylize", "--s"),
        "--chaos": ("--chaos", "--c"),
        "--weird": ("--weird", "--w"),
        "--style raw": ("--style", "--raw"),
    }
)


def of_parameters(parameters: Mapping[str, Any], *, speed_word: bool = False) -> str:
    """Return the text, in one line; `speed_word` also writes the speed into it, as `--fast`."""
    words = str(parameters.get("prompt", "")).split()
    written = {word.lower() for word in words}
    for word, value in _parameters(parameters, speed_word=speed_word):
        if not written & set(SAME.get(word, (word,))):
            words += [word, *value.split()]
    return " ".join(words)


def _parameters(parameters: Mapping[str, Any], *, speed_word: bool) -> Iterator[tuple[str, str]]:
    for name, word in WORDS.items():
        if name in parameters:
            yield word, _text(parameters[name])
    for name, word in FLAGS.items():
        if parameters.get(name):
            yield word, ""
    if speed_word and (speed := parameters.get("speed")):
        yield f"--{speed}", ""


def _text(value: object) -> str:
    """The value without an exponent, and without a fraction that is nothing."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
