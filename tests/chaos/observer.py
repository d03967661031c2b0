"""Observes rows, holds and spools from outside, so that faults are injected when they do most harm."""

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

RUNNING = "SELECT parameters, id FROM jobs_generation WHERE status = 'running' AND worker LIKE '%-{pid}-%'"
COUNTED = "SELECT count(*) FROM jobs_generation WHERE status = '{status}' AND worker LIKE '%-{pid}-%'"
EXPIRE = """
UPDATE jobs_generation SET lease_until = '2000-01-01 00:00:00+00:00'
WHERE status = 'running' AND worker LIKE '%-{pid}-%' RETURNING id
"""
QUEUED = "SELECT count(*) FROM jobs_generation WHERE status = 'queued'"
UNPAID = """
SELECT one.id FROM jobs_generation AS one JOIN credits_hold ON credits_hold.reference = one.id
WHERE one.status IN ('storing', 'succeeded') AND credits_hold.state = 'open'
"""
SPENT_ACCOUNT = "SELECT id FROM credits_account WHERE kind = 'spent' FOR UPDATE"

Key = tuple[str, int]


class Observer:
    """Reads the portal's database from outside; results are empty while it is unreachable."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.address = portal.stage.environment["DATABASE_URL"]
        self.images = portal.stage.folder / "s3" / BUCKET / "images"  # in this server a bucket is a folder
        self._connection: Any = None
        self._blocking: Any = None

    def held(self, worker: str) -> dict[Key, str]:
        """{(prompt, seed): id} of the generations that a worker runs."""
        rows = self._ask(RUNNING.format(pid=self._pid(worker)))
        found = [(_read(parameters), _id(pk)) for parameters, pk in rows]
        return {(one["prompt"], one["seed"]): pk for one, pk in found}

    def running(self, worker: str) -> int:
        """The number of running calls of a worker."""
        return self._count(COUNTED.format(status="running", pid=self._pid(worker)))

    def storing(self, worker: str) -> int:
        """The number of a worker's STORING generations, whose images are in its spool."""
        return self._count(COUNTED.format(status="storing", pid=self._pid(worker)))

    def expire_leases(self, worker: str) -> bool:
        """Let the leases of a stopped worker expire; whether it had any."""
        return bool(self._ask(EXPIRE.format(pid=self._pid(worker))))

    def queued(self) -> int:
        """The number of waiting generations."""
        return self._count(QUEUED)

    def can_write(self) -> bool:
        """Whether nobody holds the lock of SQLite, which has one for all; PostgreSQL has none such."""
        if self.portal.stage.database != "sqlite":
            return True
        try:
            with contextlib.closing(self._connect()) as writer:
                writer.execute("PRAGMA busy_timeout = 500")
                writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            return False
        return True

    def stored_and_unsettled(self) -> set[str]:
        """The generations whose image is in S3 and whose hold is open."""
        unpaid = {_id(row[0]) for row in self._ask(UNPAID)}
        return {pk for pk in unpaid if any((self.images / pk).glob("*"))}

    def block_settlement(self) -> None:
        """Lock the account to which all charges go, as a long transaction does: settlements wait."""
        if self.portal.stage.database == "postgresql":
            self._blocking = psycopg.connect(self.address)
            self._blocking.execute(SPENT_ACCOUNT)

    def unblock_settlement(self) -> None:
        """Release that lock."""
        if self._blocking:
            self._blocking.close()
            self._blocking = None

    def called(self) -> list[Key]:
        """Prompt and seed of every call that reached the provider."""
        return [_key(call) for call in self._calls()]

    def being_called_again(self) -> set[Key]:
        """Prompt and seed of running calls that repeat an earlier one."""
        calls = self._calls()
        keys = [_key(call) for call in calls]
        return {_key(call) for call in calls if call["status"] is None and keys.count(_key(call)) > 1}

    def all_called_again(self, keys: Iterable[Key]) -> bool:
        """Whether each was called for twice, so that the first answer will be late."""
        calls = Counter(self.called())
        return all(calls[key] > 1 for key in keys)

    def received(self, worker: str, generation: str) -> bool:
        """Whether the worker's first attempt is in its spool, even if another has claimed the generation."""
        return any(self.portal.spool(worker).glob(f"*/{generation}-1.received"))

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
        """Calls that the provider read; those above its rate limit are refused unread."""
        return [call for call in self.portal.provider.calls() if "prompt" in call["fields"]]


def _read(parameters: Any) -> dict[str, Any]:
    return parameters if isinstance(parameters, dict) else json.loads(parameters)


def _id(written: Any) -> str:
    """As folders are named; SQLite writes 32 digits without hyphens."""
    return str(UUID(str(written)))


def _key(call: dict[str, Any]) -> Key:
    return call["fields"]["prompt"], int(call["fields"]["seed"])
