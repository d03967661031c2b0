"""What a list has told of tasks that ended or wait, until these are polled by themselves."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT = 60.0  # seconds; a task that the list told of is polled at once, unless the account has no permit


class LastWords(Generic[T]):
    """By the ids of tasks, each taken once. Thread-safe."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def keep(self, task_id: str, told: T) -> None:
        """Keep what was told of a task, and forget what nobody has taken in time."""
        now = time.monotonic()
        with self._lock:
            for each in [each for each, (at, _told) in self._kept.items() if now - at > KEPT]:
                del self._kept[each]
            self._kept[task_id] = now, told

    def pop(self, task_id: str) -> T | None:
        """Return what was told of a task within the last minute, once; None for nothing."""
        with self._lock:
            at, told = self._kept.pop(task_id, (0.0, None))
        return told if told is not None and time.monotonic() - at <= KEPT else None
