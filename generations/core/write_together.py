"""Several prepared writes as one transaction: on PostgreSQL in one message, answered once.

    done = write_together([_moved.write(pk=row.pk), _image.write(image), *ledger.settling(row.pk, price)])

A transaction of ten statements is otherwise twelve messages, for each of which its thread waits and wakes. A
message of several statements is one transaction to PostgreSQL, in which each sees what was committed before
it began, as in any other: what follows a statement that waited for a lock sees what it waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import DataError, connection, transaction

NOT_SO_MANY = "22012"  # PostgreSQL's code of a division by zero


@dataclass(frozen=True, slots=True)
class Write:
    """A statement with its values bound, and how many rows it must change, if that matters."""

    sql: str
    parameters: Sequence[Any]
    rows: int | None = None


def write_together(writes: Sequence[Write]) -> bool:
    """Run these statements in one transaction; False, and nothing is changed, if one finds other rows.

    Inside another transaction they are run one by one, and undone without ending that.
    """
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        return _in_one_message(writes)
    with transaction.atomic(), connection.cursor() as cursor:
        for each in writes:
            cursor.execute(each.sql, each.parameters)
            if each.rows not in (None, cursor.rowcount):
                transaction.set_rollback(True)
                return False
    return True


def _in_one_message(writes: Sequence[Write]) -> bool:
    try:
        with connection.cursor() as cursor, connection.wrap_database_errors:
            # One by one, since psycopg remembers where the values stand in short statements alone.
            message = ";".join(
                cursor.mogrify(_checked(each.sql, each.rows), each.parameters) for each in writes
            )
            cursor.execute(message)
    except DataError as problem:
        if getattr(problem.__cause__, "sqlstate", "") != NOT_SO_MANY:
            raise
        return False
    return True


@lru_cache(maxsize=64)
def _checked(sql: str, rows: int | None) -> str:
    """The statement such that it fails unless it changes so many rows, which ends the transaction."""
    if rows is None:
        return sql
    return f"WITH changed AS ({sql} RETURNING 1) SELECT 1 / (count(*) = {rows})::int FROM changed"  # noqa: S608  compiled SQL
