"""A second, empty database, for tests that migrate one from the first migration on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

NAME = "migrated"


@contextmanager
def fresh_database() -> Iterator[None]:
    """Let this process be connected to an empty database, and then to the own one of the tests again."""
    known = connection.settings_dict["NAME"]
    name = f"{known}.{NAME}" if connection.vendor == "sqlite" else NAME
    _drop(name)
    if connection.vendor != "sqlite":
        _administer(f"CREATE DATABASE {NAME}")
    _lead_to(name)
    try:
        yield
    finally:
        _lead_to(known)
        _drop(name)


def _lead_to(name: str) -> None:
    """As Django itself leads to the database of the tests: threads share these settings."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    connection.settings_dict["NAME"] = name


def _drop(name: str) -> None:
    if connection.vendor == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(f"{name}{ending}").unlink(missing_ok=True)
    else:
        _administer(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def _administer(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
