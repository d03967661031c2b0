"""What takes long and is the same for all: done once in a run of tests, by whichever process needs it first.

The migrations run once, and new databases are copies of what they made; static files are collected once.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "SDWEB_TEST_FOLDER"  # of the run, and
CLUSTER = "SDWEB_TEST_CLUSTER"  # its PostgreSQL, not set if it tests SQLite: tests/services.py sets both
TEMPLATE = "migrated"
# As `make run` does; tests/migrations/test_schema.py migrates from the beginning, and compares.
MIGRATE = """
from django.core.management import call_command
from sdweb.db.sqlite import schema
schema.create_tables()
call_command("migrate", verbosity=0, skip_checks=True)
"""
COLLECT = "from sdweb.process import static_files; static_files.collect()"


def new_database(name: str) -> str:
    """The address of a new database with all tables, and no rows but those of the migrations."""
    once("migrated", lambda: manage("shell", "-v0", "-c", MIGRATE, DATABASE_URL=empty_database(TEMPLATE)))
    if _server():
        _create(name, TEMPLATE)
    else:
        with closing(sqlite3.connect(_file(TEMPLATE))) as full, closing(sqlite3.connect(_file(name))) as copy:
            full.backup(copy)
    return address(name)


def empty_database(name: str) -> str:
    """The address of a new database without tables."""
    if _server():
        _create(name, "template0")
    return address(name)


def address(name: str) -> str:
    """Where the database of that name is, made or not."""
    return f"{_server()}/{name}" if _server() else f"sqlite:///{_file(name)}"


def collect_static_files() -> None:
    """As `make run` does: pages name their files by hash. A portal with this STATIC_ROOT finds it done."""
    once("static", lambda: manage("shell", "-v0", "-c", COLLECT))


def once(name: str, make: Callable[[], None]) -> None:
    """Have it made, unless a process of this run did so before; whoever comes meanwhile waits."""
    with first_alone(name) as is_first:
        if is_first:
            make()


@contextmanager
def first_alone(name: str) -> Iterator[bool]:
    """Let the first process of this run do it before all others, which then do it at the same time."""
    folder = Path(os.environ[FOLDER])
    done = folder / f"{name}.done"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_first = not done.exists()
        if is_first:
            yield True
            done.touch()
    if not is_first:
        yield False


def manage(*arguments: str, **more: str) -> None:
    """Run `manage.py` to its end; it must succeed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | more, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _server() -> str:
    return os.environ.get(CLUSTER, "")


def _create(name: str, template: str) -> None:
    with psycopg.connect(f"{_server()}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _file(name: str) -> Path:
    return Path(os.environ[FOLDER]) / f"{name}.sqlite3"
