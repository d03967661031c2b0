"""Copies of this process, which share the memory of what it has imported: docs/decisions/processes.md.

Fork only while this process has no other threads, no connections and no clients of servers: a copy would
have them too, and two processes would use one connection.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # prctl(2); other systems than Linux have none
M_ARENA_MAX = -8  # mallopt(3)
ARG_START = 45  # the field of the command line's address in /proc/self/stat, counted after the name
# Other systems have threads of their own in a process that seems to have none.
IS_SAFE = sys.platform == "linux"


class Fork:
    """A child process that runs a function; it is asked and stopped as a `subprocess.Popen`."""

    stdin = None

    def __init__(
        self, run: Callable[[], object], *, parent_death_signal: signal.Signals = signal.SIGKILL
    ) -> None:
        """Start it, in a session of its own, so that Ctrl-C does not reach it."""
        self.returncode: int | None = None
        parent = os.getpid()
        reading, writing = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # else the copy would write that too
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            os.setsid()
            end_with_parent(parent, parent_death_signal)
            os.close(writing)
            run_and_exit(run)
        os.close(writing)
        os.read(reading, 1)  # its end: from now on its group can be killed
        os.close(reading)

    def poll(self) -> int | None:
        """The exit code, or the negative number of the signal that ended it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code. Raises subprocess.TimeoutExpired."""
        began = time.monotonic()
        while (code := self.poll()) is None:
            if timeout is not None and time.monotonic() - began > timeout:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Errand:
    """A function that runs in a fork, so that nothing of its work stays in this process."""

    def __init__(self, work: Callable[[], str], expected: tuple[type[Exception], ...] = ()) -> None:
        """Start it. These errors, and those of files, are told by a sentence, others by their traceback."""
        self._reading, writing = os.pipe()

        def run() -> None:
            try:
                said = {"result": work()}
            except expected as error:
                said = {"failure": str(error)}
            except OSError as error:
                said = {"failure": ": ".join(filter(None, [str(error.filename or ""), error.strerror]))}
            os.write(writing, json.dumps(said).encode())

        self.process = Fork(run)
        os.close(writing)

    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def result(self) -> tuple[str, str]:
        """Wait for its end: its result, and a sentence why it failed, "" if it did not."""
        with open(self._reading, encoding="utf-8") as pipe:
            said = pipe.read()
        code = self.process.wait()
        answer = json.loads(said) if said else {"failure": exit_status(code)}
        return answer.get("result", ""), answer.get("failure", "")


def exit_status(code: int) -> str:
    """Return the exit code or the name of the signal that ended a process."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def end_with_parent(parent: int, by: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent ends, even if that is killed."""
    prctl = getattr(LIBC, "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(by))
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)


def run_and_exit(run: Callable[[], object]) -> NoReturn:
    """Run the function and end this process as Python ends, without what the stack of its parent would do."""
    code: object = 1
    try:
        signal.set_wakeup_fd(-1)  # its parent would hear of the signals of this process
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            if isinstance(code, str):
                sys.stderr.write(f"{code}\n")
            threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as at the end of Python
            atexit._run_exitfuncs()
            sys.stdout.flush()
        finally:
            os._exit(code if isinstance(code, int) else int(code is not None))


def redirect(log: Path) -> None:
    """Read nothing, and write to the log."""
    with open(os.devnull, "rb") as nothing, log.open("ab") as end:
        os.dup2(nothing.fileno(), 0)
        os.dup2(end.fileno(), 1)
        os.dup2(end.fileno(), 2)
    # A line of a log is written when it is there, not with the next thousand.
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115  until the end


def run_module(words: Sequence[str]) -> None:
    """Run `-m module arguments` as the program that this process is from now on."""
    _dash, module, *arguments = words
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def limit_arenas(number: int) -> None:
    """As MALLOC_ARENA_MAX does, which is only read when a program starts."""
    mallopt = getattr(LIBC, "mallopt", None)  # of glibc
    if mallopt is not None:
        mallopt(M_ARENA_MAX, number)


def rename(name: str) -> None:
    """Have `ps` and `top` show the name instead of the command of the parent."""
    LIBC.prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)
    with contextlib.suppress(OSError, IndexError):  # without /proc the command of the parent stays
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[ARG_START]), int(fields[ARG_START + 1])
        title = name.encode()[: end - start - 1]
        ctypes.memmove(start, title.ljust(end - start, b"\0"), end - start)
