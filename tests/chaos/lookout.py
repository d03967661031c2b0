"""What the storm sees while it rages, so that faults come when they hurt: rows, holds and spools."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg

from tests.chaos.portal import Portal
from tests.stage import BUCKET

HELD = "SELECT parameters, id FROM jobs_generation WHERE status = 'running' AND worker LIKE '%-{pid}-%'"
COUNTED = "SELECT count(*) FROM jobs_generation WHERE status = '{status}' AND worker LIKE '%-{pid}-%'"
ENDED = """
UPDATE jobs_generation SET lease_until = '2000-01-01 00:00:00+00:00'
WHERE status = 'running' AND worker LIKE '%-{pid}-%' RETURNING id
"""
QUEUED = "SELECT count(*) FROM jobs_generation WHERE status = 'queued'"
UNPAID = """
SELECT one.id FROM jobs_generation AS one JOIN credits_hold ON credits_hold.reference = one.id
WHERE one.status IN ('storing', 'succeeded') AND credits_hold.state = 'open'
"""
TILL = "SELECT id FROM credits_account WHERE kind = 'spent' FOR UPDATE"

Key = tuple[str, int]


class Lookout:
    """Reads the portal's database from outside; while that is away it sees nothing."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.address = portal.stage.environment["DATABASE_URL"]
        self.images = portal.stage.folder / "s3" / BUCKET / "images"  # in this server a bucket is a folder
        self._connection: Any = None
        self._till: Any = None

    def held(self, worker: str) -> dict[Key, str]:
        """Prompt and seed of the rows that a worker runs, and which they are."""
        rows = self._ask(HELD.format(pid=self._pid(worker)))
        found = [(_read(parameters), str(pk)) for parameters, pk in rows]
        return {(one["prompt"], one["seed"]): pk for one, pk in found}

    def running(self, worker: str) -> int:
        """How many calls a worker has under way."""
        return self._count(COUNTED.format(status="running", pid=self._pid(worker)))

    def storing(self, worker: str) -> int:
        """How many images a worker has in its spool that it has promised to store."""
        return self._count(COUNTED.format(status="storing", pid=self._pid(worker)))

    def end_leases(self, worker: str) -> bool:
        """As if their time had come, for a worker that cannot renew them; whether it had any."""
        return bool(self._ask(ENDED.format(pid=self._pid(worker))))

    def queued(self) -> int:
        """How many rows wait."""
        return self._count(QUEUED)

    def at_the_till(self) -> set[str]:
        """Of which rows the picture lies in S3, and the hold is open."""
        unpaid = {str(UUID(str(row[0]))) for row in self._ask(UNPAID)}
        return {pk for pk in unpaid if any((self.images / pk).glob("*"))}

    def close_the_till(self) -> None:
        """Hold the account to which all charges go, as a long transaction does: whoever settles now waits."""
        if self.portal.stage.database == "postgresql":
            self._till = psycopg.connect(self.address)
            self._till.execute(TILL)

    def open_the_till(self) -> None:
        """Let them go on."""
        if self._till:
            self._till.close()
            self._till = None

    def drawn(self) -> list[Key]:
        """Of every call that reached the provider, prompt and seed."""
        return [_key(call) for call in self._calls()]

    def drawn_twice(self) -> set[Key]:
        """What the provider works on now, and had been asked for before."""
        calls = self._calls()
        keys = [_key(call) for call in calls]
        return {_key(call) for call in calls if call["status"] is None and keys.count(_key(call)) > 1}

    def all_drawn_again(self, keys: Iterable[Key]) -> bool:
        """Whether each was asked for twice: what the first answer brings then is late."""
        calls = Counter(self.drawn())
        return all(calls[key] > 1 for key in keys)

    def received(self, worker: str, generation: str) -> bool:
        """Whether the worker's first attempt at it lies in its spool, whoever has the row by now."""
        return any(self.portal.spool(worker).glob(f"*/{generation}-1/received.json"))

    def _pid(self, worker: str) -> int:
        process = self.portal.child(worker).process
        return process.pid if process else 0

    def _count(self, question: str) -> int:
        return next((row[0] for row in self._ask(question)), 0)

    def _ask(self, question: str) -> list[tuple[Any, ...]]:
        try:
            self._connection = self._connection or self._connect()
            return self._connection.execute(question).fetchall()
        except (psycopg.Error, sqlite3.Error):
            with contextlib.suppress(psycopg.Error, sqlite3.Error, AttributeError):
                self._connection.close()
            self._connection = None
            return []

    def _connect(self) -> Any:
        if self.portal.stage.database == "sqlite":
            return sqlite3.connect(self.address.removeprefix("sqlite:///"), isolation_level=None)
        return psycopg.connect(self.address, autocommit=True, connect_timeout=5)

    def _calls(self) -> list[dict[str, Any]]:
        """Those that the provider read; one that is one too many is refused unread."""
        return [call for call in self.portal.provider.calls() if "prompt" in call["fields"]]


def _read(parameters: Any) -> dict[str, Any]:
    return parameters if isinstance(parameters, dict) else json.loads(parameters)


def _key(call: dict[str, Any]) -> Key:
    return call["fields"]["prompt"], int(call["fields"]["seed"])
