"""The sandbox provider in a process of its own, and its control API."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import requests

from sdweb.process.program import end_with_parent

KEY = "sk-a-key-for-tests-only"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox provider."""

    url: str

    def plan(self, *outcomes: str | dict[str, Any]) -> None:
        """Plan the outcomes of the next calls: "429:7", "502-html", "drop", "slow:3", ..."""
        self._ask("POST", "plan", list(outcomes))

    def clear_plan(self) -> None:
        """Have the next calls answered as if nothing had been planned."""
        self._ask("DELETE", "plan")

    def calls(self, last: int | None = None) -> list[dict[str, Any]]:
        """Return all calls since the last reset, or the last ones; oldest first."""
        return self._ask("GET", "log" if last is None else f"log?last={last}")

    def orders(self) -> int:
        """How many pictures were asked for; the portal asks for the balance too, whenever that is due."""
        return sum(call["method"] == "POST" for call in self.calls())

    def state(self, **changes: Any) -> dict[str, Any]:
        """Change the state; return it."""
        return self._ask("POST", "state", changes) if changes else self._ask("GET", "state")

    def reset(self) -> None:
        """Remove plans, calls, tasks and time-outs, and let calls and tasks take no time."""
        self.clear_plan()
        self._ask("DELETE", "log")
        quick = {"latency": 0, "limit": 100_000, "window": 10, "credits": 1_000_000}
        tasks = {"task_latency": 0, "task_lifetime": 86_400, "poll_interval": 10, "result_lifetime": 600}
        self.state(reset=True, forget=True, **quick, **tasks)

    def _ask(self, method: str, name: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/control/{name}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running(*options: str) -> Iterator[Sandbox]:
    """Run a sandbox on a free port until the end of the block."""
    command = [sys.executable, "-m", "generations.sandbox", "--port", "0", "--key", KEY, *options]
    parent = os.getpid()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: end_with_parent(parent, SIGKILL),  # noqa: PLW1509  one thread starts it
    ) as process:
        try:
            assert process.stdout
            found = re.search(r"http://[\d.:]+", process.stdout.readline())
            assert found, "the sandbox did not say where it listens"
            yield Sandbox(found[0])
        finally:
            process.kill()
