"""Keep programs running until a stop is requested, then stop them in order."""

import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.utils.translation import gettext as _

from sdweb.process.program import ChildProcess, Program

POLL_INTERVAL = 0.2  # seconds between two looks while something starts, ends or waits for its restart
REST_INTERVAL = 1.0  # the same while all run; a signal ends this wait, also that of a program that has ended
MIN_BACKOFF, MAX_BACKOFF = 0.5, 30.0
STABLE_AFTER = 60.0  # the back-off starts anew for a program that ran this long
FORCED_STOP_TIMEOUT = 2.0
MAX_LOG_SIZE = 10 * 1024 * 1024
DISK_FULL_BELOW = 4 * 1024 * 1024


class StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived."""


@dataclass
class Supervised:
    """A program that is restarted whenever it ends."""

    child: ChildProcess
    stop_order: int
    backoff: float = MIN_BACKOFF
    restart_at: float | None = None

    def restart_if_ended(self) -> str | None:
        """Restart an ended program after its back-off; return a message for people, if any."""
        if self.child.is_alive():
            return None
        if self.restart_at is None:
            return self._schedule_restart()
        if time.monotonic() < self.restart_at:
            return None
        self.restart_at = None
        try:
            self.child.start()
        except OSError as problem:
            return _("%(name)s cannot be started: %(why)s.") % {
                "name": self.child.program.name,
                "why": problem.strerror,
            }
        return None

    def _schedule_restart(self) -> str:
        """Schedule the restart, with exponential back-off; return the message."""
        if self.child.uptime() > STABLE_AFTER:
            self.backoff = MIN_BACKOFF
        self.restart_at = time.monotonic() + self.backoff
        message = _("%(name)s stopped (%(how)s) and is started again in %(pause)g s; see %(log)s.") % {
            "name": self.child.program.name,
            "how": self.child.exit_status(),
            "pause": self.backoff,
            "log": self.child.program.log,
        }
        self.backoff = min(2 * self.backoff, MAX_BACKOFF)
        is_full = shutil.disk_usage(self.child.program.log.parent).free < DISK_FULL_BELOW
        return " ".join([message, _("The disk is full.")]) if is_full else message


class Supervisor:
    """Runs programs; the lowest `stop_order` is stopped first."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """Start nothing yet; `report` gets the messages for people."""
        self.report = report
        self.supervised: list[Supervised] = []
        self.stop_requests = 0
        self._signalled, self._signal_end = os.pipe()
        os.set_blocking(self._signal_end, False)

    def install_signal_handlers(self) -> None:
        """Handle signals: one stops everything gracefully, a second one kills."""
        signal.set_wakeup_fd(self._signal_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only handled signals end a wait
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signal.SIGHUP, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Only count: little else is safe in a signal handler."""
        self.stop_requests += 1

    def start(self, programs: Sequence[Program], *, stop_order: int) -> None:
        """Start programs and supervise them from now on."""
        for program in programs:
            self.check_stop_requested()
            supervised = Supervised(ChildProcess(program), stop_order)
            self.supervised.append(supervised)
            rotate(program.log)
            supervised.child.start()

    def wait_until_ready(self) -> None:
        """Block until every program is ready; StartError if one does not start."""
        for supervised in self.supervised:
            while not supervised.child.is_ready():
                self.check_stop_requested()
                time.sleep(POLL_INTERVAL / 4)

    def check_stop_requested(self) -> None:
        """Raise StopRequested if a signal arrived."""
        if self.stop_requests:
            raise StopRequested

    def run(self) -> None:
        """Restart programs that end, until a stop is requested."""
        while not self.stop_requests:
            for supervised in self.supervised:
                message = supervised.restart_if_ended()
                if message:
                    self.report(message)
                truncate_if_large(supervised.child.program.log)
            is_restarting = any(each.restart_at is not None for each in self.supervised)
            self._wait_for_signal(POLL_INTERVAL if is_restarting else REST_INTERVAL)

    def _wait_for_signal(self, seconds: float) -> None:
        """Wait until a signal arrives, for so long at most."""
        if select.select([self._signalled], [], [], seconds)[0]:
            os.read(self._signalled, 1024)

    def stop(self) -> None:
        """Stop all programs in order, each within its timeout."""
        for order in sorted({each.stop_order for each in self.supervised}):
            self._stop_group([each.child for each in self.supervised if each.stop_order == order])

    def _stop_group(self, children: Sequence[ChildProcess]) -> None:
        for child in children:
            child.request_stop()
        began, timeout = time.monotonic(), max(child.program.stop_timeout for child in children)
        while any(child.is_alive() for child in children):
            limit = FORCED_STOP_TIMEOUT if self.stop_requests > 1 else timeout
            if time.monotonic() - began > limit:
                break
            time.sleep(POLL_INTERVAL / 4)
        for child in children:
            child.kill()


def rotate(log: Path) -> None:
    """Begin a new log, and keep the last one as `.log.1`."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))


def truncate_if_large(log: Path) -> None:
    """Copy a large log to `.log.1` and truncate it; the program goes on appending to it."""
    if log.stat().st_size > MAX_LOG_SIZE:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        log.open("w").close()
