"""What many systems cost: `python -m tests.bench.systems`. A measurement, not a test.

The memory of a worker process that has drawn some pictures, with all systems and with Stability alone: a copy
of this tree whose registries name no other. Then the page Create as uvicorn serves it, with every model.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import requests

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.processes import machine_load, memory, own_memory
from tests.bench.report import FOLDER, report
from tests.stage import PROVIDER_KEY, ROOT, Stage, worker_command

MARKS = {
    "Create, first byte, p50 / p95 (ms)": "<= - / 60",
    "Create, compressed, at most (KB)": "<= 140",
    "more memory with all systems, USS / PSS (MB)": "<= 10",
}
SIDE = "tests.bench.systems_side"
BROWSERS = "gzip, deflate, br, zstd"  # encodings that they take
COLD = 10  # requests that find a cold process
PICTURES = 10  # of each worker before its memory is looked at
REST = 5.0  # seconds until its memory has come to rest
PATIENCE = 120.0
COPIED = ("generations", "sdweb", "templates", "static", "manage.py", "pyproject.toml")
IMPORT = re.compile(
    r"^from generations\.providers\.(?!stability\.|catalogue\.)\w+\.(client|system) import .+\n", re.MULTILINE
)
CLIENT = re.compile(r'^    +"(?!stability")\w+": \w+,\n', re.MULTILINE)
DECLARED = re.compile(r"^ALL = \(.+\)$", re.MULTILINE)


class SystemsBench:
    """A portal without beat: one worker at a time, then the web process."""

    def __init__(self, *, rounds: int, times: int) -> None:
        self.rounds, self.times = rounds, times
        self.stage = Stage("sqlite")
        self.stage.environment |= {"COOKIE_PREFIX": "bench_", "PUBLIC_URL": f"http://{LOOPBACK}"}

    def run(self) -> dict[str, Any]:
        """All measurements, and what they were measured on."""
        try:
            self._open()
            found = self._workers()
            return {"machine": machine_load()} | found | self._create()
        finally:
            self.stage.strike()

    def _open(self) -> None:
        stage = self.stage
        stage.start_servers()
        limits = ("--credits", "100000000", "--limit", "100000")
        self.provider = stage.start_provider("provider", "--plain", "--latency", "0.1", *limits)
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        self.said = self._ask("prepare", self.provider, PROVIDER_KEY)
        self.alone = _with_stability_alone(stage.folder / "alone")

    def _workers(self) -> dict[str, Any]:
        """The memory of workers of both trees in turn."""
        found: dict[str, list[tuple[float, float]]] = {"Stability alone": [], "all systems": []}
        for _round in range(self.rounds):
            for name, folder in (("Stability alone", self.alone), ("all systems", ROOT)):
                found[name].append(self._memory_of_worker(folder))
        more = [
            [after[at] - before[at] for before, after in zip(*found.values(), strict=True)] for at in (0, 1)
        ]
        shown = {f"worker with {name}, USS / PSS (MB)": _pairs(figures) for name, figures in found.items()}
        name = "more memory with all systems, USS / PSS (MB)"
        return shown | {name: _pairs(list(zip(*more, strict=True)))}

    def _memory_of_worker(self, folder: Path) -> tuple[float, float]:
        command = ("-P", "-m", "celery", "-A", "sdweb", *worker_command("calls", 240, "calls"))
        spool = str(self.stage.folder / "spool")
        worker = self.stage.start("calls", command, folder=folder, PYTHONPATH=str(folder), SPOOL=spool)
        before = self._ask("stored")["stored"]
        self.stage.run_to_end("submit", SIDE, "submit", str(PICTURES))
        limit = time.monotonic() + PATIENCE
        while self._ask("stored")["stored"] < before + PICTURES:
            if time.monotonic() > limit:
                raise TimeoutError(worker.last_log_line())
            time.sleep(1)
        time.sleep(REST)
        assert worker.process
        found = own_memory(worker.process.pid), memory(worker.process.pid)
        worker.kill()
        return found

    def _create(self) -> dict[str, Any]:
        """The page with every model, asked for one time after the other as a browser does."""
        offered = self._ask("gateway", self.provider, PROVIDER_KEY)
        port = free_port()
        address = f"http://{LOOPBACK}:{port}"
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {port} --no-access-log"
        web = self.stage.start("web", tuple(serve.split()), ready=lambda: answers(port), PUBLIC_URL=address)
        web.wait_until_ready()
        visitor = requests.Session()
        visitor.cookies.update(self.said["cookies"])
        visitor.headers["Accept-Encoding"] = BROWSERS
        page = f"{address}/t/{self.said['team']}/create/"
        seconds, sizes = [], []
        for number in range(COLD + self.times):
            with visitor.get(page, stream=True, timeout=60, allow_redirects=False) as answer:
                assert answer.status_code == 200, answer.status_code
                size = len(answer.raw.read(decode_content=False))
            if number >= COLD:
                seconds.append(answer.elapsed.total_seconds())
                sizes.append(size)
        cuts = statistics.quantiles(seconds, n=20, method="inclusive")
        return {
            "models, systems": f"{offered['models']}, {offered['systems']}",
            "Create, first byte, p50 / p95 (ms)": f"{1000 * cuts[9]:.0f} / {1000 * cuts[18]:.0f}",
            "Create, compressed, at most (KB)": round(max(sizes) / 1000, 1),
        }

    def _ask(self, verb: str, *arguments: str) -> dict[str, Any]:
        file = self.stage.folder / f"{verb}.json"
        self.stage.run_to_end(verb, SIDE, verb, str(file), *arguments)
        return json.loads(file.read_text())


def _with_stability_alone(folder: Path) -> Path:
    """A copy of this tree whose registries name no other system."""
    folder.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name, patterns in {
        "generations/providers/registry.py": ((IMPORT, ""), (CLIENT, "")),
        "generations/providers/catalogue/registry.py": ((IMPORT, ""), (DECLARED, "ALL = (STABILITY,)")),
    }.items():
        text = (folder / name).read_text()
        for pattern, becomes in patterns:
            assert pattern.search(text), (name, pattern.pattern)
            text = pattern.sub(becomes, text)
        (folder / name).write_text(text)
    return folder


def _pairs(figures: list[tuple[float, float]]) -> str:
    return ", ".join(f"{uss:.1f} / {pss:.1f}" for uss, pss in figures)


def main() -> int:
    """Measure, show, and write it down."""
    parser = ArgumentParser(prog="python -m tests.bench.systems", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="workers of each kind")
    parser.add_argument("--times", type=int, default=200, help="requests for the page")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-systems.json")
    options = vars(parser.parse_args())
    file = options.pop("json")
    result = SystemsBench(**options).run()
    report(result, MARKS, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
