"""`python -m tests.chaos`: many jobs, many faults, and whether every promise was kept."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.chaos.run import MUTANTS, Options, run_chaos


def main() -> int:
    """Run one storm; 0 if no promise was broken, or with a mutant if it was caught."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    options = read_options()
    result = run_chaos(options)
    show(result, options)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1, default=str))
    broken = any(result["promises"].values())
    return int(broken != bool(options.mutant))


def read_options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, help="1,000, and 150 in the short form")
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--short", action="store_true", help="every kind once, at the moment that hurts most")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the faults' moments; 0 takes another each time"
    )
    parser.add_argument(
        "--mutant", choices=MUTANTS, default="", help="take a safeguard away; it must be caught"
    )
    parser.add_argument("--json", type=Path, default=Path("test-results/chaos.json"))
    parser.add_argument("--logs", type=Path, help="keep what the processes said in this folder")
    options = parser.parse_args()
    options.jobs = options.jobs or (150 if options.short else 1_000)
    return Options(**vars(options))


def show(result: dict, options: Options) -> None:
    """The table."""
    say(f"\n{options.jobs} jobs on {options.database}, seed {result['seed']}, {result['seconds']:.0f} s")
    say("\nFaults")
    for line in result["events"] if options.short else []:
        say(f"  {line}")
    for name, number in [] if options.short else sorted(result["faults"].items()):
        say(f"  {number:4}  {name}")
    say("\nFacts")
    for name, value in result["facts"].items():
        text = (
            ", ".join(f"{number} {word or 'open'}" for word, number in value.items())
            if isinstance(value, dict)
            else value
        )
        say(f"  {name}: {text}")
    say("\nCalls that were paid for in vain")
    for line in result["wasted"]:
        say(f"  {line}")
    say("\nPromises")
    for promise, wrongs in result["promises"].items():
        say(f"  {'kept  ' if not wrongs else 'BROKEN'}  {promise}")
        for wrong in wrongs[:5]:
            say(f"            {wrong}")
        if len(wrongs) > 5:
            say(f"            and {len(wrongs) - 5} more")
    if options.mutant:
        caught = any(result["promises"].values())
        say(f"\nThe mutant {options.mutant} was {'caught' if caught else 'NOT CAUGHT'}.")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
