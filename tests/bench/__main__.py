"""`python -m tests.bench`: what the engine reaches and what it costs, beside a bare loop. Not a test.

With `--base COMMIT` it runs that commit's benchmark and this one in turn, and shows the ratios.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.bench.compare import BASE, NOW, compare
from tests.bench.run import Bench, Benchmark

MARKS = {
    "calls a second": ">= 14.5 with one key",
    "429s": "0",
    "CPU, ratio": "<= 1.25",
    "memory of a worker at most, PSS (MB)": "<= 160 with 75 calls in flight",
    "own time per image when idle, p50 / p95 (ms)": "<= 15 / 50",
    "slots a newcomer waits": "1, however many wait",
    "submit 10 under load, p50 / p95 (ms)": "<= 25 / 50",
    "stored to shown under load, p50 / p95 (ms)": "p95 <= 100",
}


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--latency", type=float, default=5.0, help="seconds a call takes")
    parser.add_argument("--size", type=int, default=1_620_000, help="bytes of a picture, nearly")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--keys", type=int, default=1, help="provider accounts, each with its own limit")
    parser.add_argument("--json", type=Path, default=Path("test-results/bench.json"))
    parser.add_argument("--base", default="", metavar="COMMIT", help="measure it too, in turn")
    parser.add_argument("--rounds", type=int, default=5, help="with --base: how often each is measured")
    options = vars(parser.parse_args())
    base, rounds, file = options.pop("base"), options.pop("rounds"), options.pop("json")
    result = _compared(base, rounds, options) if base else _measured(options)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=1))
    return 0


def _measured(options: dict[str, Any]) -> dict[str, Any]:
    result = Bench(Benchmark(**options)).run()
    for name, value in result.items():
        sys.stdout.write(f"{name:<48} {value!s:<16} {MARKS.get(name, '')}\n".rstrip() + "\n")
    return result


def _compared(base: str, rounds: int, options: dict[str, Any]) -> dict[str, Any]:
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    result = compare(base, rounds=rounds, arguments=arguments)
    sys.stdout.write(f"{'median of ' + str(rounds):<58} {base[:10]:>10} {'now':>10} {'ratio':>8}\n")
    for name, row in result["ratios"].items():
        sys.stdout.write(f"{name:<58} {row[BASE]:>10} {row[NOW]:>10} {row['ratio']:>8}\n")
    return result


if __name__ == "__main__":
    sys.exit(main())
