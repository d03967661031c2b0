"""Child processes that never outlive this process.

Independent of Django: the tests start their private servers with it as well.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdweb.process import fork
from sdweb.process.fork import Fork, end_with_parent

START_TIMEOUT = 90.0


class StartError(Exception):
    """A program ended or did not become ready while it was being started."""


def always() -> bool:
    """Readiness check of a program without one: it counts as ready at once."""
    return True


@dataclass(frozen=True)
class Program:
    """How to start a program, check its readiness, and stop it."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool] = always
    standard_input: str = ""
    user: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    parent_death_signal: signal.Signals = signal.SIGKILL  # sent by the kernel when this process ends
    stop_timeout: float = 10.0  # seconds before it is killed
    forked: Callable[[], object] | None = None  # runs in a copy of this process, instead of the command


@dataclass
class ChildProcess:
    """A running program."""

    program: Program
    started_at: float = 0.0
    process: subprocess.Popen[bytes] | Fork | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the program in a session of its own, so that Ctrl-C only reaches this process.

        Call it in the main thread only: the kernel sends the signal when the thread that forked ends.
        """
        self.process = self._fork() if self.program.forked else self._execute()
        self.started_at = time.monotonic()
        self._write_stdin(self.program.standard_input)

    def _execute(self) -> subprocess.Popen[bytes]:
        program, parent = self.program, os.getpid()
        with program.log.open("ab") as log:
            return subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=program.user,
                group=program.user,
                extra_groups=None if program.user is None else [],
                preexec_fn=lambda: end_with_parent(parent, program.parent_death_signal),  # noqa: PLW1509  see above
            )

    def _fork(self) -> Fork:
        def run() -> None:
            program = self.program
            fork.redirect(program.log)
            fork.rename(f"sdweb {program.name}")
            os.chdir(program.folder)
            os.environ.update(program.environment)
            if program.forked:
                program.forked()

        self.program.log.touch()
        return Fork(run, parent_death_signal=self.program.parent_death_signal)

    def _write_stdin(self, text: str) -> None:
        """Write the standard input and close it."""
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
                pipe.write(text.encode())

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def uptime(self) -> float:
        """Return the seconds since the last start."""
        return time.monotonic() - self.started_at

    def is_ready(self) -> bool:
        """Run the readiness check; StartError if the process ended or took too long."""
        if not self.is_alive():
            raise StartError(f"{self.program.name} stopped while starting: {self.last_log_line()}")
        if self.program.ready():
            return True
        if self.uptime() > START_TIMEOUT:
            raise StartError(f"{self.program.name} does not answer: {self.last_log_line()}")
        return False

    def wait_until_ready(self) -> None:
        """Block until it is ready."""
        while not self.is_ready():
            time.sleep(0.02)

    def last_log_line(self) -> str:
        """Return the last line of the log and where the log is."""
        lines = self.program.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1].strip() if lines else 'its log is empty'} (see {self.program.log})"

    def exit_status(self) -> str:
        """Return the exit code or the name of the signal that ended it."""
        code = self.process.returncode if self.process else None
        return "" if code is None else fork.exit_status(code)

    def request_stop(self) -> None:
        """Send the stop signal."""
        if self.process and self.is_alive():
            self.process.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        """Kill the process and everything that it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Request a stop, and kill the process after its timeout."""
        self.request_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.process:
                self.process.wait(self.program.stop_timeout)
        self.kill()
