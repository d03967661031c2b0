"""Tasks that a provider finishes later: `python -m tests.bench.tasks`. A measurement, not a test.

Thousands of them are at one account at the same time. What polling them costs one worker is measured while
none is finished yet; then how long after its end each picture is stored. With `--kill` the worker is killed
again and again meanwhile, and no task may be ordered twice. `--system midjourney` orders where one question
tells of many tasks.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.processes import Watch, machine_load
from tests.bench.report import FOLDER, report
from tests.sandboxes import Sandbox
from tests.stage import PROVIDER_KEY, Stage, worker_command

MARKS = {
    "CPU of a core while polling (%)": "< 15",
    "memory of the worker at most, PSS (MB)": "< 200",
    "ordered more than once": "0",
}
POLLED_FOR = 20.0  # seconds in which only polls happen
PATIENCE = 240.0
ORDER = {"stability": "/v2beta/", "midjourney": "/submit/"}  # in the paths of orders
PROMPT = {"stability": "background_prompt", "midjourney": "prompt"}
LIMIT = ("--limit", "100000", "--penalty", "1")  # so that the portal's own limit is what counts


@dataclass
class Bench:
    """A portal with one worker, and an account that takes 100 calls a second."""

    database: str
    tasks: int
    seconds: float
    kill: bool
    system: str
    stage: Stage = field(init=False)

    def run(self) -> dict[str, Any]:
        """All measurements, and what they were measured on."""
        self.stage = Stage(self.database)
        try:
            self._open()
            return {"machine": machine_load(), "tasks": self.tasks, "system": self.system} | self._measure()
        finally:
            self.stage.strike()

    def _open(self) -> None:
        stage = self.stage
        stage.start_servers()
        options = ("--plain", "--latency", "0.1", "--credits", "100000000", *LIMIT)
        url = stage.start_provider("provider", *options, "--task-latency", str(self.seconds))
        self.provider = Sandbox(url)
        stage.manage("migrate", "-v0")
        stage.run_to_end("prepare", "tests.bench.tasks_side", "prepare", url, PROVIDER_KEY, self.system)
        self._start_worker()
        schedule = str(stage.folder / "beat-schedule")
        stage.start("beat", ("-m", "celery", "-A", "sdweb", "beat", "--pidfile=", "--schedule", schedule))

    def _start_worker(self) -> None:
        command = ("-m", "celery", "-A", "sdweb", *worker_command("calls", 40, "calls"))
        self.stage.start("calls", command, SPOOL=str(self.stage.folder / "spool"))

    def _measure(self) -> dict[str, Any]:
        submit = ("submit", str(self.tasks), self.system)
        self.stage.run_to_end("submit", "tests.bench.tasks_side", *submit, patience=600)
        found: dict[str, Any] = {}
        if not self.kill:
            self._wait("submitted")
            watch = Watch([self.stage.children["calls"].process.pid])
            before = self._polls()
            time.sleep(POLLED_FOR)
            found["polls a second"] = round((self._polls() - before) / POLLED_FOR, 1)
            cpu, most = watch.end()
            assert self._facts()["states"] == {"submitted": self.tasks}, (
                "some ended meanwhile: give more --seconds"
            )
            found["CPU of a core while polling (%)"] = round(100 * cpu / POLLED_FOR, 1)
            found["memory of the worker at most, PSS (MB)"] = round(most)
        self._wait("succeeded")
        facts = self._facts()
        late = sorted(end - self.seconds for end in facts["seconds"])
        cuts = statistics.quantiles(late, n=20, method="inclusive")
        orders = Counter(
            entry["fields"][PROMPT[self.system]] for entry in self.provider.calls() if self._is_order(entry)
        )
        return found | {
            "states": facts["states"],
            "ordered more than once": sum(count > 1 for count in orders.values()),
            "polls": self._polls(),
            "stored after its end, p50 / p95 (s)": f"{cuts[9]:.1f} / {cuts[18]:.1f}",
        }

    def _polls(self) -> int:
        """The calls so far that ordered nothing."""
        return sum(not self._is_order(entry) for entry in self.provider.calls())

    def _is_order(self, entry: dict[str, Any]) -> bool:
        return entry["method"] == "POST" and ORDER[self.system] in entry["path"]

    def _wait(self, state: str) -> None:
        limit = time.monotonic() + self.seconds + PATIENCE
        while self._facts()["states"] != {state: self.tasks}:
            if time.monotonic() > limit:
                raise TimeoutError(f"not all are {state}: {self._facts()['states']}")
            time.sleep(2)
            if self.kill:
                time.sleep(random.uniform(8, 16))
                self.stage.children["calls"].kill()
                self._start_worker()

    def _facts(self) -> dict[str, Any]:
        file = self.stage.folder / "facts.json"
        self.stage.run_to_end("facts", "tests.bench.tasks_side", "facts", str(file))
        return json.loads(file.read_text())


def main() -> int:
    """Measure, show, and write it down."""
    parser = ArgumentParser(prog="python -m tests.bench.tasks", description=__doc__)
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=120.0, help="seconds a task takes")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--system", choices=ORDER, default="stability")
    parser.add_argument("--kill", action="store_true", help="kill the worker again and again")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-tasks.json")
    options = vars(parser.parse_args())
    file = options.pop("json")
    result = Bench(**options).run()
    report(result, MARKS, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
