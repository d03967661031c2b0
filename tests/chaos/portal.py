"""The portal in the storm: its processes, how they are killed, and how a supervisor starts them again."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from sdweb.child import Child
from tests.chaos.proxy import Proxy
from tests.sandboxes import Sandbox
from tests.stage import PROVIDER_KEY, Stage, portal_program, worker_command

THREADS = 60
WORKERS = ("calls-1", "calls-2")
QUEUE = "calls"
LATENCY = 1.0
BEAT = ("-A", "sdweb", "beat", "--pidfile=", "--schedule")


class Portal:
    """All processes of a portal with two workers for calls, each with a spool of its own."""

    def __init__(self, database: str, mutant: str = "") -> None:
        self.mutant = mutant
        self.stage = Stage(database)
        self.stage.start_servers()
        self.proxy = Proxy(self.stage.storage_port)
        self.stage.environment["S3_ENDPOINT_URL"] = f"http://127.0.0.1:{self.proxy.port}"
        self.provider = Sandbox(self.stage.start_provider("provider", "--plain", "--latency", str(LATENCY)))
        self.progress_file = self.stage.folder / "progress.json"
        self.valkey = redis.Redis.from_url(self.stage.environment["REDIS_URL"], socket_timeout=2)
        self.bell = Celery(broker=self.stage.environment["REDIS_URL"])
        self.bell.conf.broker_transport_options = {"socket_connect_timeout": 1, "max_retries": 0}

    def open(self) -> None:
        """Make the database and what is in it, then start everything that works."""
        self.stage.manage("migrate", "-v0")
        self.stage.manage("collectstatic", "-v0", "--noinput")
        self.stage.run_to_end("prepare", "tests.chaos.members", "prepare", self.provider.url, PROVIDER_KEY)
        for name in (*WORKERS, "upkeep"):
            self.start_worker(name)
        self.stage.start(
            "beat", ("-m", "celery", *["-A", "sdweb", "beat", "--pidfile=", "-s"], self._beat_file)
        )

    def start_worker(self, name: str) -> None:
        """A worker with that spool."""
        queue, threads = (QUEUE, THREADS) if name in WORKERS else (name, 4)
        mutant = ("--mutant", self.mutant) if self.mutant else ()
        program = portal_program("tests.chaos.worker", "--journal", str(self._journal(name)), *mutant)
        command = (*program, *worker_command(queue, threads, name))
        self.stage.start(name, command, SPOOL=str(self.spool(name)))

    def ask_for(self, jobs: int, seconds: float, seed: int) -> None:
        """Let the members begin."""
        arguments = ("submit", str(self.progress_file), str(jobs), str(seconds), str(seed))
        self.stage.start("members", portal_program("tests.chaos.members", *arguments))

    def progress(self) -> dict[str, int]:
        """How many images were asked for, and how many are unfinished."""
        return json.loads(self.progress_file.read_text()) if self.progress_file.exists() else {}

    def child(self, name: str) -> Child:
        """A process by name."""
        return self.stage.children[name]

    def cut_power(self, name: str) -> None:
        """Kill a worker; what its disk was not told to keep is gone."""
        self.child(name).kill()
        journal = self._journal(name)
        kept = set(journal.read_text().splitlines()) if journal.exists() else set()
        for folder in [path for path in self.spool(name).glob("*/*") if path.is_dir()]:
            if {str(folder), str(folder.parent)} <= kept:
                _forget(folder, lambda file: str(file) not in kept)
            else:
                shutil.rmtree(folder)

    def restart_database(self) -> None:
        """PostgreSQL ends at once, as in a crash, and starts again."""
        child = self.child("postgresql")
        child.process.send_signal(signal.SIGQUIT)
        child.process.wait(20)
        child.start()

    def spool(self, name: str) -> Path:
        """Where a worker keeps what it received."""
        return self.stage.folder / f"spool-{name}"

    def spools(self) -> list[Path]:
        """All of them."""
        return [self.spool(name) for name in WORKERS]

    def check(self, jobs: int) -> dict[str, Any]:
        """What the checker found."""
        found = self.stage.folder / "verdict.json"
        log = self.stage.folder / "calls.json"
        log.write_text(json.dumps(self.provider.calls()))
        state = self.stage.folder / "provider.json"
        state.write_text(json.dumps(self.provider.state()))
        arguments = [str(found), str(jobs), str(log), str(state), *map(str, self.spools())]
        self.stage.run_to_end("checker", "tests.chaos.checker", *arguments)
        return json.loads(found.read_text())

    @property
    def _beat_file(self) -> str:
        return str(self.stage.folder / "beat-schedule")

    def _journal(self, name: str) -> Path:
        return self.stage.folder / f"{name}.synced"


def _forget(folder: Path, lost: Callable[[Path], bool]) -> None:
    for file in folder.iterdir():
        if lost(file):
            file.unlink()
