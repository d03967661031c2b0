"""`python -m tests.bench.engine`: what the engine reaches and what it costs, beside a bare loop. Not a test.

First pictures one by one, then under load, then the bare loop, all on one stage.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.browser import OpenPage, press, signed_in
from tests.bench.processes import Watch, machine_load
from tests.bench.report import FOLDER, report
from tests.sandboxes import Sandbox
from tests.stage import PROVIDER_KEY, Stage, worker_command

MARKS = {
    "calls a second": ">= 14.5 with one key, >= 40 with four",
    "429s": "0",
    "CPU, ratio": "<= 1.4",
    "memory of a worker at most, PSS (MB)": "<= 160 with 75 calls in flight",
    "own time per image when idle, p50 / p95 (ms)": "<= 30 / 60",
    "slots a newcomer waits": "1, however many wait",
    "submit 10 under load, p50 / p95 (ms)": "<= 25 / 50",
    "stored to shown under load, p50 / p95 (ms)": "p95 <= 100",
}
LIMIT, WINDOW, MARGIN = 150, 10.0, 0.25
FORMATS = {"webp": 97_000, "jpeg": 197_000, "png": 1_620_000}  # bytes of the stand-in's plain picture
PER_FORM = 10
IDLE = 8
PATIENCE = 120.0  # seconds beyond what the pace asks for


@dataclass(frozen=True)
class Benchmark:
    """How large it is."""

    jobs: int
    workers: int
    latency: float
    size: int
    database: str
    keys: int

    @property
    def output_format(self) -> str:
        """The format whose picture comes nearest to the size."""
        return min(FORMATS, key=lambda name: abs(FORMATS[name] - self.size))

    @property
    def interval(self) -> float:
        """Seconds between two calls, all keys together."""
        return (WINDOW + MARGIN) / LIMIT / self.keys

    @property
    def threads(self) -> int:
        """Enough for all calls in flight, even if one worker gets most of them."""
        return min(400, int(self.latency / self.interval) + 40)


@dataclass
class Bench:
    """The portal on its stage."""

    options: Benchmark
    stage: Stage = field(init=False)
    providers: list[Sandbox] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """All measurements, and what they were measured on."""
        self.stage = Stage(self.options.database)
        try:
            self._open()
            idle = self._idle()
            under_load = self._load()
            bare = self._bare()
        finally:
            self.stage.strike()
        ratio = under_load["CPU per image, workers (ms)"] / bare["CPU per image, bare loop (ms)"]
        about = {"measured": str(self.options), "machine": machine_load()}
        return about | idle | under_load | bare | {"CPU, ratio": round(ratio, 2)}

    def _open(self) -> None:
        stage, options = self.stage, self.options
        stage.start_servers()
        for number in range(options.keys):
            url = stage.start_provider(
                f"provider-{number}", "--plain", "--latency", "0.2", "--credits", "10000000"
            )
            self.providers.append(Sandbox(url))
        self.port = free_port()
        self.address = f"http://{LOOPBACK}:{self.port}"
        stage.environment |= {"PUBLIC_URL": self.address, "STATIC_ROOT": str(stage.folder / "static")}
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        people = stage.folder / "people.json"
        urls = [provider.url for provider in self.providers]
        stage.run_to_end("prepare", "tests.bench.portal_side", "prepare", str(people), PROVIDER_KEY, *urls)
        self._start_processes()
        known = json.loads(people.read_text())
        self.newcomer, self.crowd = (
            signed_in(self.address, known["team"], cookies) for cookies in known["people"].values()
        )
        self.page = OpenPage(self.newcomer, self.address, known["team"])
        self.crowd_page = OpenPage(self.crowd, self.address, known["team"])

    def _start_processes(self) -> None:
        stage = self.stage
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {self.port} --no-access-log"
        web = stage.start("web", tuple(serve.split()), ready=lambda: answers(self.port))
        self.workers = [f"calls-{number + 1}" for number in range(self.options.workers)]
        celery = ("-m", "celery", "-A", "sdweb")
        for name in (*self.workers, "upkeep"):
            queue, threads = ("calls", self.options.threads) if name in self.workers else (name, 4)
            command = (*celery, *worker_command(queue, threads, name))
            stage.start(name, command, SPOOL=str(stage.folder / f"spool-{name}"))
        schedule = str(stage.folder / "beat-schedule")
        stage.start("beat", (*celery, "beat", "--pidfile=", "--schedule", schedule))
        web.wait_until_ready()

    def _idle(self) -> dict[str, Any]:
        """What the portal adds to a call when nobody else is there."""
        for number in range(IDLE):
            press(self.newcomer, prompt=f"idle {number}", output_format=self.options.output_format)
            self._wait(number + 1, 60.0)
        rows = self._facts()[2:]  # the first ones find cold processes and a limiter's first window
        calls = self._calls()
        own = [row["ended"] - row["made"] - calls[row["prompt"]]["seconds"] for row in rows]
        shown = [self.page.shown[row["id"]] - row["ended"] for row in rows if row["id"] in self.page.shown]
        return {
            "own time per image when idle, p50 / p95 (ms)": _milliseconds(own),
            "stored to shown when idle, p50 / p95 (ms)": _milliseconds(shown),
        }

    def _load(self) -> dict[str, Any]:
        options = self.options
        for provider in self.providers:
            provider.state(latency=options.latency)
        before = len(self._facts())
        watch = Watch([self.stage.children[name].process.pid for name in self.workers])
        presses = [self._crowd_presses(number) for number in range(options.jobs // PER_FORM)]
        press(self.newcomer, prompt="newcomer", output_format=options.output_format)
        self._wait(before + len(presses) * PER_FORM + 1, options.jobs * options.interval + PATIENCE)
        cpu, most = watch.end()
        rows = self._facts()[before:]
        return self._reckon(rows, presses) | {
            "CPU per image, workers (ms)": round(1000 * cpu / len(rows), 1),
            "memory of a worker at most, PSS (MB)": round(most),
        }

    def _crowd_presses(self, number: int) -> float:
        form = {"prompt": f"crowd {number}", "count": PER_FORM, "output_format": self.options.output_format}
        return press(self.crowd, **form)

    def _reckon(self, rows: list[dict[str, Any]], presses: list[float]) -> dict[str, Any]:
        calls = [
            entry for provider in self.providers for entry in provider.calls() if entry["method"] == "POST"
        ]
        load = sorted(_moment(entry) for entry in calls if not entry["fields"]["prompt"].startswith("idle"))
        [newcomer] = [row for row in rows if row["prompt"] == "newcomer"]
        ahead = sum(
            newcomer["made"] < row["called"] < newcomer["called"] for row in rows if row is not newcomer
        )
        shown = [
            self.crowd_page.shown[row["id"]] - row["ended"]
            for row in rows
            if row["id"] in self.crowd_page.shown
        ]
        middle = load[len(load) // 10 : -max(1, len(load) // 20)]  # without the start and the end
        states = [provider.state() for provider in self.providers]
        return {
            "images": sum(row["status"] == "succeeded" for row in rows),
            "calls a second": round((len(middle) - 1) / (middle[-1] - middle[0]), 2),
            "calls a second, at most": round(1 / self.options.interval, 2),
            "fullest window of 10 s": max(state["fullest_window"] for state in states),
            "429s": sum(state["rate_limited"] for state in states),
            "slots a newcomer waits": ahead,
            "submit 10 under load, p50 / p95 (ms)": _milliseconds(presses[1:]),
            "stored to shown under load, p50 / p95 (ms)": _milliseconds(shown),
        }

    def _bare(self) -> dict[str, Any]:
        options = self.options
        time.sleep(WINDOW + MARGIN)  # the provider's window is empty again
        jobs = min(options.jobs, 300)
        threads = int(options.latency / options.interval) + 10
        arguments = (self.providers[0].url, PROVIDER_KEY, options.output_format, jobs, threads)
        interval = options.interval * options.keys
        child = self.stage.start("bare", ("-m", "tests.bench.bare", *map(str, arguments), str(interval)))
        assert child.process.wait(jobs * interval + PATIENCE) == 0, child.last_log_line()
        found = json.loads(child.program.log.read_text().splitlines()[-1])
        return {
            "CPU per image, bare loop (ms)": round(1000 * found["cpu"], 1),
            "memory of the bare loop (MB)": round(found["memory"]),
        }

    def _facts(self) -> list[dict[str, Any]]:
        file = self.stage.folder / "facts.json"
        self.stage.run_to_end("facts", "tests.bench.portal_side", "facts", str(file))
        return json.loads(file.read_text())

    def _wait(self, images: int, patience: float) -> None:
        """Until so many pictures were shown to their members; TimeoutError if they were not."""
        limit = time.monotonic() + patience
        while (shown := len(self.page.shown) + len(self.crowd_page.shown)) < images:
            if time.monotonic() > limit:
                raise TimeoutError(f"open pages were told of {shown} of {images} pictures")
            time.sleep(0.05)

    def _calls(self) -> dict[str, dict[str, Any]]:
        entries = [entry for provider in self.providers for entry in provider.calls()]
        return {entry["fields"]["prompt"]: entry for entry in entries if entry["method"] == "POST"}


def _moment(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["at"]).timestamp()


def _milliseconds(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "-"
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"{1000 * cuts[9]:.0f} / {1000 * cuts[18]:.0f}"


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine", description=__doc__)
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--latency", type=float, default=5.0, help="seconds a call takes")
    parser.add_argument("--size", type=int, default=1_620_000, help="bytes of a picture, nearly")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--keys", type=int, default=1, help="provider accounts, each with its own limit")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-engine.json")
    options = vars(parser.parse_args())
    file = options.pop("json")
    report(Bench(Benchmark(**options)).run(), MARKS, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
