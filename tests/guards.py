"""The triggers of append-only tables, taken out of the way for a moment, as they stand in the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLES = ("credits_transfer", "office_auditentry")


@contextmanager
def lifted() -> Iterator[None]:
    """Let rows be changed that nobody may change, until the end of the block."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            yield
            cursor.execute("SET session_replication_role = DEFAULT")
            return
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (%s, %s)", TABLES
        )
        triggers = cursor.fetchall()
        assert {name for name, _sql in triggers} >= {"ledger_guard_UPDATE", "changes_guard_UPDATE"}
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql)
