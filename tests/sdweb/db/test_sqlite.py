"""Write transactions of many threads on SQLite, and connections that one thread has after another.

PostgreSQL needs no lock of ours, and has a pool.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.utils import ConnectionHandler

from generations.teams.models import Team
from sdweb import server_settings

THREADS = 30

pytestmark = pytest.mark.django_db(transaction=True)


def test_concurrent_writers_wait_for_the_lock_and_never_find_the_database_locked(team):
    """SQLite's own busy timeout is 0, so that only our lock can make threads wait."""

    def write(number: int) -> None:
        try:
            with connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.execute("PRAGMA busy_timeout = 0")
            with transaction.atomic():
                Team.objects.filter(pk=team.pk).update(name=f"Studio {number}")
                time.sleep(0.01)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(write, range(THREADS)))
    team.refresh_from_db()
    assert team.name.startswith("Studio ")


def test_a_failed_transaction_releases_the_lock(team):
    def fail() -> None:
        with contextlib.suppress(LookupError), transaction.atomic():
            {}["nothing"]
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(fail).result()
    began = time.monotonic()
    with transaction.atomic():
        Team.objects.filter(pk=team.pk).update(name="Studio South")
    assert time.monotonic() - began < 5


@pytest.fixture
def connect(tmp_path: Path) -> Callable[[], Any]:
    """Another connection to a file, as each thread has one of its own."""
    settings = server_settings.database(f"sqlite:///{tmp_path / 'pictures.sqlite3'}")
    settings["OPTIONS"]["pool"] = 1
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.dummy"}, "file": settings})
    return lambda: handler.create_connection("file")


def mark(connection: Any) -> None:
    """A temporary table is seen by the connection to SQLite alone that has made it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE mark (name text)")


def is_marked(connection: Any) -> bool:
    with connection.cursor() as cursor:
        return bool(cursor.execute("SELECT 1 FROM sqlite_temp_master").fetchall())


def fail(connection: Any) -> None:
    with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT nothing")


def begin(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")


def test_a_closed_connection_is_taken_by_the_next_who_needs_one(connect):
    first, second, third = connect(), connect(), connect()
    mark(first)
    assert not is_marked(second), "it is in use"
    first.close()
    assert is_marked(third)


def test_no_more_are_kept_open_than_the_pool_takes(connect):
    used = [connect(), connect()]
    for each in used:
        mark(each)
    for each in used:
        each.close()
    taken = [connect(), connect()]
    assert sorted(map(is_marked, taken)) == [False, True]


@pytest.mark.parametrize("spoil", [fail, begin])
def test_one_that_failed_or_is_in_a_transaction_is_taken_by_nobody(connect, spoil):
    spoilt, next_one = connect(), connect()
    mark(spoilt)
    spoil(spoilt)
    spoilt.close()
    assert not is_marked(next_one)
    begin(next_one)  # nothing is locked
    next_one.close()


def test_one_of_its_parent_is_taken_by_no_fork(connect, monkeypatch):
    of_the_parent, of_the_fork = connect(), connect()
    mark(of_the_parent)
    of_the_parent.close()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert not is_marked(of_the_fork)
