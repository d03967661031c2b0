"""`python -m tests.bench.screen`: what people wait for before their eyes, in Chromium. Not a test.

A press of Generate until its batch is on the screen, and Back until the picture that was looked at is. With
`--base COMMIT` that commit is served beside this tree from the same database, and measured in turn.
"""

from __future__ import annotations

import argparse
import io
import json
import signal
import statistics
import subprocess
import sys
import tarfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests.bench.processes import machine_load
from tests.journeys.browsers import DESK, chromium
from tests.pages.editors import until
from tests.stage import ROOT, Stage

MARKS = {"press": "p95 <= 100", "back": "<= 300"}
SCROLLED = 3000  # pixels
REST = 300  # milliseconds in which a page comes to rest
# Milliseconds from a click to the frame that has what it added.
PAINTED = """
window.painted = [];
window.notePainted = (from) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => window.painted.push(performance.now() - from);
  channel.port2.postMessage(0);
});
"""
WATCH_PRESS = """
let pressedAt = 0;
addEventListener("click", ({ timeStamp, target }) => {
  if (target.closest("#generate")) pressedAt = timeStamp;
}, true);
new MutationObserver((records) => {
  const isPending = (node) => node.matches?.("[data-pending]");
  if (records.some(({ addedNodes }) => [...addedNodes].some(isPending))) window.notePainted(pressedAt);
}).observe(document.getElementById("batches"), { childList: true });
"""
# A page on which a click does nothing but add a line: what this browser on this machine needs at least.
BARE_PAGE = """<!doctype html><button id="generate">Go</button><div id="lines"></div>"""
WATCH_BARE = """
document.getElementById("generate").addEventListener("click", ({ timeStamp }) => {
  document.getElementById("lines").prepend(document.createElement("hr"));
  window.notePainted(timeStamp);
});
"""
# Milliseconds from the beginning of a navigation until that picture, or the first one, is on the screen.
WATCH_SIGHT = """
const wanted = location.host && sessionStorage.getItem("wanted");
const find = () => wanted === "first" ? document.querySelector(".rows.is-justified > li")
  : document.querySelector(`.rows > [data-id="${wanted}"], .tile[data-image="${wanted}"]`);
const look = () => {
  const picture = find();
  const box = picture?.getBoundingClientRect();
  const isOnScreen = box && box.height && box.bottom > 60 && box.top < innerHeight;
  if (!isOnScreen || getComputedStyle(picture).visibility !== "visible") return requestAnimationFrame(look);
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { window.seen = performance.now(); };
  channel.port2.postMessage(0);
};
if (wanted) requestAnimationFrame(look);
"""


