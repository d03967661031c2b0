"""Literals of a script that people would read: their texts stand in templates, in data-attributes."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.translations import VALUE, Fault, has_words, reads_as_words

# What is assigned to these is read, and what these functions are handed.
PLACES = "textContent|(inner|outer)(Text|HTML)|title|alt|placeholder|label|ariaLabel|ariaDescription"
SPEAKING = re.compile(
    "alert|confirm|prompt|notice|speak|setText|setCustomValidity|Option|Notification"
    "|append|prepend|before|after|replaceChildren|replaceWith|createTextNode|insertAdjacent(Text|HTML)"
)
ATTRIBUTES = {"title", "alt", "placeholder", "label", "aria-label", "aria-description", "aria-valuetext"}
# Selectors look for elements and end there.
LOOKING = {"querySelector", "querySelectorAll", "closest", "matches", "find", "one", "press", "matchMedia"}
# Names of keys, and of interfaces of the browser.
FOR_MACHINES = re.compile(
    r"Enter|Escape|Tab|Home|End|Delete|Backspace|Arrow\w+|Page(Up|Down)|Files|BroadcastChannel"
)

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<regex>(?<=[(,=:\[!&|?{};])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\n\[])+/\w*)
      | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<template>`)""",
    re.VERBOSE | re.DOTALL,
)
MARK = re.compile("«(\\d+)»")


class Literal(NamedTuple):
    line: int
    text: str


class _Script:
    """A script with its literals taken out: «0» stands for the first, and expressions in them follow."""

    def __init__(self, source: str) -> None:
        self.source, self.literals, self.code = source, list[Literal](), ""
        self._read(0, len(source))

    def _read(self, at: int, end: int) -> None:
        while at < end:
            token = TOKEN.search(self.source, at, end)
            self.code += self.source[at : token.start() if token else end]
            if not token:
                return
            at = token.end()
            if token["text"]:
                self._add(token.start("text"), token["text"][1:-1])
            elif token["template"]:
                at = self._template(token.start())

    def _template(self, start: int) -> int:
        """Take out a template and read the expressions in it; where it ends."""
        at, text, expressions = start + 1, "", list[tuple[int, int]]()
        while self.source[at] != "`":
            if self.source.startswith("${", at):
                closed = _closing(self.source, at + 2)
                expressions.append((at + 2, closed))
                text, at = text + VALUE, closed + 1
            else:
                step = 2 if self.source[at] == "\\" else 1
                text, at = text + self.source[at : at + step], at + step
        self._add(start, text)
        for expression in expressions:
            self.code += "${"
            self._read(*expression)
            self.code += "}"
        return at + 1

    def _add(self, start: int, text: str) -> None:
        self.code += f"«{len(self.literals)}»"
        self.literals.append(Literal(self.source.count("\n", 0, start) + 1, text))


def _closing(source: str, at: int) -> int:
    """Where the brace closes that was opened before `at`."""
    depth = 1
    while True:
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        if not depth:
            return at
        at += 1


def faults(source: str) -> list[Fault]:
    """What of a script nobody could translate."""
    script = _Script(source)
    assigned = _assigned(script.code)
    found = []
    for mark in MARK.finditer(script.code):
        line, text = script.literals[int(mark[1])]
        called = _enclosing(script.code, mark.start())
        words = re.sub("<[^>]*>", "", text)
        is_shown = _is_handed(script.code, mark, called) or _is_attribute(script, mark)
        is_shown = is_shown or (called == "" and mark.start() in assigned)
        if is_shown and has_words(words) and not _is_compared(script.code, mark):
            found.append(Fault(line, "is shown", text))
        elif called not in LOOKING and _is_of_words(script.code, mark, words):
            found.append(Fault(line, "reads as words", text))
    return found


def _assigned(code: str) -> set[int]:
    """Where the literals begin that are part of what is assigned to a place that people read."""
    statements = re.finditer(rf"\b(?:{PLACES})\s*(?:\+?=(?!=)|:)(?P<value>[^;]*)", code)
    values = ((each.start("value"), each["value"]) for each in statements)
    return {start + mark.start() for start, value in values for mark in MARK.finditer(value)}


def _enclosing(code: str, at: int) -> str:
    """The function that what stands there is handed to; "[" for a key, "" for neither."""
    depth = 0
    for start in range(at - 1, -1, -1):
        depth += {")": 1, "]": 1, "}": 1, "(": -1, "[": -1, "{": -1}.get(code[start], 0)
        if depth >= 0:
            continue
        named = re.search(r"([\w$)\]]+)(\?\.)?$", code[max(0, start - 40) : start])
        if code[start] == "{" or (code[start] == "[" and named):
            return code[start].strip("{")
        if code[start] == "(" and named and named[1] not in {"if", "switch", "while"}:
            return named[1]
        depth = 0  # a group, or a list
    return ""


def _is_handed(code: str, mark: re.Match[str], called: str) -> bool:
    """Whether a function that shows a text is handed it; `append` with two arguments names a form's field."""
    if called == "say":
        return bool(re.search(r"\bsay\([^,]*$", code[: mark.start()]))
    is_name = called == "append" and re.match(r"\s*,", code[mark.end() :])
    return bool(SPEAKING.fullmatch(called)) and not is_name


def _is_attribute(script: _Script, mark: re.Match[str]) -> bool:
    """Whether it is the value of an attribute that people read: setAttribute("title", …)."""
    before = re.search(r"setAttribute\(\s*«(\d+)»\s*,[^;]*$", script.code[: mark.start()])
    return bool(before) and script.literals[int(before[1])].text in ATTRIBUTES


def _is_compared(code: str, mark: re.Match[str]) -> bool:
    before, after = code[: mark.start()], code[mark.end() :]
    return bool(re.search(r"[!=]==?\s*$", before) or re.match(r"\s*[!=]==?", after))


def _is_of_words(code: str, mark: re.Match[str], text: str) -> bool:
    """Whether it holds two words, or begins like a sentence, and is neither a class nor a style."""
    if re.search(r"(className|\.style\.\w+|\.\w*[sS]ize)\s*=\s*[^;]*$", code[: mark.start()]):
        return False
    return reads_as_words(text) and not FOR_MACHINES.fullmatch(text)
