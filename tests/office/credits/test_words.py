"""What people read says "team credits"; "pool" is a word of the code and of the API alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
POOL = re.compile(r"\bpools?\b", re.IGNORECASE)
IN_TEMPLATES = re.compile(
    r"""\{% translate (?:"([^"]*)"|'([^']*)')|\{% blocktranslate[^%]*%\}(.*?)\{% endblocktranslate""",
    re.DOTALL,
)
VALUES = re.compile(r"\{\{.*?\}\}|%\(\w+\)s")
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
LATER = ROOT / "generations" / "teams" / "models"  # help of the back office, which a migration would change


def texts_of_templates() -> Iterator[tuple[Path, str]]:
    for path in (ROOT / "templates").rglob("*.html"):
        for found in IN_TEMPLATES.finditer(path.read_text()):
            yield path, "".join(part or "" for part in found.groups())


def texts_of_code() -> Iterator[tuple[Path, str]]:
    for path in (ROOT / "generations").rglob("*.py"):
        if "migrations" in path.parts or LATER in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
                for each in node.args:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield path, each.value


def test_nobody_reads_of_pools() -> None:
    texts = [*texts_of_templates(), *texts_of_code()]
    assert len(texts) > 1_000
    assert [(path.name, text) for path, text in texts if POOL.search(VALUES.sub("", text))] == []
