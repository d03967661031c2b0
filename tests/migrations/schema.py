"""`python -m tests.migrations.schema` (`make schema`): write sdweb/db/sqlite/schema.sql anew.

It is what the migrations make of an empty database, statement by statement, with the rows that they add.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "sdweb/db/sqlite/schema.sql"
FILLED_AFTERWARDS = {"auth_permission", "django_content_type"}  # by `migrate`, for the models of that day
VIRTUAL = "CREATE VIRTUAL"
NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"


def main() -> None:
    """Migrate an empty database and write down what it became."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"SECRET_KEY": "-", "ENCRYPTION_KEYS": "-", "REDIS_URL": "redis://127.0.0.1:1/0"}
        SCHEMA.write_text(written_down(migrated(Path(folder) / "new.sqlite3", **settings)))


def migrated(file: Path, **settings: str) -> Path:
    """Run all migrations that this database has not seen."""
    command = [sys.executable, "manage.py", "migrate", "-v0", "--skip-checks"]
    environment = os.environ | settings | {"DATABASE_URL": f"sqlite:///{file}"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return file


def written_down(file: Path) -> str:
    """The statements that make this database, a line each or more, in an order that does not change."""
    with closing(sqlite3.connect(file)) as database:
        objects = _objects(database)
        tables = [(name, sql) for kind, name, sql in objects if kind == "table"]
        statements = [sql for _name, sql in tables]
        for name, sql in tables:
            if name not in FILLED_AFTERWARDS and not sql.startswith(VIRTUAL):
                statements += _inserts(database, name)
        statements += [sql for kind, _name, sql in objects if kind != "table"]
    return "".join(f"{statement};\n" for statement in statements)


def _objects(database: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and statement of tables, indexes and triggers, without tables that SQLite makes by itself."""
    found = database.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " ORDER BY type, name"
    ).fetchall()
    virtual = tuple(f"{name}_" for _kind, name, sql in found if sql.startswith(VIRTUAL))
    return [each for each in found if each[0] != "table" or not each[1].startswith(virtual)]


def _inserts(database: sqlite3.Connection, table: str) -> list[str]:
    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    values = ["'now'" if name == "applied" else f'quote("{name}")' for name in columns]
    rows = database.execute(f'SELECT {", ".join(values)} FROM "{table}" ORDER BY rowid')
    return [
        f'INSERT INTO "{table}" VALUES ({", ".join(NOW if value == "now" else value for value in row)})'
        for row in rows
    ]


if __name__ == "__main__":
    main()
