"""Shows which step of a start runs, and for how long.

`make run` is two programs, `deploy/install.py` and `manage.py portal`, and both count with this one.
It runs before anything is installed, so it uses nothing but Python.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERY = 1.0  # seconds between two looks of a terminal's line
EVERY_IN_A_LOG = 15.0
CLEAR = "\r\x1b[K"


class Progress:
    """Numbered steps: one line that is rewritten on a terminal, plain lines anywhere else."""

    def __init__(self, steps: int, *, done: int = 0, output: TextIO | None = None) -> None:
        """So many steps in all, of which some are done; to the standard output unless told otherwise."""
        self.steps, self.number = steps, done
        self.output = output or sys.stdout
        self.is_live = self.output.isatty()
        self.lock = threading.Lock()  # a sentence and the line must not mix
        self.line = ""

    @contextlib.contextmanager
    def step(self, name: str, detail: Callable[[], str] = str) -> Iterator[None]:
        """Show one step while the body runs; `detail` says how far it is whenever it is shown."""
        self.number += 1
        title, began, over = f"{self.number}/{self.steps} {name}", time.monotonic(), threading.Event()

        def show(end: str = "") -> None:
            words = ": ".join(filter(None, [title, detail()]))
            self._show(f"{words}, {time.monotonic() - began:.0f} s", end)

        def keep_showing() -> None:
            while not over.wait(EVERY if self.is_live else EVERY_IN_A_LOG):
                show()

        self._show(f"{title} ...")
        watcher = threading.Thread(target=keep_showing, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            show(end="\n")

    def say(self, sentence: str) -> None:
        """Show a sentence of its own, above the line of the step that runs."""
        with self.lock:
            self._write(f"{CLEAR}{sentence}\n{self.line}" if self.is_live else f"{sentence}\n")

    def _show(self, line: str, end: str = "") -> None:
        with self.lock:
            if not self.is_live:
                self._write(f"{line}\n")
                return
            width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be rewritten
            self.line = "" if end else line[:width]
            self._write(f"{CLEAR}{line[:width]}{end}")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # whoever watched may be gone, and the work goes on
            self.output.write(text)
            self.output.flush()
