"""`python -m tests.bench`: the table of what the portal reaches and costs, beside a bare loop. Not a test.

Its parts are benchmarks of their own, run one after the other. With `--base COMMIT` each of them measures
that commit too, in turn, and the table has the ratios.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench.compare import Part, compare, measured
from tests.bench.report import FOLDER, report
from tests.stage import ROOT

# Each part: the module that measures it, and its arguments.
PARTS = {
    "portal": ("portal",),
    "create": ("create",),
    "engine": ("engine",),
    "engine on SQLite": ("engine", "--database", "sqlite"),
    "engine, 4 keys": ("engine", "--keys", "4", "--workers", "2"),
    "start": ("start",),
    "api": ("api",),
    "library": ("library",),
}


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench.json")
    parser.add_argument("--base", default="", metavar="COMMIT", help="measure it too, in turn")
    parser.add_argument("--rounds", type=int, default=5, help="with --base: how often each is measured")
    options, more = parser.parse_known_args()  # what is left are arguments of all parts
    parts = {name: (*PARTS[name], *more) for name in options.only}
    base, rounds = options.base, options.rounds
    result = compare(base, parts, rounds=rounds) if base else measured(ROOT, parts)
    report(result, _marks(parts), options.json)
    return 0


def _marks(parts: Mapping[str, Part]) -> dict[str, str]:
    return {
        f"{name}: {figure}": mark
        for name, (module, *_arguments) in parts.items()
        for figure, mark in importlib.import_module(f"tests.bench.{module}").MARKS.items()
    }


if __name__ == "__main__":
    sys.exit(main())
