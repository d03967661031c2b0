"""API calls that wait until generations have ended: woken by events, or by polling the database.

A waiting call holds neither a thread nor a database connection. The Hub passes on which generations ended;
every few seconds one query checks all that are waited for, in case an event was lost.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable

from django.db import connection

from generations.jobs.live.connections import live_threads
from generations.jobs.models import UNFINISHED, Generation

log = logging.getLogger(__name__)

POLL_INTERVAL = 5.0  # seconds
MAX_RECENT = 2_000  # ended generations: one may end before its call begins to wait


class Wait:
    """The generations that a call still waits for; `over` is set when all have ended or the process stops."""

    def __init__(self, left: set[uuid.UUID]) -> None:
        self.left, self.over, self.closed = left, asyncio.Event(), False


class WaitRegistry:
    """The waiting calls of this process, by generation."""

    def __init__(self) -> None:
        self.waits: dict[uuid.UUID, set[Wait]] = defaultdict(set)
        self.recent: OrderedDict[uuid.UUID, None] = OrderedDict()
        self.closed = False

    def begin(self, generations: Iterable[uuid.UUID]) -> Wait:
        """Start waiting for these, some of which may have ended already. Call `leave` afterwards."""
        wait = Wait({pk for pk in generations if pk not in self.recent})
        for pk in wait.left:
            self.waits[pk].add(wait)
        wait.closed = self.closed
        if self.closed or not wait.left:
            wait.over.set()
        return wait

    def leave(self, wait: Wait) -> None:
        """Remove a call that is over."""
        for pk in wait.left:
            self._remove(pk, wait)

    def ended(self, generations: Iterable[uuid.UUID]) -> None:
        """Mark these as ended, and wake calls that wait for no others."""
        for pk in generations:
            self.recent[pk] = None
            for wait in self.waits.pop(pk, set()):
                wait.left.discard(pk)
                if not wait.left:
                    wait.over.set()
        while len(self.recent) > MAX_RECENT:
            self.recent.popitem(last=False)

    def close(self) -> None:
        """Wake every call, because this process stops."""
        self.closed = True
        for waits in self.waits.values():
            for wait in waits:
                wait.closed = True
                wait.over.set()

    async def poll(self) -> None:
        """Check in the database what is waited for, as long as this process runs."""
        while not self.closed:
            await asyncio.sleep(POLL_INTERVAL)
            if not self.waits:
                continue
            try:
                self.ended(await live_threads.run(_ended, list(self.waits)))
            except Exception:  # whatever it is, calls must not wait for ever
                log.exception("Waiting calls could not be checked; next try in %.0f s", POLL_INTERVAL)

    def _remove(self, pk: uuid.UUID, wait: Wait) -> None:
        self.waits[pk].discard(wait)
        if not self.waits[pk]:
            del self.waits[pk]


def parse_ended(data: str) -> list[uuid.UUID]:
    """The generations in the data of an `ended` event."""
    return [uuid.UUID(name) for name in data.split()]


def _ended(generations: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Which of these have ended."""
    try:
        rows = Generation.objects.filter(pk__in=generations).exclude(status__in=UNFINISHED)
        return list(rows.values_list("pk", flat=True))
    finally:
        connection.close()
