"""Run `manage.py portal` and other commands in processes of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from sdweb.process.local_environment import BASE_DIR
from sdweb.process.ports import free_port
from tests.services import CLEARED

START_TIMEOUT = 180
SETTINGS = """
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY DATABASE_URL DJANGO_SETTINGS_MODULE ENCRYPTION_KEYS REDIS_URL
    S3_BUCKET S3_ENDPOINT_URL S3_REGION SDWEB_DATA SECRET_KEY SPOOL STATIC_ROOT MAKELEVEL MAKEFLAGS
"""


def bare_environment(**settings: str) -> dict[str, str]:
    """Return the environment without settings of the portal but these."""
    cleared = {*SETTINGS.split(), *CLEARED.split()}
    return {name: value for name, value in os.environ.items() if name not in cleared} | settings


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of `manage.py` to its end."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def eventually(condition: Callable[[], object], *, within: float = 30) -> bool:
    """Poll the condition; return whether it became true in time."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.1)
    return False


class Portal:
    """Runs `manage.py portal`, also several times, on one data folder."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data, self.port = data, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = bare_environment(SDWEB_DATA=str(data), PORT=str(self.port), **settings)
        self.process: subprocess.Popen[str] | None = None
        self.output_file = data.with_name("output.txt")

    def start(self) -> str:
        """Start it, wait until it is ready, and return its output."""
        with self.output_file.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "portal"],
                cwd=BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        if not eventually(self.is_ready_or_ended, within=START_TIMEOUT):
            self.stop()
        assert self.process.poll() is None, self.output()
        return self.output()

    def is_ready_or_ended(self) -> bool:
        return "Ctrl-C stops everything." in self.output() or self.process.poll() is not None

    def output(self) -> str:
        return self.output_file.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        """Kill the main process."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def processes(self) -> dict[str, int]:
        """Return the processes that use its data folder: a part of the command line, and the pid."""
        return {
            name: pid
            for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if (name := self.name(pid))
        }

    def name(self, pid: int) -> str:
        """Return the part of the command line that names a process of this portal, empty for any other."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
            belongs = str(self.data) in os.readlink(f"/proc/{pid}/cwd")
            belongs = (
                belongs or f"SDWEB_DATA={self.data}\0" in Path(f"/proc/{pid}/environ").read_text() + "\0"
            )
        except (OSError, UnicodeDecodeError):
            return ""
        words = r"manage.py portal|valkey|nanio|sdweb (sandbox|web|calls|upkeep)"
        found = re.search(words, command) if belongs else None
        return found[0] if found else ""

    def answers(self) -> bool:
        """Return whether the web server answers."""
        try:
            return requests.get(f"{self.address}/healthz", timeout=5).status_code == 200
        except requests.RequestException:
            return False
