"""A program that runs beside this one and never outlives it.

Nothing here knows Django: the tests start their private servers with it as well.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2); other systems than Linux have no such signal
LIBC = ctypes.CDLL(None)
LONGEST_START = 90.0


class DidNotStart(Exception):
    """A program ended, or did not answer, while it was being started."""


def always() -> bool:
    """What a program answers that nobody can ask."""
    return True


@dataclass(frozen=True)
class Program:
    """How a program is started, how one sees that it answers, and how it is ended."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool] = always
    standard_input: str = ""
    user: int | None = None
    end_signal: signal.Signals = signal.SIGTERM  # asks it to end
    death_signal: signal.Signals = signal.SIGKILL  # what it gets when we die
    patience: float = 10.0  # seconds it is given to finish what it does


@dataclass
class Child:
    """A running program."""

    program: Program
    started_at: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C reaches us alone."""
        program, parent = self.program, os.getpid()
        # Only the main thread starts programs: the kernel ends a child with the thread that made it.
        with program.log.open("ab") as log:
            self.process = subprocess.Popen(
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
                preexec_fn=lambda: end_with_parent(parent, program.death_signal),  # noqa: PLW1509  see above
            )
        self.started_at = time.monotonic()
        self._hand_over(program.standard_input)

    def _hand_over(self, text: str) -> None:
        """Write its standard input, which ends there."""
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
                pipe.write(text.encode())

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def lived(self) -> float:
        """Seconds since its last start."""
        return time.monotonic() - self.started_at

    def is_ready(self) -> bool:
        """Whether it answers; DidNotStart if it ended instead, or took too long."""
        if not self.is_alive():
            raise DidNotStart(f"{self.program.name} stopped while starting: {self.last_words()}")
        if self.program.ready():
            return True
        if self.lived() > LONGEST_START:
            raise DidNotStart(f"{self.program.name} does not answer: {self.last_words()}")
        return False

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        while not self.is_ready():
            time.sleep(0.02)

    def last_words(self) -> str:
        """The end of its log, for whoever has to find out why."""
        lines = self.program.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1].strip() if lines else 'it said nothing'} (see {self.program.log})"

    def ending(self) -> str:
        """How it ended."""
        code = self.process.returncode if self.process else None
        return signal.Signals(-code).name if code and code < 0 else f"exit code {code}"

    def ask_to_stop(self) -> None:
        """Let it finish what it does and end."""
        if self.process and self.is_alive():
            self.process.send_signal(self.program.end_signal)

    def kill(self) -> None:
        """End it and whatever it started, now."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Ask it to stop, and end it if that takes too long."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.process:
                self.process.wait(self.program.patience)
        self.kill()


def end_with_parent(parent: int, by: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent ends, however that ends."""
    prctl = getattr(LIBC, "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(by))
        if os.getppid() != parent:  # it ended before we could ask
            os._exit(1)
