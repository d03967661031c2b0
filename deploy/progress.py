"""Progress of the steps of `make run`.

`make run` runs two programs, `deploy/install.py` and `manage.py portal`; both show their steps with this
module. It runs before anything is installed, so it only uses the standard library.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

REFRESH_INTERVAL = 1.0  # seconds, on a terminal
LOG_INTERVAL = 15.0
CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Numbered steps: one rewritten line each on a terminal, plain lines elsewhere."""

    def __init__(self, steps: int, *, done: int = 0, output: TextIO | None = None) -> None:
        """Count `steps` in all, of which `done` were shown before; write to stdout by default."""
        self.steps, self.number = steps, done
        self.output = output or sys.stdout
        self.is_live = self.output.isatty()
        self.lock = threading.Lock()  # messages and the progress line must not interleave
        self.current_line = ""

    @contextlib.contextmanager
    def step(self, name: str, detail: Callable[[], str] = str) -> Iterator[None]:
        """Show one step while the body runs; `detail` returns how far it is."""
        self.number += 1
        title, began, finished = f"{self.number}/{self.steps} {name}", time.monotonic(), threading.Event()

        def show(end: str = "") -> None:
            text = ": ".join(filter(None, [title, detail()]))
            self._show(f"{text}, {time.monotonic() - began:.0f} s", end)

        def refresh() -> None:
            while not finished.wait(REFRESH_INTERVAL if self.is_live else LOG_INTERVAL):
                show()

        self._show(f"{title} ...")
        refresher = threading.Thread(target=refresh, daemon=True)
        refresher.start()
        try:
            yield
        finally:
            finished.set()
            refresher.join()
            show(end="\n")

    def print_message(self, message: str) -> None:
        """Print a message above the line of the current step."""
        with self.lock:
            self._write(f"{CLEAR_LINE}{message}\n{self.current_line}" if self.is_live else f"{message}\n")

    def _show(self, line: str, end: str = "") -> None:
        with self.lock:
            if not self.is_live:
                self._write(f"{line}\n")
                return
            width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be rewritten
            self.current_line = "" if end else line[:width]
            self._write(f"{CLEAR_LINE}{line[:width]}{end}")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the reader may have closed it; the work goes on
            self.output.write(text)
            self.output.flush()
