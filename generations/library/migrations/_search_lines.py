"""The line of tokens by which 0004_search lets an image be found, frozen as it was made then.

The search's own modules change; an entry that lags behind them is made anew by the portal, not by this.
"""

import math
import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Any

PARTS = "|"  # between the texts: a phrase does not go on from one into the next
SIGN = "§"  # begins a filter's token; no word contains it
LONGEST = 60  # letters of a token
SHAPES = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")  # of two as near the first
ACCENTS = re.compile("[\u0300-\u036f]")
# Scripts that put no space between words.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\u3040-\u30ff\u31f0-\u31ff"  # Japanese
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff"  # Korean
    "\U00020000-\U0003ffff]"
)


def line(image: Any) -> str:
    """The words of an image's texts, the pairs of unspaced characters, and the tokens of its filters."""
    words, pairs = [PARTS], dict[str, None]()
    for text in (image.title, image.prompt, image.negative_prompt):
        for run in _runs(text):
            words += run
            pairs |= dict.fromkeys(first + second for first, second in pairwise(run))
        words.append(PARTS)
    return " ".join([*words, *pairs, *_facets(image), PARTS])


def _facets(image: Any) -> list[str]:
    """The tokens of what the image's own row says; nobody had tagged or collected one yet."""
    facets = [
        _facet("t", image.team_id),
        _facet("o", image.owner_id),
        _facet("r", image.origin),
        _facet("h", _shape(image.width, image.height).replace(":", "x")),
    ]
    if image.model:
        facets.append(_facet("m", image.model))
    if style := image.parameters.get("style_preset"):
        facets.append(_facet("s", style))
    if image.seed is not None:
        facets.append(_facet("n", image.seed))
    if image.batch:
        facets.append(_facet("b", image.batch))
    return facets


def _facet(kind: str, value: object) -> str:
    return f"{SIGN}{kind}{''.join(letter for letter in str(value).casefold() if letter.isalnum())}"


@lru_cache(maxsize=1024)
def _shape(width: int, height: int) -> str:
    """The shape that comes closest to a size."""

    def distance(shape: str) -> float:
        across, down = map(int, shape.split(":"))
        return abs(math.log(width * down) - math.log(height * across))

    return min(SHAPES, key=distance)


def _runs(text: str) -> list[tuple[str, ...]]:
    """The text's words in order; a stretch of an unspaced script is one run with a token per character."""
    found: list[tuple[str, ...]] = []
    word, stretch = "", ""
    for letter in f"{_folded(text)} ":
        kind = _kind(letter)
        if word and kind != "word":
            found.append((word[:LONGEST],))
            word = ""
        if stretch and kind != "alone":
            found.append(tuple(stretch))
            stretch = ""
        if kind == "word":
            word += letter
        elif kind == "alone":
            stretch += letter
    return found


def _folded(text: str) -> str:
    """The text without differences of case, width and accents."""
    apart = ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", apart).casefold())


@lru_cache(maxsize=4096)
def _kind(letter: str) -> str:
    """Whether a letter is part of a word, stands alone, or parts words."""
    if UNSPACED.match(letter) or unicodedata.category(letter) == "So":  # a symbol such as an emoji
        return "alone" if unicodedata.category(letter)[0] in "LMNS" else "between"
    return "word" if unicodedata.category(letter)[0] in "LMN" else "between"
