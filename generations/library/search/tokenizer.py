"""The one tokenizer of the library's search: words, and characters of scripts that have no spaces.

What is stored and what is looked for goes through it, so both databases find the same. A token has only
letters, digits, marks and symbols: none of the signs that either database's query language knows.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

LONGEST = 60  # letters of a token; what is longer is cut, in the picture's words and in the question alike
ACCENTS = re.compile("[\u0300-\u036f]")
PLAIN = re.compile("[a-z0-9]+")
# Scripts that put no space between words, each as the first and last of a run of code points.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\u3040-\u30ff\u31f0-\u31ff"  # Japanese
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff"  # Korean, whose endings stick to the word
    "\U00020000-\U0003ffff]"
)

Run = tuple[str, ...]  # tokens that touch: one word, or the characters of a stretch without spaces


def folded(text: str) -> str:
    """The text without differences that nobody types: case, width, accents of European letters."""
    apart = ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", apart).casefold())


def runs(text: str) -> list[Run]:
    """The text's words in order; a stretch of an unspaced script is one run with a token per character."""
    if text.isascii():  # most prompts: the same, thirty times as quickly
        return [(word[:LONGEST],) for word in PLAIN.findall(text.lower())]
    found: list[Run] = []
    word, stretch = "", ""
    for letter in f"{folded(text)} ":
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


def tokens(text: str) -> list[str]:
    """The text's words and single characters, in order."""
    return [token for run in runs(text) for token in run]


def pairs(run: Run) -> list[str]:
    """The pairs of neighbours in a run: they make a search for Chinese words quick."""
    return [first + second for first, second in pairwise(run)]


@lru_cache(maxsize=4096)
def _kind(letter: str) -> str:
    """Whether a letter is part of a word, stands alone, or parts words."""
    if UNSPACED.match(letter) or unicodedata.category(letter) == "So":  # a symbol such as an emoji
        return "alone" if unicodedata.category(letter)[0] in "LMNS" else "between"
    return "word" if unicodedata.category(letter)[0] in "LMN" else "between"
