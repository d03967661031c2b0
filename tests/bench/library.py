"""`python -m tests.bench.library`: the library page over a million pictures, through HTTP. Not a test."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.pages import timed
from tests.bench.processes import machine_load
from tests.bench.report import FOLDER, report
from tests.stage import Stage

TEAM = "Million"
# Of a million pictures on PostgreSQL; half as many on SQLite may take twice as long.
MARKS = {
    "first page": "p95 <= 50",
    "page 1,000 deep": "p95 <= 50",
    "search: one common word": "p95 <= 80",
    "search: two common words": "p95 <= 100",
    "back to a picture 1,000 pages deep": "p95 <= 100",
    "suggestions": "p95 <= 100",
    "tags without a letter": "p95 <= 60",
}
SEARCH_MARK = "p95 <= 150"


class LibraryBench:
    """A web process beside a database with that many pictures."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.stage = Stage(options.database, options.keep)
        self.result: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Fill, then look."""
        try:
            self._open()
            if self.options.serve:
                return self._serve()
            self._look()
        finally:
            self.stage.strike()
        self.result["machine"] = machine_load()
        return self.result

    def _open(self) -> None:
        stage, port = self.stage, free_port()
        stage.start_servers()
        self.address = f"http://{LOOPBACK}:{port}"
        stage.environment |= {"PUBLIC_URL": self.address, "COOKIE_PREFIX": "bench_"}
        stage.manage("migrate", "-v0")
        stage.manage("collectstatic", "-v0", "--noinput")
        began = time.monotonic()
        file, filled = stage.folder / "said.json", stage.folder / "filled"
        if not filled.exists():
            numbers = (str(self.options.pictures), str(self.options.copies))
            stage.run_to_end("fill", "tests.bench.library_side", "fill", TEAM, *numbers, patience=3600)
            filled.touch()
            self.result["filled (s)"] = round(time.monotonic() - began)
        stage.run_to_end("say", "tests.bench.library_side", "say", TEAM, str(file))
        self.said = json.loads(file.read_text())
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {port} --no-access-log"
        self.web = stage.start("web", tuple(serve.split()), ready=lambda: answers(port))
        self.web.wait_until_ready()
        self.visitor = requests.Session()
        self.visitor.cookies["bench_sessionid"] = self.said["cookie"]

    def _serve(self) -> dict[str, Any]:
        """Wait until it is stopped, so that people can look."""
        sys.stdout.write(
            f"{self.address}/t/{self.said['team']}/library/ bench_sessionid={self.said['cookie']}\n"
        )
        sys.stdout.flush()
        signal.pause()
        return self.result

    def _look(self) -> None:
        said, grid = self.said, f"{self.address}/t/{self.said['team']}/library/"
        rare, other = said["rare"].split()
        searches = {
            "one common word": "q=fox",
            "the same, whole": 'q="fox"',
            "two common words": "q=golden+fox",
            "the same two, whole": 'q="golden"+"fox"',
            "a beginning of a thousand words": "q=qua",
            "two beginnings of a thousand words": "q=qua+mon",
            "a rare word": f"q={rare}",
            "a rare word, whole": f'q="{rare}"',
            "a rare beginning": f"q={rare[:-1]}",
            "two rare words": f"q={rare}+{other}",
            "two rare words, whole": f'q="{rare}"+"{other}"',
            "two rare beginnings": f"q={rare[:-1]}+{other[:-1]}",
            "a common and a rare word": f"q=fox+{rare}",
            "a phrase": f"q={quote(said['phrase'])}",
            "Chinese, one character": f"q={quote('狐')}",
            "Chinese, a word": f"q={quote('古老的灯塔')}",
            "a word, another excluded": "q=fox+-golden",
            "a word that is nowhere": "q=zebra",
            "filters: who, model, style": f"who={said['rarely']}&model=ultra&style=anime",
            "filters and a word": f"q=lighthouse&who={said['often']}&shape=16:9&style=origami",
            "a rare tag": f"tag={quote(said['tag'])}",
            "a collection": f"collection={said['collection']}",
            "favourites": "liked=1",
            "a seed": f"seed={said['seed']}",
            "a month, a year ago, and a word": f"q=fox&since={said['month']}-01&until={said['month']}-28",
            "oldest first, a word": "q=fox&order=oldest",
        }
        self._time("first page", grid)
        self._time("page 1,000 deep", f"{grid}?before={said['deep']}")
        for name, search in searches.items():
            self._time(f"search: {name}", f"{grid}?{search}")
        self._time("search: one common word, 100 pages deep", f"{grid}?q=fox&before={said['deep']}")
        self._time("back to a picture 1,000 pages deep", f"{grid}?at={said['deep']}")
        self._time("suggestions", f"{grid}suggest/?q=golden+mo")
        self._time("tags without a letter", f"{grid}tags/?q=")
        for words in ("fox", '"fox"', "qua mon"):
            self._time(f"counts of {words}", f"{grid}counts/?q={quote(words)}")

    def _time(self, name: str, address: str) -> None:
        self.result[name] = timed(self.visitor, address)


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.library", description=__doc__)
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument(
        "--copies", type=int, default=1, help="of each picture, made by PostgreSQL: much faster"
    )
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="fill it once, and look again later")
    parser.add_argument("--serve", action="store_true", help="fill, then serve until stopped")
    parser.add_argument("--json", type=Path, default=FOLDER / "bench-library.json")
    options = parser.parse_args()
    result = LibraryBench(options).run()
    searches = {name: SEARCH_MARK for name in result if name.startswith("search")}
    report(result, searches | MARKS, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
