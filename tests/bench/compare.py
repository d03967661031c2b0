"""The benchmark of another commit and of this tree in turn: `python -m tests.bench --base COMMIT`.

Each round runs both, one right after the other, on whatever else the machine does then. A figure of one run
says little; the ratio of the medians of several rounds says which of the two costs more.
"""

from __future__ import annotations

import io
import json
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.bench.run import Benchmark
from tests.stage import ROOT

NUMBER = re.compile(r"\d+(?:\.\d+)?")
BASE, NOW = "base", "now"

Result = Mapping[str, Any]


def compare(commit: str, *, rounds: int, arguments: Sequence[str]) -> dict[str, Any]:
    """Run both so many times with these arguments; all results, and the table of `ratios`."""
    found: dict[str, list[Result]] = {BASE: [], NOW: []}
    with _checked_out(commit) as base:
        for number in range(rounds):
            # Neither is always the first, which finds the machine as the other has left it.
            for name, tree in ((BASE, base), (NOW, ROOT))[:: 1 if number % 2 == 0 else -1]:
                found[name].append(_measure(tree, arguments))
    return {"commit": commit, "results": found, "ratios": ratios(found[BASE], found[NOW])}


def ratios(base: Sequence[Result], now: Sequence[Result]) -> dict[str, dict[str, float]]:
    """For each figure that all results have: both medians, and now in proportion to base."""
    table, options = {}, {field.name for field in fields(Benchmark)}
    for name in [name for name in base[0] if name not in options]:
        figures = [[_figures(result.get(name)) for result in results] for results in (base, now)]
        shapes = {tuple(each) for results in figures for each in results}
        if len(shapes) != 1:
            continue
        for part in shapes.pop():
            before, after = (statistics.median(each[part] for each in results) for results in figures)
            if before:
                row = {BASE: before, NOW: after, "ratio": round(after / before, 3)}
                table[f"{name} {part}".strip()] = row
    return table


def _figures(value: object) -> dict[str, float]:
    """The numbers of one measurement by name: of "73 / 85" the 50th and the 95th percentile."""
    if isinstance(value, int | float):
        return {"": float(value)}
    parts = str(value).split(" / ")
    if len(parts) == 2 and all(NUMBER.fullmatch(part) for part in parts):
        return {"[p50]": float(parts[0]), "[p95]": float(parts[1])}
    return {}


def _measure(tree: Path, arguments: Sequence[str]) -> Result:
    """What the tree's own benchmark finds, with the packages that are installed here."""
    with tempfile.TemporaryDirectory(prefix="sdweb-bench-") as folder:
        file = Path(folder) / "bench.json"
        command = (sys.executable, "-m", "tests.bench", *arguments, "--json", str(file))
        subprocess.run(command, cwd=tree, stdout=subprocess.DEVNULL, check=True)
        result: Result = json.loads(file.read_text())
        return result


@contextmanager
def _checked_out(commit: str) -> Iterator[Path]:
    """The files of a commit in a folder of their own; the repository is not changed."""
    command = ("git", "-C", str(ROOT), "archive", "--format=tar", commit)
    archive = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="sdweb-base-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield Path(folder)
