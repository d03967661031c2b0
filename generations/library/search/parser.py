"""Parse what is typed into the search field into terms, beginnings of words, and phrases.

A word finds the words that begin with it: boat finds boats and boathouse. Words of one or two letters, which
begin too many, and what stands in quotes find only themselves. An excluded word leaves out only itself: who
leaves out cat does not expect to miss the cathedrals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from generations.library.search import tokenizer

MAX_LENGTH = 400  # characters of a search text
MAX_TERMS = 40  # of a search text; further terms are ignored
MIN_BEGINNING = 3  # letters; a shorter word is found whole
PART = re.compile(r'(-?)"([^"]*)"?|(-?)([^\s"]+)')
QUOTES = str.maketrans("“”„«»「」『』", '"""""""""')


@dataclass
class ParsedText:
    """Required and excluded terms, required beginnings of words, and phrases (terms joined by spaces).

    `exact` and `without` are what is found whole and what is left out, as people read it.
    """

    required: list[str] = field(default_factory=list)
    beginnings: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    excluded_phrases: list[str] = field(default_factory=list)
    exact: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to search for."""
        return not (self.required or self.beginnings or self.without)


def parse(text: str) -> ParsedText:
    """Parse words in any order, "quoted phrases", and -words and -"phrases" to exclude."""
    parsed = ParsedText()
    for minus, phrase, dash, word in PART.findall(text[:MAX_LENGTH].translate(QUOTES)):
        if minus or dash:
            _exclude(parsed, phrase or word)
        elif phrase:
            _require(parsed, tokenizer.terms(phrase), tokenizer.runs(phrase))
        else:
            _require_word(parsed, word)
    for terms in (parsed.required, parsed.beginnings, parsed.excluded, parsed.exact, parsed.without):
        terms[:] = list(dict.fromkeys(terms))[:MAX_TERMS]
    return parsed


def _require_word(parsed: ParsedText, word: str) -> None:
    """Require words that begin so; characters of unspaced scripts and short words as they are."""
    for run in tokenizer.runs(word):
        if len(run) == 1 and len(run[0]) >= MIN_BEGINNING:
            parsed.beginnings += run
        else:
            _require(parsed, run, [run])


def _require(parsed: ParsedText, terms: list[str] | tokenizer.Run, runs: list[tokenizer.Run]) -> None:
    """Require these terms in this order.

    Of a phrase the index is asked for the longer words and the bigrams alone: its short words are in most
    documents, and the phrase is compared afterwards.
    """
    if runs:
        parsed.exact.append(_readable(runs))
    narrowing = [term for term in terms if len(term) >= MIN_BEGINNING]
    narrowing += [bigram for run in runs for bigram in tokenizer.bigrams(run)]
    parsed.required += narrowing if len(terms) > 1 and narrowing else terms
    if len(terms) > 1:
        parsed.phrases.append(" ".join(terms))


def _exclude(parsed: ParsedText, text: str) -> None:
    """Exclude one term, or a phrase of several."""
    terms = tokenizer.terms(text)
    if terms:
        parsed.without.append(_readable(tokenizer.runs(text)))
    if len(terms) == 1:
        parsed.excluded += terms
    elif terms:
        parsed.excluded_phrases.append(" ".join(terms))


def _readable(runs: list[tokenizer.Run]) -> str:
    """Words with spaces between them, characters of unspaced scripts without."""
    return " ".join("".join(run) for run in runs)
