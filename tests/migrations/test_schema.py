"""The tables that a new SQLite database gets at once are those that the migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests import migrated
from tests.migrations import schema


def test_a_database_that_began_with_the_schema_is_as_one_that_was_migrated_from_its_beginning(
    tmp_path: Path,
) -> None:
    short, long = tmp_path / "short.sqlite3", tmp_path / "long.sqlite3"
    migrated.manage("shell", "-v0", "-c", migrated.MIGRATE, DATABASE_URL=f"sqlite:///{short}")
    schema.migrated(long)
    assert sorted(lines(short)) == sorted(lines(long)), "make schema"
    assert facts(short) == facts(long)


def test_a_database_with_tables_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE of_somebody_else (id)")
    create = "from sdweb.db.sqlite import schema; schema.create_tables()"
    migrated.manage("shell", "-v0", "-c", create, DATABASE_URL=f"sqlite:///{file}")
    assert lines(file) == ["CREATE TABLE of_somebody_else (id);"]


def lines(file: Path) -> list[str]:
    """The statements that make it, without the numbers of migrations, which come in another order later."""
    return [
        line.partition("(")[0] + line.partition(",")[2] if "django_migrations" in line else line
        for line in schema.written_down(file).splitlines()
    ]


def facts(file: Path) -> list[object]:
    """All that SQLite has in it, what `migrate` filled, and whether SQLite finds the file in order."""
    with closing(sqlite3.connect(file)) as database:
        made = database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        permissions = database.execute(
            "SELECT app_label, model, codename FROM auth_permission p JOIN django_content_type t"
            " ON t.id = p.content_type_id ORDER BY 1, 2, 3"
        ).fetchall()
        return [made, permissions, database.execute("PRAGMA integrity_check").fetchall()]
