"""The benchmarks of another commit and of this tree in turn: `python -m tests.bench --base COMMIT`.

Both are measured by the benchmarks of this tree, so that a figure means the same in both. Each round runs
both, one right after the other, on whatever else the machine does then. A figure of one run says little; the
ratio of the medians of several rounds says which of the two costs more.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stage import ROOT

NUMBER = re.compile(r"\d+(?:\.\d+)?")
BASE, NOW = "base", "now"

Result = Mapping[str, Any]  # a figure, or "p50 / p95", by what it is of
Part = Sequence[str]  # a module of tests.bench, and its arguments


def compare(commit: str, parts: Mapping[str, Part], *, rounds: int) -> dict[str, dict[str, float | None]]:
    """Run both so many times; the table of `ratios`."""
    found: dict[str, list[Result]] = {BASE: [], NOW: []}
    with _checked_out(commit) as base:
        for number in range(rounds):
            # Neither is always the first, which finds the machine as the other has left it.
            for name, tree in ((BASE, base), (NOW, ROOT))[:: 1 if number % 2 == 0 else -1]:
                found[name].append(measured(tree, parts))
    return ratios(found[BASE], found[NOW])


def measured(tree: Path, parts: Mapping[str, Part]) -> dict[str, Any]:
    """What these benchmarks find in a tree, with the packages that are installed here."""
    return {
        f"{name}: {figure}": value
        for name, part in parts.items()
        for figure, value in _measured(tree, part).items()
    }


def ratios(base: Sequence[Result], now: Sequence[Result]) -> dict[str, dict[str, float | None]]:
    """For each figure that all results have: both medians, and now in proportion to base."""
    table = {}
    for name in base[0]:
        figures = [[_figures(result.get(name)) for result in results] for results in (base, now)]
        shapes = {tuple(each) for results in figures for each in results}
        if len(shapes) != 1:
            continue
        for part in shapes.pop():
            before, after = (statistics.median(each[part] for each in results) for results in figures)
            ratio = round(after / before, 3) if before else None
            medians = {BASE: round(before, 3), NOW: round(after, 3)}
            table[f"{name} {part}".strip()] = {**medians, "ratio": ratio}
    return table


def _figures(value: object) -> dict[str, float]:
    """The numbers of one measurement by name: of "73 / 85" the 50th and the 95th percentile."""
    if isinstance(value, int | float):
        return {"": float(value)}
    parts = str(value).split(" / ")
    if len(parts) == 2 and all(NUMBER.fullmatch(part) for part in parts):
        return {"[p50]": float(parts[0]), "[p95]": float(parts[1])}
    return {}


def _measured(tree: Path, part: Part) -> Result:
    module, *arguments = part
    with tempfile.TemporaryDirectory(prefix="sdweb-bench-") as folder:
        file = Path(folder) / "bench.json"
        command = (sys.executable, "-m", f"tests.bench.{module}", *arguments, "--json", str(file))
        subprocess.run(command, cwd=tree, stdout=subprocess.DEVNULL, check=True)
        result: Result = json.loads(file.read_text())
        return result


@contextmanager
def _checked_out(commit: str) -> Iterator[Path]:
    """The files of a commit with the tests of this tree, in a folder of their own."""
    command = ("git", "-C", str(ROOT), "archive", "--format=tar", commit)
    archive = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="sdweb-base-") as name:
        folder = Path(name)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        shutil.rmtree(folder / "tests")
        shutil.copytree(ROOT / "tests", folder / "tests")
        yield folder
