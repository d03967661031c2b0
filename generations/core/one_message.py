"""Several statements in one message to PostgreSQL: questions with answers, or writes as one transaction.

    wallets, [(ended_at, cap)] = ask_together([_wallet.asked(member=pk), _limits.asked_rows(member=pk)])
    done = write_together([_moved.write(pk=row.pk), _image.write(image), *ledger.settling(row.pk, price)])

Each message has its price: the thread waits, wakes, and works through the layers of Django and psycopg; a
transaction of ten statements is twelve messages otherwise. In one message each statement still sees what was
committed before it began; what follows one that waited for a lock sees what it waited for. On SQLite, which
gets no messages, the statements run one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import DataError, connection, transaction

NOT_SO_MANY = "22012"  # PostgreSQL's code of a division by zero


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with its values bound, and how its answer is read from the cursor that ran it."""

    sql: str
    parameters: Sequence[Any]
    read: Callable[[Any], Any]


def ask_together(asked: Sequence[Asked]) -> list[Any]:
    """Run the statements in the open transaction; return what each answers."""
    with transaction.mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _answers_of_one_message(cursor, asked)
        answers = []
        for each in asked:
            cursor.execute(each.sql, each.parameters)
            answers.append(each.read(cursor))
        return answers


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
        return _write_in_one_message(writes)
    with transaction.atomic(), connection.cursor() as cursor:
        for each in writes:
            cursor.execute(each.sql, each.parameters)
            if each.rows not in (None, cursor.rowcount):
                transaction.set_rollback(True)
                return False
    return True


def _answers_of_one_message(cursor: Any, asked: Sequence[Asked]) -> list[Any]:
    cursor.execute(_message(cursor, [(each.sql, each.parameters) for each in asked]))
    answers = []
    for each in asked:
        answers.append(each.read(cursor))
        cursor.nextset()
    return answers


def _write_in_one_message(writes: Sequence[Write]) -> bool:
    try:
        with connection.cursor() as cursor, connection.wrap_database_errors:
            message = _message(cursor, [(_checked(each.sql, each.rows), each.parameters) for each in writes])
            cursor.execute(message)
    except DataError as problem:
        if getattr(problem.__cause__, "sqlstate", "") != NOT_SO_MANY:
            raise
        return False
    return True


def _message(cursor: Any, statements: Sequence[tuple[str, Sequence[Any]]]) -> str:
    """The statements, bound one by one: psycopg remembers where the values stand in short ones alone."""
    with connection.wrap_database_errors:
        return ";".join(cursor.mogrify(sql, parameters) for sql, parameters in statements)


@lru_cache(maxsize=64)
def _checked(sql: str, rows: int | None) -> str:
    """The statement such that it fails unless it changes so many rows, which ends the transaction."""
    if rows is None:
        return sql
    return f"WITH changed AS ({sql} RETURNING 1) SELECT 1 / (count(*) = {rows})::int FROM changed"  # noqa: S608  compiled SQL
