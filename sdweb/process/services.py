"""The processes of the portal, as `manage.py portal` starts them; docker-compose.yml runs the same ones."""

import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kombu.exceptions import OperationalError
from redis import RedisError

from sdweb.celery import app
from sdweb.process import local_environment
from sdweb.process import servers as process_servers
from sdweb.process.ports import LOOPBACK, answers
from sdweb.process.program import Program, always

CALLS_FINISH_WITHIN = 140.0  # a provider call has 120 s in all, and its picture is stored after that
SANDBOX_LATENCY = 4


class Processes:
    """Builds each program from the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Logs and state go to the embedded folder."""
        self.environment = environment
        self.data = local_environment.folder(environment)
        (self.data / "log").mkdir(exist_ok=True)

    def valkey(self) -> list[Program]:
        """Ours, unless we were given another."""
        return [self._valkey()] if local_environment.is_ours("REDIS_URL", self.environment) else []

    def servers(self) -> list[Program]:
        """Our S3 and our sandbox provider, unless we were given others."""
        makers = {"S3_ENDPOINT_URL": self._object_storage, "STABILITY_BASE_URL": self._sandbox}
        return [make() for name, make in makers.items() if local_environment.is_ours(name, self.environment)]

    def web(self) -> Program:
        """The pages, their API and the live events."""
        host, port = self.environment["HOST"], self.environment["PORT"]
        proxies = self.environment.get("TRUSTED_PROXIES", "")
        return self._python(
            "web",
            f"-m uvicorn sdweb.asgi:application --host {host} --port {port}"
            " --timeout-graceful-shutdown 3 --no-access-log",
            ready=lambda: answers(int(port), LOOPBACK if host in local_environment.ANYWHERE else host),
            more={"FORWARDED_ALLOW_IPS": proxies},
        )

    def workers(self) -> list[Program]:
        """One for provider calls, one for everything that must not wait behind them."""
        threads = self.environment.get("WORKER_THREADS") or "240"
        return [
            self._worker("calls", threads, patience=CALLS_FINISH_WITHIN),
            self._worker("upkeep", "4", patience=30.0),
        ]

    def beat(self) -> Program:
        """What rings the upkeep."""
        return self._python("beat", "-m celery -A sdweb beat --pidfile= --schedule", str(self.data / "beat"))

    def _worker(self, queue: str, threads: str, *, patience: float) -> Program:
        name = f"{queue}@{socket.gethostname()}"
        return self._python(
            queue,
            f"-m celery -A sdweb worker -Q {queue} -P threads -c {threads} -n {name}"
            " --without-gossip --without-mingle --without-heartbeat",
            ready=lambda: is_listening(name),
            patience=patience,
            more={"MALLOC_ARENA_MAX": "2"},  # hundreds of threads would each keep what a picture took
        )

    def _valkey(self) -> Program:
        url = urlsplit(self.environment["REDIS_URL"])
        return process_servers.valkey(
            folder=self.data / "valkey",
            port=url.port or 0,
            password=url.password or "",
            log=self._log("valkey"),
        )

    def _object_storage(self) -> Program:
        return process_servers.object_storage(
            folder=self.data / "s3",
            port=urlsplit(self.environment["S3_ENDPOINT_URL"]).port or 0,
            access_key=self.environment["AWS_ACCESS_KEY_ID"],
            secret_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            log=self._log("s3"),
        )

    def _sandbox(self) -> Program:
        port = urlsplit(self.environment["STABILITY_BASE_URL"]).port or 0
        key = self.environment["STABILITY_API_KEY"]
        return self._python(
            "sandbox",
            f"-m generations.sandbox --port {port} --latency {SANDBOX_LATENCY} --key",
            key,
            ready=lambda: answers(port),
        )

    def _python(
        self,
        name: str,
        command: str,
        *more_command: str,
        ready: Callable[[], bool] = always,
        more: Mapping[str, str] | None = None,
        patience: float = 10.0,
    ) -> Program:
        """A program of this repository."""
        return Program(
            name=name,
            command=(sys.executable, *command.split(), *more_command),
            folder=local_environment.BASE_DIR,
            log=self._log(name),
            environment={**self.environment, **(more or {})},
            ready=ready,
            patience=patience,
        )

    def _log(self, name: str) -> Path:
        return self.data / "log" / f"{name}.log"


def is_listening(worker: str) -> bool:
    """Whether a Celery worker answers."""
    try:
        return bool(app.control.ping(destination=[worker], timeout=0.3))
    except (OperationalError, RedisError, OSError):
        return False
