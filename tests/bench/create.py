"""`python -m tests.bench.create`: what ten pictures cost the web process, from the form to the page after it.

Not a test. People whose stream is empty, and people who have `--stream` pictures in it, ask for the form with
all models of all systems, press Generate for ten and ask for the page after that, each person once. Then they
press again as scripts do, which take the new batch from the answer.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.processes import cpu_seconds, machine_load
from tests.bench.report import FOLDER, report
from tests.journeys.studio import hidden
from tests.stage import Stage

MARKS = {
    "0 pictures: form, press of ten, page after it, CPU (ms)": "<= 100",
    "120 pictures: form, press of ten, page after it, CPU (ms)": "<= 100",
    "120 pictures: Create, HTML (KB)": "<= 60",
    "120 pictures: Create, first byte, p50 / p95 (ms)": "<= 30 / 60",
}
STEPS = ("form", "press", "page after it", "press with scripts")
BROWSERS = "gzip, deflate, br, zstd"  # encodings that they take
COLD = 2  # people who find a cold process
PIECE = 1_000_000  # steps of a loop that tells how fast the machine is just now


class Person:
    """Somebody at a browser, and the page before their eyes."""

    def __init__(self, address: str, team: str, cookie: str) -> None:
        self.url = f"{address}/t/{team}/create/"
        self.browser = requests.Session()
        self.browser.cookies.set("bench_sessionid", cookie)
        self.browser.headers["Accept-Encoding"] = BROWSERS
        self.first_byte = 0.0

    def look(self) -> None:
        """Ask for Create."""
        answer = self.browser.get(self.url, timeout=60)
        assert answer.status_code == 200, answer.status_code
        self.first_byte, self.page = answer.elapsed.total_seconds(), answer.text

    def press(self) -> None:
        """Press Generate without scripts; the next page is that of the redirect."""
        answer = self.browser.post(self.url, data=self._form(), timeout=60, allow_redirects=False)
        assert answer.status_code == 302, (answer.status_code, answer.text[:2000])
        self.url = requests.compat.urljoin(self.url, answer.headers["Location"])

    def press_with_scripts(self) -> None:
        """Press Generate as htmx does: the answer is the new batch."""
        answer = self.browser.post(self.url, data=self._form(), headers={"HX-Request": "true"}, timeout=60)
        assert answer.status_code == 200, (answer.status_code, answer.text[:2000])
        assert answer.text.count('id="tile-') == 10, answer.text[:2000]

    def _form(self) -> dict[str, str]:
        names = ("csrfmiddlewaretoken", "prices_at")
        sent = {name: hidden(self.page, name) for name in names} | {"submission": str(uuid.uuid4())}
        return sent | {"prompt": "a quiet harbour", "model": "core", "count": "10"}


class CreateBench:
    """A web process and a database."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.stage = Stage("sqlite")

    def run(self) -> dict[str, Any]:
        """Fill, then have each person look and press."""
        try:
            self._open()
            pieces = [_piece()]
            result: dict[str, Any] = {"machine": machine_load(), "models": self.said["models"]}
            for stream in ("0", str(self.options.stream)):
                result |= self._measure(stream)
                pieces.append(_piece())
        finally:
            self.stage.strike()
        return result | {"a fixed piece of Python, CPU (ms)": round(statistics.median(pieces), 1)}

    def _open(self) -> None:
        stage, options = self.stage, self.options
        stage.start_servers()
        port = free_port()
        self.address = f"http://{LOOPBACK}:{port}"
        stage.environment |= {"COOKIE_PREFIX": "bench_", "PUBLIC_URL": self.address}
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        file = stage.folder / "said.json"
        numbers = (str(COLD + options.people), str(options.stream))
        stage.run_to_end("fill", "tests.bench.create_side", str(file), *numbers, patience=900)
        self.said = json.loads(file.read_text())
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {port} --no-access-log"
        web = stage.start("web", tuple(serve.split()), ready=lambda: answers(port))
        web.wait_until_ready()
        assert web.process
        self.pid = web.process.pid

    def _measure(self, stream: str) -> dict[str, Any]:
        found: dict[str, list[float]] = defaultdict(list)
        for number, cookie in enumerate(self.said[stream]):
            figures = self._walked(Person(self.address, self.said["team"], cookie))
            for name, value in figures.items() if number >= COLD else ():
                found[name].append(value)
        return {f"{stream} pictures: {name}": value for name, value in _shown(found).items()}

    def _walked(self, person: Person) -> dict[str, float]:
        """What one person's way costs: CPU seconds by step, the first byte of the form, and its HTML."""
        found = {"form": self._cost(person.look)}
        found |= {"first byte": person.first_byte, "HTML": len(person.page.encode())}
        found["press"] = self._cost(person.press)
        found["page after it"] = self._cost(person.look)
        found["press with scripts"] = self._cost(person.press_with_scripts)
        return found

    def _cost(self, step: Callable[[], None]) -> float:
        before = cpu_seconds(self.pid)
        step()
        return cpu_seconds(self.pid) - before


def _shown(figures: dict[str, list[float]]) -> dict[str, Any]:
    """The table of one kind of people. CPU is counted in ticks of 10 ms: only means say something."""
    cpu = {step: 1000 * statistics.mean(figures[step]) for step in STEPS}
    cuts = statistics.quantiles(figures["first byte"], n=20, method="inclusive")
    return {
        "form, press of ten, page after it, CPU (ms)": round(sum(cpu[step] for step in STEPS[:3])),
        "form, press of ten with scripts, CPU (ms)": round(cpu["form"] + cpu["press with scripts"]),
        **{f"{step}, CPU (ms)": round(value, 1) for step, value in cpu.items()},
        "Create, HTML (KB)": round(max(figures["HTML"]) / 1000, 1),
        "Create, first byte, p50 / p95 (ms)": f"{1000 * cuts[9]:.0f} / {1000 * cuts[18]:.0f}",
    }


def _piece() -> float:
    """CPU milliseconds of a fixed piece of Python, here and now."""
    began, total = time.process_time(), 0
    for number in range(PIECE):
        total += number % 7
    return 1000 * (time.process_time() - began)


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.create", description=__doc__)
    parser.add_argument("--people", type=int, default=25, help="of each kind")
    parser.add_argument("--stream", type=int, default=120, help="pictures in the streams of the second kind")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-create.json")
    options = parser.parse_args()
    report(CreateBench(options).run(), MARKS, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
