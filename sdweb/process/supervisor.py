"""Keeps programs running until it is told to stop, and then stops them in order."""

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.utils.translation import gettext as _

from sdweb.process.program import Child, Program

TICK = 0.2
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LIVED_WELL = 60.0  # a program that ran so long may be started again at once
PATIENCE_IN_A_HURRY = 2.0
LARGEST_LOG = 10 * 1024 * 1024
NO_ROOM = 4 * 1024 * 1024


class ToldToStop(Exception):
    """Someone pressed Ctrl-C, or sent us a signal that means the same."""


@dataclass
class Watched:
    """A program that is started again whenever it ends."""

    child: Child
    rank: int
    pause: float = SHORTEST_PAUSE
    again_at: float | None = None

    def revive(self) -> str | None:
        """Start it if it ended and has paused long enough; what there is to say about it."""
        if self.child.is_alive():
            return None
        if self.again_at is None:
            return self._plan()
        if time.monotonic() < self.again_at:
            return None
        self.again_at = None
        try:
            self.child.start()
        except OSError as problem:
            return _("%(name)s cannot be started: %(why)s.") % {
                "name": self.child.program.name,
                "why": problem.strerror,
            }
        return None

    def _plan(self) -> str:
        """Decide when to start it again: the more often it fails, the later."""
        if self.child.lived() > LIVED_WELL:
            self.pause = SHORTEST_PAUSE
        self.again_at = time.monotonic() + self.pause
        sentence = _("%(name)s stopped (%(how)s) and is started again in %(pause)g s; see %(log)s.") % {
            "name": self.child.program.name,
            "how": self.child.ending(),
            "pause": self.pause,
            "log": self.child.program.log,
        }
        self.pause = min(2 * self.pause, LONGEST_PAUSE)
        full = shutil.disk_usage(self.child.program.log.parent).free < NO_ROOM
        return " ".join([sentence, _("The disk is full.")]) if full else sentence


class Supervisor:
    """Programs with ranks: the lowest rank is stopped first."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Nothing runs yet; `say` gets the sentences for whoever watches."""
        self.say = say
        self.watched: list[Watched] = []
        self.told_to_stop = 0

    def listen(self) -> None:
        """Take signals: one stops everything in peace, a second one in a hurry."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signal.SIGHUP, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        """A signal handler may only remember."""
        self.told_to_stop += 1

    def start(self, programs: Sequence[Program], *, rank: int) -> None:
        """Start programs, and keep them running from now on."""
        for program in programs:
            self._obey()
            watched = Watched(Child(program), rank)
            self.watched.append(watched)
            rotate(program.log)
            watched.child.start()

    def wait_until_ready(self) -> None:
        """Return once every program answers; DidNotStart if one does not."""
        for watched in self.watched:
            while not watched.child.is_ready():
                self._obey()
                time.sleep(TICK / 4)

    def _obey(self) -> None:
        if self.told_to_stop:
            raise ToldToStop

    def watch(self) -> None:
        """Start again whatever ends, until someone tells us to stop."""
        while not self.told_to_stop:
            for watched in self.watched:
                sentence = watched.revive()
                if sentence:
                    self.say(sentence)
                keep_small(watched.child.program.log)
            time.sleep(TICK)

    def stop(self) -> None:
        """Stop all programs, rank by rank, each with the time it needs to finish."""
        for rank in sorted({watched.rank for watched in self.watched}):
            self._stop_together([watched.child for watched in self.watched if watched.rank == rank])

    def _stop_together(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        asked_at, patience = time.monotonic(), max(child.program.patience for child in children)
        while any(child.is_alive() for child in children):
            limit = PATIENCE_IN_A_HURRY if self.told_to_stop > 1 else patience
            if time.monotonic() - asked_at > limit:
                break
            time.sleep(TICK / 4)
        for child in children:
            child.kill()


def rotate(log: Path) -> None:
    """Begin a new log, and keep the last one beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))


def keep_small(log: Path) -> None:
    """Move what a log says aside before it fills the disk; the program goes on writing to it."""
    if log.stat().st_size > LARGEST_LOG:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        log.open("w").close()
