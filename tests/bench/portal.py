"""`python -m tests.bench.portal`: what a picture costs the whole of `make run`, beside a bare loop.

Not a test. On SQLite, with its own S3 server and sandbox, which is not counted. A member looks at
Create, asks for ten pictures, and looks again, as fast as the provider's limit lets them come. The bare loop
then does the same work against the same servers. Last, a loop that does nothing takes one of the processors.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.processes import cpu_seconds, descendants, machine_load
from tests.bench.report import FOLDER, report
from tests.journeys.studio import Studio, Visitor
from tests.journeys.studio import start as start_studio
from tests.stage import ROOT

MARKS = {
    "whole portal, CPU a picture in proportion to bare": "<= 2.9",
    "worker, CPU a picture in proportion to bare": "<= 1.4",
    "calls a second": ">= 14.5",
    "429s": "0",
    "beside a busy loop: calls a second": ">= 13",
    "beside a busy loop: 429s": "0",
    "beside a busy loop: lost leases": "0",
}
LIMIT, WINDOW, MARGIN = 150, 10.0, 0.25
INTERVAL = (WINDOW + MARGIN) / LIMIT  # seconds between two calls
PER_FORM = 10
PATIENCE = 120.0  # seconds beyond what the pace asks for
BUSY = "import time\nuntil = time.monotonic() + {seconds}\nwhile time.monotonic() < until: pass"
# Attempts whose worker lost its lease: taken for dead, or called again elsewhere.
LOST = """
from generations.jobs.models import Attempt
print(Attempt.objects.filter(code__in=["interrupted", "late_image"]).count())
"""

# What a process is, by a part of its command line; those of older versions are programs, not forks.
ROLES = {
    "worker": ("sdweb calls", "-Q calls"),
    "web": ("sdweb web", "uvicorn"),
    "upkeep and beat": ("sdweb upkeep", "-Q upkeep", "sdweb beat"),
    "S3": ("nanio",),
    "Valkey": ("valkey",),
    "supervisor": ("manage.py portal",),
}
SANDBOX = "sandbox"
UNFINISHED = """
from generations.jobs.models import Generation
print(Generation.objects.unfinished().count())
"""
GRANT = """
import uuid
from generations.office.audit_log.service import COMMAND
from generations.office.credits import service
from generations.teams.models import Membership
member = Membership.objects.get(user__email={email!r})
service.issue(team=member.team, amount=1_000_000_00, reference=uuid.uuid4())
amounts = [service.MemberAmount(member, 1_000_000_00)]
service.grant(team=member.team, amounts=amounts, reference=uuid.uuid4(), by=COMMAND)
"""


class PortalBench:
    """A portal of its own, one member, and what all of that costs."""

    def __init__(self, studio: Studio, options: argparse.Namespace) -> None:
        self.studio, self.options = studio, options
        self.visitor = Visitor(studio.portal.address).sign_in(studio.email, studio.password)
        self.provider = studio.provider
        studio.manage("shell", "-v", "0", "-c", GRANT.format(email=studio.email))

    def run(self) -> dict[str, Any]:
        """All measurements, and what they were measured on."""
        result: dict[str, Any] = {"machine": machine_load()}
        self.provider.state(latency=self.options.latency)
        self._press(PER_FORM)
        self._wait(PER_FORM)  # the first ones find cold processes and a limiter's first window
        cost = self._load()
        calls = self._calls()  # before the bare loop's calls are beside them in the provider's log
        bare = self._bare()
        result |= {f"CPU a picture, {name} (ms)": round(used, 1) for name, used in cost.items()}
        result["CPU a picture, whole portal (ms)"] = round(sum(cost.values()), 1)
        result["CPU a picture, bare loop (ms)"] = round(bare, 1)
        result["whole portal, CPU a picture in proportion to bare"] = round(sum(cost.values()) / bare, 2)
        result["worker, CPU a picture in proportion to bare"] = round(cost["worker"] / bare, 2)
        result |= calls
        with _busy_loop(seconds=self.options.pictures * INTERVAL + PATIENCE):
            self._load()
        result |= {f"beside a busy loop: {name}": value for name, value in self._calls().items()}
        result["beside a busy loop: lost leases"] = int(self.studio.manage("shell", "-v", "0", "-c", LOST))
        return result

    def _load(self) -> dict[str, float]:
        """The CPU of each role for one picture, in milliseconds."""
        self.provider._ask("DELETE", "log")
        self.provider.state(reset=True, latency=self.options.latency, plain=True)
        pids = {pid: _role_of(pid) for pid in descendants(self.studio.portal.process.pid)}
        before = {pid: cpu_seconds(pid) for pid in pids}
        self._press(self.options.pictures)
        self._wait(self.options.pictures)
        used = Counter[str]()
        for pid, role in pids.items():
            used[role] += 1000 * (cpu_seconds(pid) - before[pid]) / self.options.pictures
        del used[SANDBOX]
        return dict(used)

    def _press(self, pictures: int) -> None:
        for _ in range(pictures // PER_FORM):
            answer = self.visitor.generate(count=PER_FORM, output_format="png")
            assert answer.ok, answer.status_code
            time.sleep(PER_FORM * INTERVAL / 2)  # so that a picture always waits for the provider

    def _wait(self, pictures: int) -> None:
        """Until all have ended; asked beside the portal, since a look at a page is what is measured."""
        limit = time.monotonic() + pictures * INTERVAL + PATIENCE
        while left := int(self.studio.manage("shell", "-v", "0", "-c", UNFINISHED)):
            assert time.monotonic() < limit, f"{left} pictures are not finished"
            time.sleep(1.0)

    def _calls(self) -> dict[str, float]:
        moments = sorted(
            datetime.fromisoformat(call["at"]).timestamp()
            for call in self.provider.calls()
            if call["method"] == "POST"
        )
        middle = moments[len(moments) // 10 : -max(1, len(moments) // 20)]  # without the start and the end
        return {
            "calls a second": round((len(middle) - 1) / (middle[-1] - middle[0]), 2),
            "429s": self.provider.state()["rate_limited"],
        }

    def _bare(self) -> float:
        """The CPU of the bare loop for one picture, in milliseconds."""
        time.sleep(WINDOW + MARGIN)  # the provider's window is empty again
        settings = self.studio.settings
        jobs = min(self.options.pictures, 150)
        arguments = (
            settings["STABILITY_BASE_URL"],
            settings["STABILITY_API_KEY"],
            "png",
            jobs,
            int(self.options.latency / INTERVAL) + 10,
            INTERVAL,
        )
        command = [sys.executable, "-m", "tests.bench.bare", *map(str, arguments)]
        said = subprocess.run(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, check=True).stdout
        cpu: float = json.loads(said)["cpu"]
        return 1000 * cpu


def _role_of(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return next((role for role, parts in ROLES.items() if any(part in command for part in parts)), SANDBOX)


@contextmanager
def _busy_loop(seconds: float) -> Iterator[None]:
    """One processor is taken meanwhile, for that long at most."""
    taken = max(os.sched_getaffinity(0))
    loop = subprocess.Popen(
        [sys.executable, "-c", BUSY.format(seconds=seconds)],
        preexec_fn=lambda: os.sched_setaffinity(0, {taken}),  # noqa: PLW1509  one thread starts it
    )
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.portal", description=__doc__)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--latency", type=float, default=5.0, help="seconds a call takes")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-portal.json")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sdweb-portal-"))
    studio = start_studio(folder)
    try:
        result = PortalBench(studio, options).run()
    finally:
        studio.close()
        shutil.rmtree(folder, ignore_errors=True)
    report(result, MARKS, options.json)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")
    sys.exit(main())
