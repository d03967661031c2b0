"""`python -m tests.bench.api`: how many creations a second the API accepts, and how long each takes.

Not a test. Two web processes, PostgreSQL and Valkey on this machine, and a client that costs little. First
as many as can be had (each connection asks when it was answered), then `--rate` a second whose moments do
not wait for answers, each timed from when it was due.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.processes import cpu_seconds, machine_load
from tests.bench.report import FOLDER, report
from tests.stage import Stage

MARKS = {"accepted a second, as many as can be had": ">= 250", "p95 at the rate (ms)": "<= 60"}
BODY = json.dumps({"model": "core", "prompt": "a quiet harbour at dawn, gulls, thin fog"}).encode()


class Client:
    """Connections that are kept, each with requests one after the other."""

    def __init__(self, port: int, secrets: list[str], *, with_keys: bool) -> None:
        self.port, self.with_keys = port, with_keys
        self.secrets, self.numbers = itertools.cycle(secrets), itertools.count()
        self.free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self.statuses: Counter[int] = Counter()
        self.taken: list[float] = []

    async def open(self, connections: int) -> None:
        for _ in range(connections):
            self.free.put_nowait(await asyncio.open_connection(LOOPBACK, self.port))
            await asyncio.sleep(0.01)  # of a burst one of both web processes takes all now and then

    async def _connection(self) -> Any:
        """One that is free; a new one in place of one that the server closed for being idle."""
        connection = await self.free.get()
        closed = connection[0].at_eof()
        return await asyncio.open_connection(LOOPBACK, self.port) if closed else connection

    async def ask(self, due: float | None = None) -> None:
        """One creation, timed from when it was due."""
        reader, writer = connection = await self._connection()
        began = due or time.monotonic()
        key = f"Idempotency-Key: {next(self.numbers)}\r\n" if self.with_keys else ""
        head = (
            f"POST /api/v1/generations HTTP/1.1\r\nHost: {LOOPBACK}:{self.port}\r\n{key}"
            f"Authorization: Bearer {next(self.secrets)}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        )
        writer.write(head.encode() + BODY)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self.taken.append(1000 * (time.monotonic() - began))
        self.statuses[int(answer[9:12])] += 1
        self.free.put_nowait(connection)

    async def as_many_as_can_be_had(self, connections: int, seconds: float) -> float:
        """Accepted a second."""
        until = time.monotonic() + seconds

        async def one() -> None:
            while time.monotonic() < until:
                await self.ask()

        before, began = self.statuses[202], time.monotonic()
        await asyncio.gather(*(one() for _ in range(connections)))
        return (self.statuses[202] - before) / (time.monotonic() - began)

    async def at_a_rate(self, rate: float, seconds: float) -> None:
        """So many a second, whether they are answered or not."""
        began, asked = time.monotonic(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.append(asyncio.create_task(self.ask(due)))
        await asyncio.gather(*asked)


class ApiBench:
    """The portal's web processes, and what they were asked."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.stage = Stage(options.database)
        self.result: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Fill, ask, check."""
        try:
            self._open()
            asyncio.run(self._ask())
            self.result |= self._side("check")
        finally:
            if self.options.logs:
                self.stage.keep_logs(self.options.logs)
            self.stage.strike()
        self.result["machine"] = machine_load()
        return self.result

    def _open(self) -> None:
        stage, options = self.stage, self.options
        stage.start_servers()
        self.port = port = free_port()
        stage.environment |= {
            "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
            "API_REQUESTS_PER_TOKEN": "1000000",
            "API_REQUESTS_PER_MEMBER": "1000000",
        }
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        self.secrets = self._side("fill", str(options.members))
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {port} --no-access-log"
        web = stage.start("web", (*serve.split(), "--workers", "2"), ready=lambda: answers(port))
        web.wait_until_ready()
        time.sleep(3)
        self.web = _family(web.process.pid)
        self.database = (
            _family(stage.children["postgresql"].process.pid) if options.database != "sqlite" else {}
        )

    def _side(self, verb: str, *arguments: str) -> Any:
        file = self.stage.folder / f"{verb}.json"
        self.stage.run_to_end(verb, "tests.bench.api_side", verb, str(file), *arguments, patience=600)
        return json.loads(file.read_text())

    async def _ask(self) -> None:
        options = self.options
        client = Client(self.port, self.secrets, with_keys=options.keys)
        await client.open(options.connections)
        await client.as_many_as_can_be_had(options.connections, 3)  # the first find cold processes
        client.taken.clear()
        used, asked = self._cpu(), client.statuses[202]
        rate = await client.as_many_as_can_be_had(options.connections, options.seconds)
        made = client.statuses[202] - asked
        self.result["accepted a second, as many as can be had"] = round(rate)
        self.result["p50 / p95 meanwhile (ms)"] = _cuts(client.taken)
        for name, seconds in self._cpu().items():
            self.result[f"CPU of {name} for each (ms)"] = round(1000 * (seconds - used[name]) / made, 2)
        for paced in (options.rate / 2, options.rate):
            client.taken.clear()
            more = Client(self.port, self.secrets, with_keys=options.keys)
            more.taken, more.statuses, more.numbers = client.taken, client.statuses, client.numbers
            await more.open(200)
            await more.at_a_rate(paced, options.seconds)
            self.result[f"p50 / p95 at {paced:.0f} a second (ms)"] = _cuts(client.taken)
        self.result["answers"] = dict(client.statuses)

    def _cpu(self) -> dict[str, float]:
        groups = {"web": self.web, "database": _family(next(iter(self.database))) if self.database else {}}
        return {name: sum(map(_cpu_of, pids)) for name, pids in groups.items()}


def _family(pid: int) -> dict[int, None]:
    """The process and all below it."""
    found = {pid: None}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in found:
                found |= {int(folder.name): None}
    return found


def _cpu_of(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:
        return 0.0


def _cuts(taken: list[float]) -> str:
    cuts = statistics.quantiles(taken, n=20, method="inclusive")
    return f"{cuts[9]:.0f} / {cuts[18]:.0f}"


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.api", description=__doc__)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--members", type=int, default=40)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rate", type=float, default=250)
    parser.add_argument("--keys", action="store_true", help="an Idempotency-Key with each")
    parser.add_argument("--logs", type=Path, help="a folder that keeps what the processes said")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-api.json")
    options = parser.parse_args()
    result = ApiBench(options).run()
    report(result, MARKS, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
