"""What a test committed goes before the next one: the rows of the tables that have some, and no others.

Django's own flush empties all tables and makes content types and permissions anew, which takes a second.
"""

from __future__ import annotations

from django.db import connection, transaction

from generations.credits.models import Account, AccountKind
from tests import guards

KEPT = {"django_migrations", "django_content_type", "auth_permission"}
INDEX = "library_words"  # SQLite's full-text index: its tables follow the entries' own


def flush() -> None:
    """Leave the database as the migrations leave it."""
    if tables := _tables_with_rows():
        {"postgresql": _empty_on_postgresql, "sqlite": _empty_on_sqlite}[connection.vendor](tables)


def _tables_with_rows() -> list[str]:
    with connection.cursor() as cursor:
        tables = [each.name for each in connection.introspection.get_table_list(cursor) if each.type == "t"]
        asked = [name for name in tables if name not in KEPT and not name.startswith(INDEX)]
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in asked)
        )
        return [name for (name,) in cursor.fetchall()]


@transaction.atomic
def _empty_on_postgresql(tables: list[str]) -> None:
    with guards.lifted(), connection.cursor() as cursor:  # nor are foreign keys asked
        cursor.execute("; ".join(f"DELETE FROM {name}" for name in tables))
    _open_outside_accounts()


def _empty_on_sqlite(tables: list[str]) -> None:
    with connection.constraint_checks_disabled(), transaction.atomic(), guards.lifted():
        with connection.cursor() as cursor:
            for name in tables:
                cursor.execute(f"DELETE FROM {name}")
        _open_outside_accounts()


def _open_outside_accounts() -> None:
    """As the migration does: they are the first of all accounts."""
    Account.objects.bulk_create([Account(kind=kind) for kind in (AccountKind.ISSUED, AccountKind.SPENT)])
