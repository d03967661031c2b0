"""A second database: empty, for tests that migrate one from the first migration on, or with all tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from tests import migrated

NAME = f"fresh_{os.getpid()}"  # several processes share a server


@contextmanager
def fresh_database(*, with_tables: bool = False) -> Iterator[None]:
    """Let this process be connected to a new database, and then to the own one of the tests again."""
    known, options = connection.settings_dict["NAME"], connection.settings_dict["OPTIONS"]
    # Without a pool, into which the engine would give back a connection whose transaction a test keeps open.
    unpooled = {name: value for name, value in options.items() if name != "pool"}
    name = migrated.address(NAME).removeprefix("sqlite:///") if connection.vendor == "sqlite" else NAME
    _drop(name)
    make = migrated.new_database if with_tables else migrated.empty_database
    make(NAME)
    _lead_to(name, unpooled)
    try:
        yield
    finally:
        _lead_to(known, options)
        _drop(name)


def _lead_to(name: str, options: dict[str, Any]) -> None:
    """As Django itself leads to the database of the tests: threads share these settings."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    connection.settings_dict |= {"NAME": name, "OPTIONS": options}


def _drop(name: str) -> None:
    if connection.vendor == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(f"{name}{ending}").unlink(missing_ok=True)
    else:
        _administer(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def _administer(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
