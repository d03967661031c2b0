"""A language in which every translated text stands in ⟦ ⟧, and what a page says outside of them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from django.utils.safestring import SafeData, SafeString

from generations.providers.catalogue import registry as catalogue_registry

SPOKEN = {"title", "aria-label", "placeholder", "alt", "label"}
# What scripts put on a page; other data-attributes are for machines.
SCRIPTED = re.compile(
    "data-(words|none|private|missing|cut|seed|random|guidance|just-now|minutes|hours|next|one|two|few|other|about"
    "|about-minutes|elapsed|longer|drawing|waiting|still|offline|held|settled|paid|free|copied|failed)"
)
SILENT = {"script", "style", "code", "kbd", "textarea"}  # keys are called what is printed on them
VOID = {"input", "img", "meta", "link", "br", "hr", "wbr", "use", "path", "rect", "circle", "polyline"}
# Data of these tests, what their provider says, names that are the same in every language, units of the SI.
KNOWN = re.compile(
    r"[Ss]dweb|PNG|JPEG|WebP|WEBP|Studio North|[Ss]andbox( \d)?|[\w.+-]+@studio\.example|https?://\S+"
    r"|\b(Mei|Jonas)\b|^\s*[MJ]\s*$|a quiet harbour at dawn|a lighthouse in the fog|\(HTTP \d+\)"
    r"|authorization: invalid or missing header value|The requested resource does not exist"
    r"|Insufficient credits\. Purchase more credits at|(?<=\d)( |/)s\b|"
    + "|".join(re.escape(model.title) for model in catalogue_registry.MODELS.values()),
    re.MULTILINE,
)


def marks(function: Any) -> Any:
    """The same function of Django's translation, whose answers stand in marks."""

    def translate(*arguments: Any) -> str:
        text = function(*arguments)
        if not text:
            return text
        return SafeString(f"⟦{text}⟧") if isinstance(text, SafeData) else f"⟦{text}⟧"

    return translate


class Reader(HTMLParser):
    """Collects all that a page says to somebody who looks or listens."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.spoken: list[str] = []  # each by itself
        self.text = ""  # as one, since a sentence may hold a link
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.inside.append(tag)
        self.spoken += [value for name, value in given.items() if name in SPOKEN or SCRIPTED.fullmatch(name)]
        if tag == "input" and given.get("type") in ("submit", "button", "reset"):
            self.spoken.append(given.get("value", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.inside.pop()

    def handle_endtag(self, tag: str) -> None:
        while tag in self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not SILENT & set(self.inside):
            self.text += f"{data}\n"


def outside(text: str) -> str:
    """What is left of a text without all that stands in marks."""
    while (shorter := re.sub("⟦[^⟦⟧]*⟧", "", text)) != text:
        text = shorter
    return text


def bare(page: str) -> list[str]:
    """What the page says in English to everybody."""
    reader = Reader()
    reader.feed(page)
    left = "\n".join(KNOWN.sub("", outside(text)) for text in [reader.text, *reader.spoken])
    return sorted({line.strip() for line in left.splitlines() if re.search(r"[^\W\d_]", line)})


def said(answer: Any) -> list[str]:
    """The same of an answer, which must be one of a page, marked at least once."""
    page = answer.content.decode()
    assert "⟦" in page, answer
    return bare(page)
