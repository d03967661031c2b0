"""How what the prompt helper answers differs from what it was asked about, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from generations.jobs.models import HelpTask, PromptHelp

WORD = re.compile(r"\s+|[\w'’-]+|[^\w\s]")  # noqa: RUF001  the apostrophe of prose
MAX_WORDS = 1_500  # of both together: comparing takes time that grows with their product
LEAST_KEPT = 0.5  # of the shorter one: with less, as in a translation, nearly every word would be marked


@dataclass(frozen=True)
class Piece:
    """A part of a prompt, and whether only this one of the two has it."""

    text: str
    is_changed: bool


@dataclass(frozen=True)
class Change:
    """Two prompts in pieces; nothing is marked where they have little in common."""

    before: list[Piece]
    after: list[Piece]


def of(before: str, after: str) -> Change:
    """Compare two prompts."""
    old, new = WORD.findall(before), WORD.findall(after)
    if len(old) + len(new) <= MAX_WORDS:
        codes = SequenceMatcher(None, old, new).get_opcodes()
        kept = _words(word for tag, a, b, _c, _d in codes if tag == "equal" for word in old[a:b])
        if kept >= LEAST_KEPT * min(_words(old), _words(new)):
            return Change(
                _merged((old[a:b], tag != "equal") for tag, a, b, _c, _d in codes),
                _merged((new[c:d], tag != "equal") for tag, _a, _b, c, d in codes),
            )
    return Change([Piece(before, False)], [Piece(after, False)])


def _words(parts: Iterable[str]) -> int:
    """How many of the parts are more than a gap."""
    return sum(not part.isspace() for part in parts)


def _merged(parts: Iterator[tuple[list[str], bool]]) -> list[Piece]:
    return [Piece("".join(words), is_changed) for words, is_changed in parts if words]


def context_of(row: PromptHelp) -> dict[str, Any]:
    """What the template of a helper's call needs: itself, and how each answer differs from what was asked."""
    changes = [of(row.text, answer) for answer in row.answers]
    return {"help": row, "changes": changes, "is_one": row.task != HelpTask.VARIANTS}