@dataclass
class Tree:
    """Code that is served: this one, or that of a commit."""

    name: str
    folder: Path
    address: str = ""
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class ScreenBench:
    """Web processes of one or two trees beside one database, and a browser."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.stage = Stage("sqlite")
        self.trees = [Tree("this tree", ROOT)]

    def run(self) -> dict[str, Any]:
        """Fill, then press and go back, each tree in turn."""
        try:
            self._open()
            with chromium() as browser:
                self._measure(browser)
        finally:
            self.stage.strike()
        return {"machine": machine_load()} | {tree.name: _figures(tree.times) for tree in self.trees}

    def _open(self) -> None:
        stage, options = self.stage, self.options
        stage.start_servers()
        stage.environment |= {"COOKIE_PREFIX": "bench_", "PUBLIC_URL": f"http://{LOOPBACK}"}
        stage.manage("migrate", "-v0")
        file = stage.folder / "said.json"
        numbers = (str(options.stream), str(options.library))
        stage.run_to_end("fill", "tests.bench.screen_side", str(file), *numbers, patience=900)
        self.said = json.loads(file.read_text())
        if options.base:
            self.trees.append(Tree(options.base, _checked_out(options.base, stage.folder / "base")))
        for tree in self.trees:
            self._serve(tree)

    def _serve(self, tree: Tree) -> None:
        stage, port = self.stage, free_port()
        own = {"PYTHONPATH": str(tree.folder), "STATIC_ROOT": str(stage.folder / f"static-{port}")}
        collect = stage.start(
            "collect", (str(tree.folder / "manage.py"), "collectstatic", "-v0", "--noinput"), **own
        )
        assert collect.process
        assert collect.process.wait(120) == 0, collect.last_log_line()
        tree.address = f"http://{LOOPBACK}:{port}"
        serve = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {port} --no-access-log --app-dir"
        web = stage.start(
            f"web-{port}",
            (*serve.split(), str(tree.folder)),
            ready=lambda: answers(port),
            **own,
            PUBLIC_URL=tree.address,
        )
        web.wait_until_ready()

    def _measure(self, browser: Browser) -> None:
        bare = self._bare_page(browser)
        pages = [(tree, self._filled_page(browser, tree)) for tree in self.trees]
        for number in range(self.options.presses):
            for tree, page in pages:
                tree.times["bare click"].append(_painted(bare))
                self._press(page, tree, is_scrolled=bool(number % 2))
        for _number in range(self.options.returns):
            for tree, page in pages:
                self._go_back(page, tree)

    def _page(self, browser: Browser) -> Page:
        context = browser.new_context(viewport=DESK)
        # A cookie is for every port of a host.
        cookie = {"name": "bench_sessionid", "value": self.said["cookie"], "domain": LOOPBACK, "path": "/"}
        context.add_cookies([cookie])  # type: ignore[list-item]
        context.add_init_script(WATCH_SIGHT)
        return context.new_page()

    def _bare_page(self, browser: Browser) -> Page:
        page = self._page(browser)
        page.set_content(BARE_PAGE)
        page.evaluate(PAINTED + WATCH_BARE)
        return page

    def _filled_page(self, browser: Browser, tree: Tree) -> Page:
        """Create, with the whole stream loaded; what is sent is never answered until it is seen."""
        page = self._page(browser)
        page.goto(f"{tree.address}/t/{self.said['team']}/create/")
        while page.locator(".next-page").count():
            page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
            page.wait_for_timeout(200)
        assert page.locator(".tile-done").count() == self.options.stream
        page.fill("#id_prompt", "pressed now")
        page.fill("[name=count]", "4")
        page.evaluate(PAINTED + WATCH_PRESS)
        return page

    def _press(self, page: Page, tree: Tree, *, is_scrolled: bool) -> None:
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/create/", hold)
        page.evaluate(f"scrollTo({{ top: {SCROLLED if is_scrolled else 0}, behavior: 'instant' }})")
        page.wait_for_timeout(REST)
        tree.times["press, scrolled down" if is_scrolled else "press"].append(_painted(page))
        while not held:
            page.wait_for_timeout(20)
        held.pop().fulfill(status=204)
        page.locator("[data-pending]").first.wait_for(state="detached")
        page.unroute("**/create/")

    def _go_back(self, page: Page, tree: Tree) -> None:
        """Look at a picture far down, on its page, and go back."""
        team = f"{tree.address}/t/{self.said['team']}"
        places = {
            "back to the library": (f"{team}/library/", self.said["in library"]),
            "back to a search": (f"{team}/library/?q={self.said['word']}", self.said["in search"]),
            "back to the stream": (f"{team}/create/", self.said["in stream"]),
        }
        for name, (address, picture) in places.items():
            _want(page, picture)
            page.goto(f"{address}{'&' if '?' in address else '?'}at={picture}")
            _seen(page)
            page.wait_for_timeout(REST)
            page.locator(
                f'.rows > [data-id="{picture}"] .picture, .tile[data-image="{picture}"] .picture'
            ).click()
            page.wait_for_url("**/picture/**")
            page.wait_for_load_state()
            page.wait_for_timeout(REST)
            page.go_back(wait_until="commit")
            tree.times[name].append(_seen(page))
            assert page.url == address, page.url
        _want(page, "first")
        page.goto(f"{team}/library/", wait_until="commit")
        tree.times["a first page of the library"].append(_seen(page))


def _painted(page: Page) -> float:
    """Press the button of a page, and wait until what it adds is painted; milliseconds."""
    before = page.evaluate("window.painted.length")
    page.click("#generate")
    until(page, f"window.painted.length > {before}")
    return float(page.evaluate("window.painted.at(-1)"))


def _want(page: Page, picture: str) -> None:
    """Have the next page of this tab wait for that picture."""
    page.evaluate(f"sessionStorage.setItem('wanted', '{picture}')")


def _seen(page: Page) -> float:
    """Wait until the picture is on the screen; milliseconds since the page was asked for."""
    until(page, "Boolean(window.seen)")
    return float(page.evaluate("window.seen"))


def _checked_out(commit: str, folder: Path) -> Path:
    """The files of a commit in that folder."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _figures(times: dict[str, list[float]]) -> dict[str, str]:
    """Median, 95th percentile and how often, for each thing that was measured."""
    found = {}
    for name, taken in times.items():
        cuts = statistics.quantiles(taken, n=20, method="inclusive")
        found[name] = f"{cuts[9]:.0f} / {cuts[18]:.0f} ms of {len(taken)}"
    return found


def main() -> int:
    """Measure, show, and write it down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all that was started ends
    parser = argparse.ArgumentParser(prog="python -m tests.bench.screen", description=__doc__)
    parser.add_argument("--stream", type=int, default=200, help="pictures in the stream")
    parser.add_argument("--library", type=int, default=10_000, help="pictures in the library")
    parser.add_argument("--presses", type=int, default=40)
    parser.add_argument("--returns", type=int, default=10)
    parser.add_argument("--base", help="a commit to compare with")
    parser.add_argument("--json", type=Path, default=Path("test-results/bench-screen.json"))
    options = parser.parse_args()
    result = ScreenBench(options).run()
    for name, value in result.items():
        sys.stdout.write(f"{name}: {value if isinstance(value, str) else ''}\n")
        for measured, figures in value.items() if isinstance(value, dict) else ():
            mark = next((mark for word, mark in MARKS.items() if measured.startswith(word)), "")
            sys.stdout.write(f"  {measured:<30} {figures:<26} {mark}\n")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
