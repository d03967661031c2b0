"""A private portal for chaos and for the benchmark: its servers and its processes, each to be had one by one.

Nothing here knows Django; what does runs as a process of its own (`portal_program`).
"""

from __future__ import annotations

import atexit
import base64
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sdweb.process import ports
from sdweb.process import servers as process_servers
from sdweb.process.program import ChildProcess, Program, always
from tests import postgresql

ROOT = Path(__file__).resolve().parent.parent
BUCKET = "sdweb-stage"
PATIENCE = 300  # seconds for a program on a busy machine
PROVIDER_KEY = "sk-a-key-for-the-stage-only"
RUN = (
    "import django, runpy; django.setup(); runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
)


class Stage:
    """Servers and processes by name, on a folder of their own; all end with us.

    A folder that is given is kept, with all that the servers store there, and may be given again.
    """

    def __init__(self, database: str, kept: Path | None = None) -> None:
        self.database, self.is_kept = database, kept is not None
        self.folder = kept.resolve() if kept else Path(tempfile.mkdtemp(prefix="sdweb-stage-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # PostgreSQL's user passes through it
        self.children: dict[str, ChildProcess] = {}
        self.environment = _bare_environment() | {
            "DJANGO_SETTINGS_MODULE": "sdweb.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "SDWEB_DATA": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "MALLOC_ARENA_MAX": "2",  # as sdweb/process/services.py and the Dockerfile set it
        }
        atexit.register(self.strike)

    def start_servers(self) -> None:
        """Valkey, S3 and the database; returns when all answer."""
        for child in (self._start_valkey(), self._start_storage(), self._start_database()):
            if child:
                child.wait_until_ready()

    def start_provider(self, name: str, *options: str) -> str:
        """A stand-in provider; its address."""
        port = ports.free_port()
        command = ("-m", "generations.sandbox", "--port", str(port), "--key", PROVIDER_KEY, *options)
        self.start(name, command, ready=lambda: ports.answers(port)).wait_until_ready()
        return f"http://{ports.LOOPBACK}:{port}"

    def start(
        self,
        name: str,
        command: tuple[str, ...],
        *,
        ready: Callable[[], bool] = always,
        folder: Path = ROOT,
        **more: str,
    ) -> ChildProcess:
        """A Python process of this repository under that name, with `more` in its environment."""
        program = Program(
            name=name,
            command=(sys.executable, *command),
            folder=folder,
            log=self.folder / f"{name}.log",
            environment=self.environment | more,
            ready=ready,
        )
        return self._run(name, program)

    def manage(self, *arguments: str) -> None:
        """Run `manage.py` to its end; it must succeed."""
        child = self.start(f"manage-{arguments[0]}", ("manage.py", *arguments))
        assert child.process
        assert child.process.wait(PATIENCE) == 0, child.last_log_line()

    def run_to_end(self, name: str, module: str, *arguments: str, patience: float = PATIENCE) -> None:
        """Run a module that needs Django to its end; it must succeed."""
        child = self.start(name, portal_program(module, *arguments))
        assert child.process
        assert child.process.wait(patience) == 0, child.last_log_line()

    def keep_logs(self, folder: Path) -> None:
        """Copy what the processes said."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in self.folder.glob("*.log"):
            shutil.copy(log, folder)

    def strike(self) -> None:
        """End everything; nothing is kept but a folder that was given."""
        for child in reversed(list(self.children.values())):
            child.kill()
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, program: Program) -> ChildProcess:
        child = self.children[name] = ChildProcess(program)
        child.start()
        return child

    def _start_valkey(self) -> ChildProcess:
        port, password = ports.free_port(), secrets.token_urlsafe(12)
        self.environment["REDIS_URL"] = f"redis://:{password}@{ports.LOOPBACK}:{port}/0"
        log = self.folder / "valkey.log"
        program = process_servers.valkey(folder=self.folder / "valkey", port=port, password=password, log=log)
        return self._run("valkey", program)

    def _start_storage(self) -> ChildProcess:
        port, access, secret = ports.free_port(), secrets.token_hex(10), secrets.token_hex(20)
        self.storage_port = port
        (self.folder / "s3" / BUCKET).mkdir(
            parents=True, exist_ok=True
        )  # in this server a bucket is a folder
        self.environment |= {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": f"http://{ports.LOOPBACK}:{port}",
            "S3_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        log = self.folder / "storage.log"
        program = process_servers.object_storage(
            folder=self.folder / "s3", port=port, access_key=access, secret_key=secret, log=log
        )
        return self._run("storage", program)

    def _start_database(self) -> ChildProcess | None:
        if self.database == "sqlite":
            self.environment["DATABASE_URL"] = f"sqlite:///{self.folder}/sdweb.sqlite3"
            return None
        port = ports.free_port()
        self.environment["DATABASE_URL"] = f"postgres://sdweb@{ports.LOOPBACK}:{port}/postgres"
        folder, log = self.folder / "postgresql", self.folder / "postgresql.log"
        # It is killed here, and what it has committed must then be there.
        return self._run(
            "postgresql", postgresql.cluster(folder=folder, port=port, log=log, synchronous_commit="on")
        )


def portal_program(module: str, *arguments: str) -> tuple[str, ...]:
    """Run a module as a program in which Django is ready before the module is read."""
    return ("-c", RUN.format(module=module), *arguments)


def worker_command(queue: str, threads: int, name: str) -> tuple[str, ...]:
    """What follows `celery -A sdweb` for a worker."""
    options = f"worker -Q {queue} -P threads -c {threads} -n {name}@stage"
    return (*options.split(), "--without-gossip", "--without-mingle", "--without-heartbeat")


def _bare_environment() -> dict[str, str]:
    return process_servers.minimal_environment() | {"PYTHONPATH": str(ROOT)}
