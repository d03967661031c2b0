"""Tasks: orders whose result comes later, kept in memory for a day."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from generations.sandbox.faults import Planned
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.options import Options
from generations.sandbox.responses import generation_not_found

MAX_TASKS = 10_000
MAX_KEPT = 256 * 1024 * 1024  # bytes of results; beyond that the oldest are forgotten


@dataclass
class Task:
    """An order of one key. `image` is its result: None until it has ended, empty if it failed as planned."""

    key: str
    request: ImageRequest
    planned: Planned
    ordered_at: float
    image: bytes | None = None
    more: tuple[bytes, ...] = ()  # further results of an order of several
    broke: bool = False  # its image could not be drawn
    polled_at: float | None = None
    work: asyncio.Task[None] | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def bytes(self) -> int:
        """How many its results have."""
        return sum(map(len, (self.image or b"", *self.more)))

    def poll(self, now: float, interval: float) -> bool:
        """Note that it was asked for; whether that was sooner than the interval after the last time."""
        early = self.polled_at is not None and now - self.polled_at < interval
        self.polled_at = now
        return early


class Tasks:
    """The tasks by id, oldest first."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._tasks: dict[str, Task] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: Task) -> None:
        """Add a task, and forget those that are too old or too much to keep."""
        kept = sum(each.bytes for each in self._tasks.values())
        for each in list(self._tasks.values()):
            too_much = len(self._tasks) >= MAX_TASKS or (kept > MAX_KEPT and each.image is not None)
            if too_much or self._is_expired(each, task.ordered_at):
                kept -= each.bytes
                del self._tasks[each.id]
        self._tasks[task.id] = task

    def find(self, identity: str, key: str, now: float) -> Task:
        """Return a task of this key; ApiError (404) if it is unknown, expired or another key's."""
        task = self._tasks.get(identity)
        if task is None or task.key != key or self._is_expired(task, now):
            raise generation_not_found()
        return task

    def clear(self) -> None:
        """Forget all tasks, and do not finish those that are under way."""
        for task in self._tasks.values():
            if task.work:
                task.work.cancel()
        self._tasks.clear()

    def under_way(self, key: str) -> list[Task]:
        """Return the tasks of a key that have not ended."""
        mine = [task for task in self._tasks.values() if task.key == key]
        return [task for task in mine if task.image is None and not task.broke]

    def _is_expired(self, task: Task, now: float) -> bool:
        return now - task.ordered_at > self.options.task_lifetime
