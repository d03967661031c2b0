"""The lists of CONTRIBUTING.md, "Standard changes", name every file that their example stands in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
CHANGES = dict(
    re.findall(r"^### ([^\n]+)\n(.*?)(?=^##)", TEXT.partition("## Standard changes")[2], re.M | re.S)
)
EXAMPLES = {
    title: found[1]
    for title, text in CHANGES.items()
    if (found := re.search(r"^Example: `(.+)`$", text, re.M))
}
PATH = re.compile(r"`((?:[\w.<>-]+/)+[\w.<>-]*|[\w.-]+\.(?:md|yml|toml))`")
# What every change has anyway, and what is written by a machine from the rest.
ALWAYS = re.compile(r"(tests|docs)/|CHANGELOG\.md|CONTRIBUTING\.md|.*/migrations/|.*/maintenance/seed")


def paths(title: str) -> list[str]:
    return PATH.findall(CHANGES[title])


def pattern(path: str) -> str:
    """The path as a regular expression: `<room>` stands for any folder, a folder for all that is in it."""
    escaped = re.sub(r"<\w+>", r"[^/]+", re.escape(path).replace(r"\<", "<").replace(r"\>", ">"))
    return escaped + (".*" if path.endswith("/") else "")


def files_with(text: str) -> list[str]:
    command = ["git", "grep", "--untracked", "-lFw", text]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


def test_the_usual_changes_are_described():
    assert {"A provider", "A model", "A field", "A library filter", "A bulk action"} <= CHANGES.keys()
    assert {"A notice", "A page", "A setting"} <= CHANGES.keys()


@pytest.mark.parametrize("title", CHANGES)
def test_every_path_of_a_list_exists(title):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    missing = [path for path in paths(title) if not re.search(f"^{pattern(path)}", tracked, re.M)]
    assert paths(title)
    assert missing == []


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_example_of_a_list_stands_in_no_other_file(title):
    found = [name for name in files_with(EXAMPLES[title]) if not ALWAYS.match(name)]
    unnamed = [name for name in found if not any(re.fullmatch(pattern(path), name) for path in paths(title))]
    assert found
    assert unnamed == []
