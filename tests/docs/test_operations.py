"""docs/operations.md has every alert: of Create, of the notices, of readiness."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
ALERTS = ROOT / "generations" / "jobs" / "monitoring" / "alerts.py"
NOTICES = ROOT / "generations" / "office" / "notices" / "messages.py"
READINESS = ROOT / "generations" / "jobs" / "monitoring" / "readiness.py"


def called(path: Path, *names: str) -> Iterator[str]:
    """The last text with which these functions are called: ngettext's plural, the sentence of the rest."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield from (text for text in texts[-1:] if isinstance(text, str))


def problems_of_readiness() -> list[str]:
    """What is raised, and what says for Redis why it is."""
    body = READINESS.read_text().partition("def _redis_problem")[2].partition("\ndef ")[0]
    return [*called(READINESS, "NotReady"), *re.findall(r'return "([^"]+)"', body)]


def parts(text: str) -> list[str]:
    """What a sentence says between its names and numbers."""
    return [part.strip(" :.") for part in re.split(r"%\(\w+\)s", text) if part.strip(" :.")]


def lines_with(wanted: list[str]) -> list[str]:
    return [line for line in PAGE.splitlines() if all(part in line for part in wanted)]


@pytest.mark.parametrize("text", [*called(ALERTS, "_", "ngettext")])
def test_every_alert_has_a_row(text: str) -> None:
    assert lines_with(parts(text)), text


def test_every_notice_has_a_row() -> None:
    titles = NOTICES.read_text().partition("titles = {")[2].partition("}")[0]
    said = re.findall(r'_\("([^"]+)"\)', titles)
    assert len(said) >= 5
    assert [text for text in said if not lines_with([text])] == []


@pytest.mark.parametrize("text", problems_of_readiness())
def test_every_problem_of_readiness_has_a_row(text: str) -> None:
    assert lines_with([f"| {text} |"]), text
