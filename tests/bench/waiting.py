"""Calls that wait: `python -m tests.bench.waiting`. A measurement, not a test.

First some calls come one by one, then 200 at the pace of one key, then 200 at once on several keys, all
at 5 s a picture; then 500 wait at once in one web process, whose memory is looked at meanwhile. A call's own
time is what it took without the provider's time and without the wait for a slot of the provider's limit.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.processes import Watch, machine_load, memory
from tests.sandboxes import Sandbox
from tests.stage import PROVIDER_KEY, Stage, worker_command

INTERVAL = 10.25 / 150  # seconds between two calls of one key
ALONE = 20
BOUNDARY = b"a-line-between-parts"


@dataclass(frozen=True)
class Took:
    """One call: its status, and from when to when it was under way."""

    status: int
    began: float
    ended: float


@dataclass
class Bench:
    """A portal with one web process."""

    database: str
    keys: int
    calls: int
    waiting: int
    stage: Stage = field(init=False)
    providers: list[Sandbox] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """All measurements, and what they were measured on."""
        self.stage = Stage(self.database)
        try:
            self._open()
            return {
                "machine": machine_load(),
                "database": self.database,
                f"{ALONE} calls one after another": self._one_by_one(),
                f"{self.calls} calls at the pace of one key": self._at_pace(),
                f"{self.calls} calls at once on {self.keys} keys": self._at_once(),
                f"{self.waiting} calls waiting": self._waiting(),
            }
        finally:
            self.stage.strike()

    def _open(self) -> None:
        stage = self.stage
        stage.start_servers()
        options = ("--plain", "--latency", "0.2", "--credits", "10000000")
        urls = [stage.start_provider(f"provider-{number}", *options) for number in range(self.keys)]
        self.providers = [Sandbox(url) for url in urls]
        self.port = free_port()
        stage.environment |= {
            "PUBLIC_URL": f"http://{LOOPBACK}:{self.port}",
            "API_REQUESTS_PER_TOKEN": "1000000",
            "API_REQUESTS_PER_MEMBER": "1000000",
        }
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        known = stage.folder / "known.json"
        stage.run_to_end("prepare", "tests.bench.waiting_side", "prepare", str(known), PROVIDER_KEY, *urls)
        self.secret = json.loads(known.read_text())["secret"]
        self._start_processes()
        asyncio.run(self._ask_all(8, "warm", 0.3))  # cold processes, and the limiter's first window

    def _start_processes(self) -> None:
        stage = self.stage
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {self.port} --no-access-log"
        self.web = stage.start("web", tuple(serve.split()), ready=lambda: answers(self.port))
        celery = ("-m", "celery", "-A", "sdweb")
        for name, queue, threads in (
            ("calls-1", "calls", 240),
            ("calls-2", "calls", 240),
            ("upkeep", "upkeep", 4),
        ):
            command = (*celery, *worker_command(queue, threads, name))
            stage.start(name, command, SPOOL=str(stage.folder / f"spool-{name}"))
        schedule = str(stage.folder / "beat-schedule")
        stage.start("beat", (*celery, "beat", "--pidfile=", "--schedule", schedule))
        self.web.wait_until_ready()

    def _one_by_one(self) -> dict[str, Any]:
        """What the portal adds to a call when nobody else calls."""
        self._set_latency(0.2)
        return self._reckon(asyncio.run(self._ask_all(ALONE, "alone", 1.5)))

    def _at_pace(self) -> dict[str, Any]:
        self._set_latency(5)
        return self._reckon(asyncio.run(self._ask_all(self.calls, "paced", INTERVAL * 1.05)))

    def _at_once(self) -> dict[str, Any]:
        self._set_latency(5)
        return self._reckon(asyncio.run(self._ask_all(self.calls, "crowd", 0)))

    def _waiting(self) -> dict[str, Any]:
        """Slow pictures, so that all calls wait at the same time."""
        self._set_latency(20)
        assert self.web.process
        before, watch = memory(self.web.process.pid), Watch([self.web.process.pid])
        took = asyncio.run(self._ask_all(self.waiting, "many", 0.01, look=self._look))
        cpu, most = watch.end()
        return {
            "answered": sum(one.status == 200 for one in took.values()),
            "web process before, PSS (MB)": round(before),
            "while all wait, PSS (MB)": round(self.seen),
            "at most until all were answered, PSS (MB)": round(most),
            "CPU of the web process per call (ms)": round(1000 * cpu / len(took), 1),
        }

    def _look(self) -> None:
        assert self.web.process
        self.seen = memory(self.web.process.pid)

    def _set_latency(self, seconds: float) -> None:
        for provider in self.providers:
            provider.state(latency=seconds)

    async def _ask_all(self, count: int, name: str, pause: float, look: Any = None) -> dict[str, Took]:
        """What each call took, by its prompt; `look` is called once all have been asked."""
        tasks = {}
        for number in range(count):
            prompt = f"{name} {number}"
            tasks[prompt] = asyncio.create_task(self._ask(prompt))
            await asyncio.sleep(pause)
        if look:
            await asyncio.sleep(3)
            await asyncio.to_thread(look)
        return {prompt: await task for prompt, task in tasks.items()}

    async def _ask(self, prompt: str) -> Took:
        body = b"".join(
            b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (BOUNDARY, key, value)
            for key, value in ((b"prompt", prompt.encode()), (b"output_format", b"jpeg"))
        )
        body += b"--%s--\r\n" % BOUNDARY
        head = (
            f"POST /v2beta/stable-image/generate/core HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.secret}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n\r\n"
        )
        began = time.time()
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        writer.write(head.encode() + body)
        status = int((await reader.readline()).split()[1])
        while await reader.read(1 << 18):
            pass
        writer.close()
        return Took(status, began, time.time())

    def _reckon(self, took: dict[str, Took]) -> dict[str, Any]:
        calls = {
            entry["fields"]["prompt"]: entry["seconds"]
            for provider in self.providers
            for entry in provider.calls()
            if entry["method"] == "POST"
        }
        rows = {row["prompt"]: row for row in self._facts() if row["prompt"] in took}
        pairs = [(took[prompt], row, calls[prompt]) for prompt, row in rows.items()]
        whole = [one.ended - one.began - call for one, _row, call in pairs]
        own = [one.ended - one.began - call - (row["called"] - row["made"]) for one, row, call in pairs]
        first, last = min(one.began for one, _, _ in pairs), max(one.ended for one, _, _ in pairs)
        return {
            "answered": sum(one.status == 200 for one in took.values()),
            "own time, p50 / p95 (ms)": _milliseconds(own),
            "of it until it is asked for": _milliseconds([row["made"] - one.began for one, row, _ in pairs]),
            "of it in the worker": _milliseconds(
                [row["ended"] - row["called"] - call for _, row, call in pairs]
            ),
            "of it until it is answered": _milliseconds([one.ended - row["ended"] for one, row, _ in pairs]),
            "with the wait for a slot, p50 / p95 (ms)": _milliseconds(whole),
            "calls a second": round(len(took) / (last - first), 1),
            "429s": sum(provider.state()["rate_limited"] for provider in self.providers),
        }

    def _facts(self) -> list[dict[str, Any]]:
        file = self.stage.folder / "facts.json"
        self.stage.run_to_end("facts", "tests.bench.portal_side", "facts", str(file))
        return json.loads(file.read_text())


def _milliseconds(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"{1000 * cuts[9]:.0f} / {1000 * cuts[18]:.0f}"


def main() -> None:
    """Run from the command line."""
    parser = ArgumentParser(prog="python -m tests.bench.waiting", description=__doc__)
    parser.add_argument("--database", default="postgresql", choices=["postgresql", "sqlite"])
    parser.add_argument("--keys", type=int, default=2)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--waiting", type=int, default=500)
    options = parser.parse_args()
    found = Bench(**vars(options)).run()
    results = Path("test-results")
    results.mkdir(exist_ok=True)
    (results / "waiting.json").write_text(json.dumps(found, indent=2))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
