"""Documents that code, tests and documents name are in the tree, with the headings that are named."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROVIDERS = ROOT / "docs" / "providers"
FOLDERS = ("deploy", "docs", "generations", "sdweb", "static", "templates", "tests")
ENDINGS = {"", ".css", ".html", ".js", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
NAME = r"[\w./-]*[\w-]\.md\b"
NAMED = re.compile(NAME)
QUOTED = r'"[^"]{1,80}"'
CITED = re.compile(rf"({NAME}), ({QUOTED}(?:(?:,| and|, and) {QUOTED})*)")
LINE_END = re.compile(r"\s*\n\s*(?:# |// |\* )?\s*")  # with what begins the next line of a comment


@cache
def sources() -> dict[Path, str]:
    """Every text file of ours that names a document, with its text."""
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    paths = [path for path in (*ROOT.iterdir(), *inside) if _is_ours(path) and path.is_file()]
    texts = {path: path.read_text() for path in sorted(paths)}
    return {path: text for path, text in texts.items() if ".md" in text}


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    foreign = {"vendor", "__pycache__"} & set(parts) or any(part.startswith(".") for part in parts)
    return path.suffix in ENDINGS and not foreign and path != Path(__file__)


def problems(path: Path, text: str) -> list[str]:
    """What is wrong with the documents that a file with this text would name."""
    line = LINE_END.sub(" ", text)
    found = [f"names {name}, which is not there" for name in NAMED.findall(line) if not document(path, name)]
    cited = [(name, re.findall(r'"([^"]+)"', quoted)) for name, quoted in CITED.findall(line)]
    for name, wanted in cited:
        page = document(path, name)
        found += [f'{name} has no heading "{one}"' for one in wanted if page and one not in headings(page)]
    if path.suffix == ".py":
        found += [f"names {name} without a heading" for name in _bare(line, cited)]
    return found


def _bare(line: str, cited: list[tuple[str, list[str]]]) -> list[str]:
    """Pages of docs/providers that are named more often than they are cited with a heading."""
    pages = [name for name in NAMED.findall(line) if "docs/providers/" in name]
    for name, _ in cited:
        if name in pages:
            pages.remove(name)
    return pages


def document(path: Path, name: str) -> Path | None:
    """The document of that name, from the root or beside the file; one in docs/ by its name alone."""
    places = [ROOT / name, path.parent / name, ROOT / "docs" / name]
    return next((place for place in places if place.is_file()), None)


@cache
def headings(page: Path) -> list[str]:
    """The headings of a page, without those of examples."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#{1,6} (.+)$", text, flags=re.MULTILINE)


def test_documents_that_are_named_are_there() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} {problem}"
        for path, text in sources().items()
        for problem in problems(path, text)
    ]
    assert not wrong, "\n".join(wrong)


def test_code_cites_what_is_known_of_providers() -> None:
    texts = [text for path, text in sources().items() if path.suffix == ".py"]
    cited = {name for text in texts for name, _ in CITED.findall(text)}
    assert cited >= {f"docs/providers/{page}.md" for page in ("stability", "gateways", "openai")}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('docs/providers/stability.md, "Statuses"', 0),
        ('docs/providers/stability.md, "Statuses", "Fields" and "Prices"', 0),
        ('# docs/providers/stability.md, "Statuses",\n    # "Fields"', 0),
        ('docs/providers/stability.md, "1.6"', 1),
        ('docs/providers/stability.md, "Statuses", "1.2" and "1.3"', 2),
        ('# docs/providers/stability.md,\n# "1.6"', 1),
        ('docs/providers/dalle.md, "Statuses"', 1),
        ("docs/providers/stability.md", 1),
        ('stability.md, "Statuses"', 1),
        ("providers.md 1.6", 1),
        ("DESIGN.md", 1),
        ("docs/api.md, README.md and api.md", 0),
    ],
)
def test_a_wrong_citation_is_found(text: str, wrong: int) -> None:
    assert len(problems(ROOT / "generations" / "somewhere.py", text)) == wrong


def test_a_heading_stands_once_on_a_page() -> None:
    for page in PROVIDERS.glob("*.md"):
        assert sorted(set(headings(page))) == sorted(headings(page)), page.name


def test_every_page_is_listed_dated_and_sourced() -> None:
    index = (PROVIDERS / "README.md").read_text()
    pages = [page for page in PROVIDERS.glob("*.md") if page.name != "README.md"]
    assert pages
    for page in pages:
        text = page.read_text()
        beginning = " ".join(text.split("\n## ")[0].split())
        assert f"]({page.name})" in index
        assert "poken by sdweb" in beginning, page.name
        assert re.search(r"hecked (?:on )?20\d\d-\d\d-\d\d", beginning), page.name
        assert set(headings(page)) >= {"Statuses", "Traps", "Not known", "Sources"}, page.name
