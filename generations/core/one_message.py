"""Several statements in one message to PostgreSQL, each with its answer.

    wallets, [(ended_at, cap)] = ask_together([_wallet.asked(member=pk), _limits.asked_rows(member=pk)])

Each message has its price: the thread waits, wakes, and works through the layers of Django and psycopg. In
one message each statement still sees what was committed before it began; what follows one that waited for a
lock sees what it waited for. On SQLite, which gets no messages, they run one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


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
            return _in_one_message(cursor, asked)
        answers = []
        for each in asked:
            cursor.execute(each.sql, each.parameters)
            answers.append(each.read(cursor))
        return answers


def _in_one_message(cursor: Any, asked: Sequence[Asked]) -> list[Any]:
    with connection.wrap_database_errors:
        message = ";".join(cursor.mogrify(each.sql, each.parameters) for each in asked)
    cursor.execute(message)
    answers = []
    for each in asked:
        answers.append(each.read(cursor))
        cursor.nextset()
    return answers
