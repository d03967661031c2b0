"""Real processes: the portal as `make run` starts it, and whatever it leaves behind."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.platform.portal import Portal


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the state of one portal; short, and gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="sdweb-portal-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def database(folder: Path) -> str:
    """The address of an empty database of the kind that this run tests."""
    address = os.environ["DATABASE_URL"]
    if address.startswith("sqlite"):
        return f"sqlite:///{folder}/empty.sqlite3"
    server, name = address.rpartition("/")[0], f"empty_{secrets.token_hex(4)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


@pytest.fixture
def portal(folder: Path, database: str) -> Iterator[Portal]:
    """A portal that can be started; on PostgreSQL it is given the database."""
    given = {} if database.startswith("sqlite") else {"DATABASE_URL": database}
    portal = Portal(folder / "var", **given)
    yield portal
    portal.kill()
