"""The tokenizer of the library's search: words, and single characters of scripts without spaces.

Documents and queries both go through it, so PostgreSQL and SQLite find the same. A term has only letters,
digits, marks and symbols: none of the operators of either database's query language.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

MAX_TERM_LENGTH = 60  # characters; longer words are cut, in documents and in queries
MAX_TAG_KEY_LENGTH = 120
ACCENTS = re.compile("[\u0300-\u036f]")
PLAIN = re.compile("[a-z0-9]+")
# Scripts that put no space between words, as ranges of code points.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\u3040-\u30ff\u31f0-\u31ff"  # Japanese
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff"  # Korean, whose endings stick to the word
    "\U00020000-\U0003ffff]"
)

Run = tuple[str, ...]  # adjacent terms: one word, or the characters of a text without spaces


def fold(text: str) -> str:
    """Return the text without differences of case, width and the accents of European letters."""
    unaccented = ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", unaccented).casefold())


def tag_key(name: str) -> str:
    """Return the key by which a tag's name is unique: folded, with single spaces."""
    return " ".join(fold(name.replace("\0", " ")).split())[:MAX_TAG_KEY_LENGTH]


def runs(text: str) -> list[Run]:
    """Return the text's words in order; text of an unspaced script is one run with a term per character."""
    if text.isascii():  # most prompts: the same result, thirty times as fast
        return [(word[:MAX_TERM_LENGTH],) for word in PLAIN.findall(text.lower())]
    found: list[Run] = []
    word, characters = "", ""
    for letter in f"{fold(text)} ":
        kind = _kind(letter)
        if word and kind != "word":
            found.append((word[:MAX_TERM_LENGTH],))
            word = ""
        if characters and kind != "alone":
            found.append(tuple(characters))
            characters = ""
        if kind == "word":
            word += letter
        elif kind == "alone":
            characters += letter
    return found


def terms(text: str) -> list[str]:
    """Return the text's words and single characters, in order."""
    return [term for run in runs(text) for term in run]


def bigrams(run: Run) -> list[str]:
    """Return the pairs of adjacent terms; being rarer than single characters, they make a search fast."""
    return [first + second for first, second in pairwise(run)]


@lru_cache(maxsize=4096)
def _kind(letter: str) -> str:
    """Return "word" for a part of a word, "alone" for a term of its own, "between" for a separator."""
    if UNSPACED.match(letter) or unicodedata.category(letter) == "So":  # a symbol such as an emoji
        return "alone" if unicodedata.category(letter)[0] in "LMNS" else "between"
    return "word" if unicodedata.category(letter)[0] in "LMN" else "between"
