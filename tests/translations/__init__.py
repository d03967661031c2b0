"""Every text that people read can be translated: a check of templates, Python code and scripts.

`templates`, `source` and `scripts` each have a function `faults`, from the text of a file to what is wrong
in it. A rule is the docstring of its function; what is excepted stands in a constant, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LETTER = re.compile(r"[^\W\d_]")
PROSE = re.compile(r"[^\W\d_]{2,}[,;:.!?]? +[^\W\d_]{2,}")  # two words with a space between them
BEGINNING = re.compile(r"[A-Z][a-z]+(?![\w-])")  # of a sentence, or a title of one word
VALUE = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for what a variable holds

# Read the same in every language: the product, a model, a file and its formats, the second of the SI.
NAMES = re.compile(
    rf"aria-[a-z]+=\"[^\"]*\"|\b(sdweb|Core|openapi\.json|PNG|png|JPEG|WebP|SVG)\b|(?<={VALUE}[ /])s\b"
)


class Fault(NamedTuple):
    """A text that nobody can translate: its line, what is wrong, and the text."""

    line: int
    reason: str
    text: str


def has_words(text: str) -> bool:
    """Whether a text holds letters other than those of names."""
    return bool(LETTER.search(NAMES.sub("", text)))


def reads_as_words(text: str) -> bool:
    """Whether a text holds two words, or begins as a sentence does."""
    return bool(PROSE.search(text) or BEGINNING.match(text))


def report(paths: Iterable[Path], faults: Callable[[str], list[Fault]]) -> list[str]:
    """The faults of these files, one a line: path, line, what is wrong, text."""
    return [
        f"{path.relative_to(ROOT)}:{fault.line}: {fault.reason}: {fault.text.replace(VALUE, '…')[:80]}"
        for path in sorted(paths)
        for fault in faults(path.read_text())
    ]
