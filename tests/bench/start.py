"""`python -m tests.bench.start`: what `make run` costs on SQLite: its starts, its memory, and doing nothing.

The memory is the sum of PSS of its processes without the sandbox, 20 s after it is ready and at most under
the load of a hundred pictures. Seconds depend on what else the machine does; CPU seconds much less.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.bench.processes import cpu_seconds, descendants, ended_cpu_seconds, machine_load, memory, name_of
from tests.bench.report import FOLDER, report
from tests.journeys.studio import Studio, Visitor
from tests.journeys.studio import start as start_studio
from tests.sdweb.portal import Portal, eventually

MARKS = {
    "PSS at rest (MB)": "<= 290",
    "PSS at most under load (MB)": "<= 340",
    "CPU at rest (% of a core)": "<= 1",
    "second start: seconds": "<= 4",
}
SETTLED, REST = 20.0, 60.0  # seconds
PICTURES = 100


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-start.json")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # people's Python keeps what it has compiled
    folder = Path(tempfile.mkdtemp(prefix="sdweb-start-"))
    began = time.monotonic()
    studio = start_studio(folder)
    try:
        result: dict[str, Any] = {"machine": machine_load()} | _start("first", studio.portal, began)
        studio.portal.stop()
        began = time.monotonic()
        studio.portal.start()
        result |= _start("second", studio.portal, began) | _rest(studio.portal) | _load(studio)
    finally:
        studio.close()
        shutil.rmtree(folder, ignore_errors=True)
    report(result, MARKS, options.json)
    return 0


def _start(which: str, portal: Portal, began: float) -> dict[str, float]:
    """How long a start took, which has just ended, and its CPU with that of all processes that have ended."""
    seconds = time.monotonic() - began
    used = sum(cpu_seconds(pid) + ended_cpu_seconds(pid) for pid in descendants(portal.process.pid))
    return {f"{which} start: seconds": round(seconds, 1), f"{which} start: CPU seconds": round(used, 1)}


def _without_sandbox(portal: Portal) -> list[int]:
    return [pid for pid in descendants(portal.process.pid) if "sandbox" not in name_of(pid)]


def _rest(portal: Portal) -> dict[str, Any]:
    """Memory and CPU of a portal that nobody uses."""
    time.sleep(SETTLED)
    pids = _without_sandbox(portal)
    each = {name_of(pid): round(memory(pid)) for pid in pids}
    began = sum(map(cpu_seconds, pids))
    time.sleep(REST)
    used = sum(map(cpu_seconds, pids)) - began
    return {
        "PSS at rest (MB)": sum(each.values()),
        **{f"PSS at rest, {name} (MB)": size for name, size in each.items()},
        "CPU at rest (% of a core)": round(100 * used / REST, 2),
    }


def _load(studio: Studio) -> dict[str, float]:
    """The most memory while a hundred pictures are made and looked at."""
    visitor = Visitor(studio.portal.address).sign_in(studio.email, studio.password)
    pids, most, over = _without_sandbox(studio.portal), [0.0], threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            most.append(sum(map(memory, pids)))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(PICTURES // 10):
            assert visitor.generate(count=10).ok
        # Create shows the newest, which come last.
        done = eventually(lambda: set(visitor.tiles().values()) == {"succeeded"}, within=300)
        assert done, visitor.tiles()
    finally:
        over.set()
        looking.join()
    return {"PSS at most under load (MB)": round(max(most))}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")
    sys.exit(main())
