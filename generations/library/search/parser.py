"""What somebody typed into the search field, read into tokens and phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from generations.library.search import tokenizer

LONGEST = 400  # letters of a question
MOST = 40  # tokens of a question; what follows is not looked for
PART = re.compile(r'(-?)"([^"]*)"?|(-?)([^\s"]+)')
QUOTES = str.maketrans("“”„«»「」『』", '"""""""""')


@dataclass
class Wanted:
    """Tokens that must be there, tokens that must not, and the same for phrases (a space between tokens)."""

    must: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    unwanted_phrases: list[str] = field(default_factory=list)


def read(text: str) -> Wanted:
    """Words in any order; "quoted phrases"; -words and -"phrases" that must not be there."""
    wanted = Wanted()
    for minus, phrase, dash, word in PART.findall(text[:LONGEST].translate(QUOTES)):
        if minus or dash:
            _exclude(wanted, phrase or word)
        elif phrase:
            _require(wanted, tokenizer.tokens(phrase), tokenizer.runs(phrase))
        else:
            for run in tokenizer.runs(word):
                _require(wanted, run, [run])
    for tokens in (wanted.must, wanted.without):
        tokens[:] = list(dict.fromkeys(tokens))[:MOST]
    return wanted


def _require(wanted: Wanted, tokens: list[str] | tokenizer.Run, runs: list[tokenizer.Run]) -> None:
    """These tokens, one after the other; the pairs among them are rarer than each alone."""
    wanted.must += tokens
    for run in runs:
        wanted.must += tokenizer.pairs(run)
    if len(tokens) > 1:
        wanted.phrases.append(" ".join(tokens))


def _exclude(wanted: Wanted, text: str) -> None:
    """One token, or a phrase of several."""
    tokens = tokenizer.tokens(text)
    if len(tokens) == 1:
        wanted.without += tokens
    elif tokens:
        wanted.unwanted_phrases.append(" ".join(tokens))
