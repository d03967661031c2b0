"""Calls that wait until generations have ended: woken by the stream of changes, and by the database at last.

A waiting call holds neither a thread nor a connection to the database. The Hub tells what ended;
every few seconds one query asks after all that is still waited for, should an event have been lost.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection

from generations.jobs.models import UNFINISHED, Generation

log = logging.getLogger(__name__)

ASKED_EVERY = 5.0  # seconds between two looks into the database
REMEMBERED = 2_000  # ended generations: one may end before its call begins to wait


class Wait:
    """One call, and what it still waits for: `over` is set once all have ended, or this process stops."""

    def __init__(self, left: set[uuid.UUID]) -> None:
        self.left, self.over, self.closed = left, asyncio.Event(), False


class Awaited:
    """All that calls of this process wait for."""

    def __init__(self) -> None:
        self.waits: dict[uuid.UUID, set[Wait]] = defaultdict(set)
        self.recent: OrderedDict[uuid.UUID, None] = OrderedDict()
        self.closed = False

    def begin(self, generations: Iterable[uuid.UUID]) -> Wait:
        """Wait for these, of which some may have ended a moment ago; leave it when the call is over."""
        wait = Wait({pk for pk in generations if pk not in self.recent})
        for pk in wait.left:
            self.waits[pk].add(wait)
        wait.closed = self.closed
        if self.closed or not wait.left:
            wait.over.set()
        return wait

    def leave(self, wait: Wait) -> None:
        """Forget a call that is over."""
        for pk in wait.left:
            self._forget(pk, wait)

    def ended(self, generations: Iterable[uuid.UUID]) -> None:
        """Wake the calls that waited for nothing else."""
        for pk in generations:
            self.recent[pk] = None
            for wait in self.waits.pop(pk, set()):
                wait.left.discard(pk)
                if not wait.left:
                    wait.over.set()
        while len(self.recent) > REMEMBERED:
            self.recent.popitem(last=False)

    def close(self) -> None:
        """Wake every call; this process stops."""
        self.closed = True
        for waits in self.waits.values():
            for wait in waits:
                wait.closed = True
                wait.over.set()

    async def keep_asking(self) -> None:
        """Ask the database after what is still waited for, as long as this process runs."""
        while not self.closed:
            await asyncio.sleep(ASKED_EVERY)
            if not self.waits:
                continue
            try:
                self.ended(await sync_to_async(_ended, thread_sensitive=False)(list(self.waits)))
            except DatabaseError as problem:
                log.warning("Waiting calls could not be looked after, and are again soon: %s", problem)

    def _forget(self, pk: uuid.UUID, wait: Wait) -> None:
        self.waits[pk].discard(wait)
        if not self.waits[pk]:
            del self.waits[pk]


def read(data: str) -> list[uuid.UUID]:
    """The generations that an event of the kind `ended` names."""
    return [uuid.UUID(name) for name in data.split()]


def _ended(generations: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Which of these have ended."""
    try:
        rows = Generation.objects.filter(pk__in=generations).exclude(status__in=UNFINISHED)
        return list(rows.values_list("pk", flat=True))
    finally:
        connection.close()
