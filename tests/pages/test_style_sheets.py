"""Style sheets keep pages quick."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = sorted((Path(__file__).parents[2] / "static" / "css").glob("*.css"))
# Without scripts nothing changes on a page but what is clicked.
OF_SCRIPTS = "html:not(.js) "
NAMES = r"(?:html|body|main|:root|\.(?:batches|rows|stream|create))"
AROUND_ALL = re.compile(rf"(?:^|[\s,{{}}>~+]){NAMES}(?:[.#\[][^\s:]*)*:has\(")


def asks_all(line: str) -> bool:
    """Whether a rule asks an element that is around all pictures what it has."""
    return bool(AROUND_ALL.search(line)) and OF_SCRIPTS not in line


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_nothing_around_all_pictures_is_asked_what_it_has(path):
    # Chromium 156 looks again at each icon of each tile after any change below such an element:
    # 22 ms at 200 pictures.
    assert [line.strip() for line in path.read_text().splitlines() if asks_all(line)] == []


def test_such_rules_are_found():
    assert asks_all("body:has(.tabs) { }")
    assert asks_all("@media (x) { :root:has(.a) { } }")
    assert asks_all("a, html:has(b) { }")
    assert asks_all("main.x:has(b) > i { }")
    assert not any(map(asks_all, (".tile:has(> a) { }", ".has-tabs { }", "html:not(.js) body:has(b) { }")))
