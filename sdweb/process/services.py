"""The services of the portal, as `manage.py portal` starts them; docker-compose.yml runs the same ones."""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sdweb.process import fork, local_environment
from sdweb.process import servers as process_servers
from sdweb.process.ports import LOOPBACK, answers
from sdweb.process.program import Program, always

CALLS_STOP_TIMEOUT = 140.0  # a provider call takes up to 120 s, and its image is stored after that
SANDBOX_LATENCY = 4
# Seconds for which an idle connection stays open: longer than proxies keep theirs (nginx 60 s, Caddy 120 s,
# load balancers up to 600 s), or their next request meets a closed one and becomes a 502.
KEEP_ALIVE = 620

Run = Callable[[Sequence[str]], object]


class Services:
    """The program of each service, built from the environment."""

    def __init__(self, environment: Mapping[str, str], *, run: Run | None = None) -> None:
        """Write logs and state to the data folder; with `run`, which runs them, services are forks."""
        self.environment, self.run = environment, run
        self.data = local_environment.data_folder(environment)
        (self.data / "log").mkdir(exist_ok=True)

    def valkey(self) -> list[Program]:
        """Return the embedded Valkey, [] if another is configured."""
        return [self._valkey()] if local_environment.is_embedded("REDIS_URL", self.environment) else []

    def object_storage(self) -> list[Program]:
        """Return the embedded S3 server, [] if another is configured."""
        is_embedded = local_environment.is_embedded("S3_ENDPOINT_URL", self.environment)
        return [self._object_storage()] if is_embedded else []

    def sandbox(self) -> list[Program]:
        """Return the sandbox provider, [] if another is configured."""
        is_embedded = local_environment.is_embedded("STABILITY_BASE_URL", self.environment)
        return [self._sandbox()] if is_embedded else []

    def web(self) -> Program:
        """Return the web server: pages, API and event streams."""
        host, port = self.environment["HOST"], self.environment["PORT"]
        proxies = self.environment.get("TRUSTED_PROXIES", "")
        return self._python(
            "web",
            f"-m uvicorn sdweb.asgi:application --host {host} --port {port}"
            f" --timeout-graceful-shutdown 3 --timeout-keep-alive {KEEP_ALIVE} --no-access-log",
            ready=lambda: answers(int(port), LOOPBACK if host in local_environment.ALL_INTERFACES else host),
            extra_environment={"FORWARDED_ALLOW_IPS": proxies},
        )

    def workers(self) -> list[Program]:
        """Return the worker for provider calls, and the one for all other tasks, which sends them as well."""
        threads = self.environment.get("WORKER_THREADS") or "240"
        return [
            self._worker("calls", threads, stop_timeout=CALLS_STOP_TIMEOUT),
            self._worker("upkeep", "4", "--beat-schedule", str(self.data / "beat"), stop_timeout=30.0),
        ]

    def _worker(self, queue: str, threads: str, *options: str, stop_timeout: float) -> Program:
        name = f"{queue}@{socket.gethostname()}"
        return self._python(
            queue,
            f"-m celery -A sdweb worker -Q {queue} -P threads -c {threads} -n {name}"
            " --without-gossip --without-mingle --without-heartbeat",
            *options,
            ready=lambda: f"{name} ready." in self._log(queue).read_text(errors="replace"),
            stop_timeout=stop_timeout,
            extra_environment={
                "MALLOC_ARENA_MAX": "2"
            },  # else each of hundreds of threads keeps the memory of an image
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
            uses_database=False,
        )

    def _python(
        self,
        name: str,
        command: str,
        *arguments: str,
        ready: Callable[[], bool] = always,
        extra_environment: Mapping[str, str] | None = None,
        stop_timeout: float = 10.0,
        uses_database: bool = True,
    ) -> Program:
        """Return a Python program of this repository."""
        words = (*command.split(), *arguments)
        run = self.run if uses_database else fork.run_module
        return Program(
            name=name,
            command=(sys.executable, *words),
            folder=local_environment.BASE_DIR,
            log=self._log(name),
            environment={**self.environment, **(extra_environment or {})},
            ready=ready,
            stop_timeout=stop_timeout,
            forked=partial(run, words) if self.run and run else None,
        )

    def _log(self, name: str) -> Path:
        return self.data / "log" / f"{name}.log"
