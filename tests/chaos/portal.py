"""The portal in the storm: its processes, how they are killed, and how a supervisor starts them again."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from generations.jobs.engine import spool_files
from sdweb.process.program import ChildProcess
from tests.chaos.proxy import Proxy
from tests.sandboxes import Sandbox
from tests.stage import PROVIDER_KEY, Stage, portal_program, worker_command

THREADS = 60
WORKERS = ("calls-1", "calls-2")
QUEUE = "calls"
LATENCY = 1.0
BEAT = ("-A", "sdweb", "beat", "--pidfile=", "--schedule")


@dataclass(frozen=True)
class WorkerTimeouts:
    """How long a worker, whose name it is, waits for an answer and keeps a row without a sign of life."""

    worker: str
    longest_call: float = 27.0  # seconds, in place of two minutes; longer than a worker stalls by chance
    lease: float = 20.0


class Portal:
    """All processes of a portal with two workers for calls, each with a spool of its own."""

    def __init__(
        self, database: str, mutant: str = "", timeouts: Callable[[str], WorkerTimeouts] = WorkerTimeouts
    ) -> None:
        self.mutant = mutant
        self.timeouts = timeouts
        self.stage = Stage(database)
        self.stage.start_servers()
        self.proxy = Proxy(self.stage.storage_port)
        self.stage.environment["S3_ENDPOINT_URL"] = f"http://127.0.0.1:{self.proxy.port}"
        self.provider = Sandbox(self.stage.start_provider("provider", "--plain", "--latency", str(LATENCY)))
        self.progress_file = self.stage.folder / "progress.json"
        self.allowance = self.stage.folder / "allowance"
        self.valkey = redis.Redis.from_url(self.stage.environment["REDIS_URL"], socket_timeout=2)
        self.celery = Celery(broker=self.stage.environment["REDIS_URL"])
        self.celery.conf.broker_transport_options = {"socket_connect_timeout": 1, "max_retries": 0}

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
        timeouts, journal = self.timeouts(name), str(self._journal(name))
        options = (
            "--journal",
            journal,
            "--longest-call",
            str(timeouts.longest_call),
            "--lease",
            str(timeouts.lease),
        )
        program = portal_program("tests.chaos.worker", *options, *mutant)
        command = (*program, *worker_command(queue, threads, name))
        self.stage.start(name, command, SPOOL=str(self.spool(name)))

    def ask_for(self, jobs: int, seconds: float, seed: int) -> None:
        """Let the members begin; they ask for all of them, unless `allow` said for how many."""
        files = (str(self.progress_file), str(self.allowance))
        arguments = ("submit", *files, str(jobs), str(seconds), str(seed))
        self.stage.start("members", portal_program("tests.chaos.members", *arguments))

    def allow(self, jobs: int) -> None:
        """Let the members ask for so many images by now, and then wait."""
        new = self.allowance.with_suffix(".new")
        new.write_text(str(jobs))
        new.replace(self.allowance)

    def progress(self) -> dict[str, int]:
        """How many images were asked for, and how many are unfinished."""
        return json.loads(self.progress_file.read_text()) if self.progress_file.exists() else {}

    def child(self, name: str) -> ChildProcess:
        """A process by name."""
        return self.stage.children[name]

    def cut_power(self, name: str) -> None:
        """Kill a worker; what its disk did not sync is gone."""
        self.child(name).kill()
        journal = self._journal(name)
        synced = journal.read_text().splitlines() if journal.exists() else []
        last = {path: number for number, path in enumerate(synced)}
        for file in self.spool(name).glob(f"*/*{spool_files.RECEIVED}"):
            if last.get(str(file), len(synced)) > last.get(str(file.parent), -1):
                file.unlink()
        for file in self.spool(name).glob(f"*/*{spool_files.STORED}"):  # the new name was not synced
            file.rename(file.with_suffix(spool_files.RECEIVED))

    def start_again(self) -> list[str]:
        """Start what ended by itself, as a supervisor does; who it was."""
        ended = [name for name in (*WORKERS, "upkeep", "beat") if self._ended_by_itself(name)]
        for name in ended:
            self.child(name).start()
        return ended

    def _ended_by_itself(self, name: str) -> bool:
        process = self.child(name).process
        return process is not None and process.poll() not in (None, -signal.SIGKILL)

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
