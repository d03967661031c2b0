"""Templates are written alike: no line is too long, a tag over several lines has one attribute on each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 120
OF_DJANGO = r"\{%.*?%\}|\{\{.*?\}\}"
VALUE = rf""""(?:{OF_DJANGO}|[^"])*"|'(?:{OF_DJANGO}|[^'])*'"""
TAG = re.compile(rf"<[a-z](?:{VALUE}|{OF_DJANGO}|[^\"'>])*>")


def faults(source: str) -> Iterator[tuple[int, str]]:
    """The lines of a template that are written otherwise, and how."""
    for number, line in enumerate(source.split("\n"), 1):
        if len(line) > LONGEST:
            yield number, f"{len(line)} characters"
    for tag in TAG.finditer(source):
        yield from _faults_of_tag(tag[0], source.count("\n", 0, tag.start()) + 1)


def _faults_of_tag(tag: str, first: int) -> Iterator[tuple[int, str]]:
    """Its name, each attribute and the `>` have a line of their own, if the tag is not all on one."""
    if "\n" not in tag:
        return
    names = re.sub(VALUE, lambda value: "\n" * value[0].count("\n"), tag)
    names = re.sub(OF_DJANGO, "", names).removesuffix("/>").removesuffix(">") + " >"
    for number, line in enumerate(names.split("\n"), first):
        if len(line.split()) > 1:
            yield number, "two of a tag's attributes, or its name or end beside one"


def test_no_line_of_a_template_is_too_long_and_a_tag_over_several_has_one_attribute_on_each():
    assert [
        f"{path.relative_to(ROOT)}:{number}: {fault}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for number, fault in faults(path.read_text())
    ] == []


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("<p>\n" + "x" * 121 + "\n</p>", 2),
        ('<p>\n<a\n  class="button" rel="next"\n  href="{% url "home" %}"\n>', 3),
        ('<a class="button"\n  href="{% url "home" %}"\n>', 1),
        ('<a\n  class="button"\n  href="{% url "home" %}">', 3),
        ("<a\n  {% if chosen %}class='is-set' aria-current{% endif %}\n>", 2),
    ],
)
def test_what_is_written_otherwise_is_found(written, line):
    assert [number for number, _ in faults(written)] == [line]


@pytest.mark.parametrize(
    "written",
    [
        '<a class="button" href="{% url "home" %}">\n',
        '<a\n  class="tag {{ more }}"\n  {% if chosen %}hidden{% else %}href="a > b"{% endif %}\n>Home</a>',
        '<use\n  href="#x"\n/><meta\n  content=\'{\n    "a b": "c d"\n  }\'\n>',
    ],
)
def test_what_is_written_so_is_none(written):
    assert list(faults(written)) == []
