"""`python -m tests.bench.office`: the office over a large ledger, through HTTP. Not a test."""

from __future__ import annotations

import argparse
import csv
import io
import json
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.pages import timed
from tests.bench.processes import machine_load, memory
from tests.bench.report import FOLDER, report
from tests.stage import Stage

MARKS = {
    "overview": "p95 <= 200",
    "overview, operator": "p95 <= 200",
    "overview by member": "p95 <= 200",
    "ledger": "<= 80",
    "export CSV, lines/s": ">= 50,000",
    "audit_ledger": "[]",
}


class OfficeBench:
    """A web process beside a database with that many lines."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.stage = Stage("postgresql")
        self.result: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Fill, look, export, check."""
        try:
            self._open()
            if self.options.serve:
                return self._serve()
            self._look()
            self._export("csv", self._read_csv)
            self._export("json", self._read_json)
            self._check()
        finally:
            self.stage.strike()
        self.result["machine"] = machine_load()
        return self.result

    def _open(self) -> None:
        stage, options = self.stage, self.options
        stage.start_servers()
        port = free_port()
        self.address = f"http://{LOOPBACK}:{port}"
        stage.environment |= {"PUBLIC_URL": self.address, "COOKIE_PREFIX": "bench_"}
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        said = self._ask("fill", str(options.lines), str(options.members), str(options.days))
        self.team, self.cookies = said.pop("team"), said.pop("cookies")
        self.result |= said
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {port} --no-access-log"
        self.web = stage.start("web", tuple(serve.split()), ready=lambda: answers(port))
        self.web.wait_until_ready()

    def _serve(self) -> dict[str, Any]:
        """Wait until it is stopped, so that people can look."""
        sys.stdout.write(f"{self.address}/t/{self.team}/team/ {json.dumps(self.cookies)}\n")
        sys.stdout.flush()
        signal.pause()
        return self.result

    def _ask(self, verb: str, *arguments: str) -> dict[str, Any]:
        file = self.stage.folder / "said.json"
        self.stage.run_to_end(verb, "tests.bench.office_side", verb, str(file), *arguments, patience=900)
        return dict(json.loads(file.read_text()))

    def _visitor(self, who: str = "administrator") -> requests.Session:
        visitor = requests.Session()
        visitor.cookies["bench_sessionid"] = self.cookies[who]
        return visitor

    def _look(self) -> None:
        team = f"{self.address}/t/{self.team}/team/"
        visitor = self._visitor()
        page = visitor.get(f"{team}ledger/", timeout=60).text
        member = page.split('<option value="', 3)[3].split('"')[0]
        deep = self._deep(visitor, f"{team}ledger/")
        pages = {
            "overview": team,
            "overview by member": f"{team}?by=member",
            "overview, last page by spend": f"{team}?sort=spent&page=10",
            "overview, a month ago": f"{team}?month={_a_month_ago()}",
            "ledger": f"{team}ledger/",
            "ledger of a member": f"{team}ledger/?member={member}",
            "ledger of refunds": f"{team}ledger/?kind=refund",
            "ledger of issues": f"{team}ledger/?kind=issue",
            "ledger of a rare model": f"{team}ledger/?model=erase",
            "ledger of a member and model": f"{team}ledger/?member={member}&model=ultra",
            "ledger, words in the note": f"{team}ledger/?text=not+what",
            "ledger, words that no note has": f"{team}ledger/?text=zebra",
            "ledger of some days": f"{team}ledger/?since={time.strftime('%Y-%m')}-02",
            "ledger, deep": f"{team}ledger/?before={deep}",
            "my lines": f"{self.address}/t/{self.team}/credits/",
        }
        for name, address in pages.items():
            self._time(name, visitor, address)
        self._time("overview, operator", self._visitor("operator"), team)

    def _deep(self, visitor: requests.Session, address: str) -> str:
        """The number of a line far down."""
        begin = time.strftime("%Y-%m-%d", time.localtime(time.time() - 86400 * self.options.days * 0.9))
        text = visitor.get(f"{address}?until={begin}", timeout=60).text
        return text.split("before=")[1].split('"')[0]

    def _time(self, name: str, visitor: requests.Session, address: str) -> None:
        self.result[name] = timed(visitor, address)

    def _export(self, ending: str, read: Any) -> None:
        """The whole ledger, while somebody else looks at a small page."""
        address = f"{self.address}/t/{self.team}/team/ledger/export.{ending}"
        pid = self.web.process.pid
        before, peaks, waits = memory(pid), [memory(pid)], [0.0]
        over = threading.Event()

        def watch() -> None:
            visitor = self._visitor("operator")
            while not over.wait(0.2):
                began = time.monotonic()
                visitor.get(f"{self.address}/healthz", timeout=60)
                waits.append(1000 * (time.monotonic() - began))
                peaks.append(memory(pid))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        began = time.monotonic()
        body = b"".join(self._visitor().get(address, timeout=600, stream=True).iter_content(1 << 20))
        seconds = time.monotonic() - began
        over.set()
        watcher.join()
        lines, sums = read(body.decode("utf-8-sig"))
        label = f"export {ending.upper()}"
        self.result |= {
            f"{label}, lines/s": round(lines / seconds),
            f"{label}, MB": round(len(body) / 1e6, 1),
            f"{label}, memory before / most (MB)": f"{before:.0f} / {max(peaks):.0f}",
            f"{label}, another page meanwhile, median / most (ms)": (
                f"{statistics.median(waits):.0f} / {max(waits):.0f}"
            ),
            f"{label}, sums": dict(sums),
        }

    def _read_csv(self, text: str) -> tuple[int, Counter[str]]:
        sums: Counter[str] = Counter()
        rows = csv.DictReader(io.StringIO(text))
        lines = 0
        for row in rows:
            sums[row["kind"]] += round(float(row["credits"]) * 100)
            lines += 1
        return lines, sums

    def _read_json(self, text: str) -> tuple[int, Counter[str]]:
        said = json.loads(text)
        sums: Counter[str] = Counter()
        for line in said["lines"]:
            sums[line["kind"]] += round(line["credits"] * 100)
        assert {kind: round(total["credits"] * 100) for kind, total in said["totals"].items()} == sums
        return len(said["lines"]), sums

    def _check(self) -> None:
        said = self._ask("check")
        self.result |= {"audit_ledger": said["problems"], "audit_ledger (s)": said["audit (s)"]}


def _a_month_ago() -> str:
    return time.strftime("%Y-%m", time.localtime(time.time() - 31 * 86400))


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.office", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--days", type=int, default=60, help="over which the lines are spread")
    parser.add_argument("--serve", action="store_true", help="fill, then serve until stopped")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-office.json")
    options = parser.parse_args()
    result = OfficeBench(options).run()
    report(result, MARKS, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
