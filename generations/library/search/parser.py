"""Parse what is typed into the search field into terms and phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from generations.library.search import tokenizer

MAX_LENGTH = 400  # characters of a search text
MAX_TERMS = 40  # of a search text; further terms are ignored
PART = re.compile(r'(-?)"([^"]*)"?|(-?)([^\s"]+)')
QUOTES = str.maketrans("“”„«»「」『』", '"""""""""')


@dataclass
class ParsedText:
    """Required and excluded terms, and required and excluded phrases (terms joined by spaces)."""

    required: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    excluded_phrases: list[str] = field(default_factory=list)


def parse(text: str) -> ParsedText:
    """Parse words in any order, "quoted phrases", and -words and -"phrases" to exclude."""
    parsed = ParsedText()
    for minus, phrase, dash, word in PART.findall(text[:MAX_LENGTH].translate(QUOTES)):
        if minus or dash:
            _exclude(parsed, phrase or word)
        elif phrase:
            _require(parsed, tokenizer.terms(phrase), tokenizer.runs(phrase))
        else:
            for run in tokenizer.runs(word):
                _require(parsed, run, [run])
    for terms in (parsed.required, parsed.excluded):
        terms[:] = list(dict.fromkeys(terms))[:MAX_TERMS]
    return parsed


def _require(parsed: ParsedText, terms: list[str] | tokenizer.Run, runs: list[tokenizer.Run]) -> None:
    """Require these terms in this order; the bigrams narrow the search before the phrase is compared."""
    parsed.required += terms
    for run in runs:
        parsed.required += tokenizer.bigrams(run)
    if len(terms) > 1:
        parsed.phrases.append(" ".join(terms))


def _exclude(parsed: ParsedText, text: str) -> None:
    """Exclude one term, or a phrase of several."""
    terms = tokenizer.terms(text)
    if len(terms) == 1:
        parsed.excluded += terms
    elif terms:
        parsed.excluded_phrases.append(" ".join(terms))
