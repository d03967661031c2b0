"""The tables of a new SQLite database, written at once instead of by every migration there ever was.

schema.sql is what the migrations made up to the day when it was written: `make schema`. It records them, so
that `migrate` goes on with those that came later; it need not be new, only true (tests/migrations/).
"""

from pathlib import Path

from django.db import connection

SCHEMA = Path(__file__).with_name("schema.sql")


def create_tables() -> None:
    """Create the tables, if this is SQLite and there are none; all or nothing."""
    if connection.vendor == "sqlite" and not connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.executescript(f"BEGIN;\n{SCHEMA.read_text()}COMMIT;\n")
