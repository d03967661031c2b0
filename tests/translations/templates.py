"""Letters of a template that stand in no {% translate %} or {% blocktranslate %}, where people read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import Lexer, Token, TokenType
from django.utils.text import smart_split

from tests.translations import VALUE, Fault, has_words, reads_as_words

# Attributes that are shown, or read out.
READ = re.compile(
    "title|alt|placeholder|label|summary|abbr|hx-confirm|hx-prompt"
    "|aria-(label|description|placeholder|roledescription|valuetext)"
)
# Scripts put other data-attributes on the page; these name fields, panels and states to them.
FOR_MACHINES = re.compile(
    "data-(address|chip|density|error-for|expand|field|focus|live|open|range|shortcuts|step|while)"
)
BUTTONS = {"submit", "button", "reset"}
DESCRIPTIONS = re.compile(
    "description|application-name|apple-mobile-web-app-title|author|og:(title|description|site_name)"
)
SILENT = {"script", "style", "code", "kbd", "samp"}  # what is typed or read by machines
# The arguments of these say how a value is written, or what is cut off it.
OF_FORMATS = {"date", "time", "floatformat", "stringformat", "slice", "cut", "add", "dictsort", "get_digit"}
# A variable that is translated holds a text that is marked where it is declared.
MARKED_ELSEWHERE = {"row.model.clause"}  # in the catalogue of models

RAW = "\N{REPLACEMENT CHARACTER}"  # stands for the value of a choice, which is a word of our code
CHOICES = re.compile(r"\w[\w.]*\.(status|state|kind|act|outcome|origin|role|visibility)")
# The bases put them into attributes: the classes of a page.
BLOCKS_FOR_MACHINES = {"block looks", "block body_class"}

LITERAL = re.compile(r"""(?P<before>_\(|\|\w+:|\b[\w-]+=)?(?P<quote>["'])(?P<text>.*?)(?P=quote)""")
IN_TAG = re.compile(r"\s*[\w-]+=\"")  # a part that is included inside of a tag begins with an attribute
TRANSLATE = {"translate", "trans"}
BLOCK = {"blocktranslate", "blocktrans"}


def faults(source: str, *, is_html: bool = True) -> list[Fault]:
    """What of a template nobody could translate; of a mail's plain text with `is_html` False."""
    template = _Template(source)
    if not is_html:
        return sorted(template.faults + list(_in_text(template.shown, 1, "text")))
    reader = _Reader()
    reader.feed(f"<i {template.shown}>" if IN_TAG.match(template.shown) else template.shown)
    reader.close()
    return sorted(template.faults + reader.faults)


class _Template:
    """A template as it is shown, lines kept: without translated texts, with stand-ins for values."""

    def __init__(self, source: str) -> None:
        self.shown = ""
        self.faults: list[Fault] = []
        self.skipping = ""  # the tag that ends what is translated, or not shown
        self.branches: list[bool] = []  # of each {% if %} around: whether it began inside of an HTML tag
        for token in Lexer(source).tokenize():
            self._take(token)

    def _take(self, token: Token) -> None:
        name = token.contents.split(None, 1)[0] if token.contents.strip() else ""
        if self.skipping:
            if token.token_type == TokenType.BLOCK and name == self.skipping:
                self.skipping = ""
            self.shown += "\n" * token.contents.count("\n")
        elif token.token_type == TokenType.TEXT:
            self.shown += token.contents
        elif token.token_type == TokenType.VAR:
            self.shown += RAW if CHOICES.fullmatch(token.contents) else VALUE
            self.shown += "".join(_given_out(token.contents))
        elif token.token_type == TokenType.BLOCK:
            self._tag(token, name)

    def _tag(self, token: Token, name: str) -> None:
        self.faults += _in_tag(token, name)
        if name in BLOCK | {"comment"} or token.contents in BLOCKS_FOR_MACHINES:
            self.skipping = f"end{name}"
        if name in TRANSLATE | BLOCK:
            self.shown += VALUE
        elif name in {"cycle", "firstof"}:
            self.shown += VALUE + "".join(_given_out(token.contents))
        else:
            self._branch(name)

    def _branch(self, name: str) -> None:
        """Every branch begins where the first began, be it inside of an HTML tag that each of them ends."""
        if name == "if":
            self.branches.append(self._is_in_tag())
        elif name == "endif":
            self.branches.pop()
        elif name in {"elif", "else"} and self.branches and self.branches[-1] and not self._is_in_tag():
            self.shown += "<branch"
        self.shown += "" if self.shown.endswith(("<", "</")) else " "  # the name of a tag may be chosen

    def _is_in_tag(self) -> bool:
        return self.shown.rfind("<") > self.shown.rfind(">")


def _given_out(expression: str) -> Iterator[str]:
    """The literals that an expression may put on the page in place of a value."""
    for literal in LITERAL.finditer(expression):
        before = literal["before"] or ""
        if before != "_(" and before[1:-1] not in OF_FORMATS:
            yield literal["text"]
    if re.search(r"\|pluralize(?!:)", expression):
        yield "s"


def _in_tag(token: Token, name: str) -> Iterator[Fault]:
    """Literals that a tag hands on to be read, and variables in place of a text to translate."""
    bits = list(smart_split(token.contents))[1:]
    if name in TRANSLATE and bits and bits[0][0] not in "\"'" and bits[0] not in MARKED_ELSEWHERE:
        yield Fault(token.lineno, "a variable is translated", bits[0])
    for bit in bits[1:] if name in TRANSLATE else bits:
        for literal in LITERAL.finditer(bit):
            before = literal["before"] or ""
            if before == "_(" or (before.startswith("|") and before[1:-1] in OF_FORMATS):
                continue
            is_read = READ.fullmatch(before[:-1].replace("_", "-")) and has_words(literal["text"])
            if is_read or reads_as_words(literal["text"]):
                yield Fault(token.lineno, f"argument of {name}", literal["text"])


def _in_text(text: str, line: int, where: str) -> Iterator[Fault]:
    for offset, written in enumerate(text.split("\n")):
        if has_words(written):
            yield Fault(line + offset, where, written.strip())
        elif RAW in written and not where.startswith("data-"):
            yield Fault(line + offset, f"{where}: the value of a choice, not its label", written.strip())


class _Reader(HTMLParser):
    """Collects what a page says to somebody who looks or listens."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[Fault] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name.strip(VALUE): value or "" for name, value in attrs}
        if tag in SILENT or given.get("translate") == "no" or tag in self.silent:
            self.silent.append(tag)
        for name, value in given.items():
            if _is_read(tag, name, given):
                self.faults += _in_text(value, self.getpos()[0], name)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            self.silent.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.faults += _in_text(data, self.getpos()[0], "text")


def _is_read(tag: str, name: str, given: dict[str, str]) -> bool:
    """Whether people read or hear that attribute of a tag, of which all are given."""
    if name == "value":
        return tag == "input" and given.get("type") in BUTTONS
    if name == "content":
        called = given.get("name") or given.get("property") or ""
        return tag == "meta" and bool(DESCRIPTIONS.fullmatch(called))
    if name.startswith("data-"):
        return not FOR_MACHINES.fullmatch(name)
    return bool(READ.fullmatch(name))
