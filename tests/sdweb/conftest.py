"""Portals in real processes, as `make run` starts them."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.sdweb.portal import Portal


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the state of one portal, removed afterwards; its path is short."""
    path = Path(tempfile.mkdtemp(prefix="sdweb-portal-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def empty_database() -> str:
    """The URL of an empty database of the vendor that this run tests."""
    return migrated.empty_database(f"empty_{secrets.token_hex(4)}")


@pytest.fixture
def database() -> str:
    """The URL of a migrated database of the vendor that this run tests."""
    return migrated.new_database(f"portal_{secrets.token_hex(4)}")


@pytest.fixture
def new_portal(folder: Path, empty_database: str) -> Iterator[Portal]:
    """A portal that has never been started; on PostgreSQL its empty database is configured."""
    settings = {} if empty_database.startswith("sqlite") else {"DATABASE_URL": empty_database}
    portal = Portal(folder / "var", **settings)
    yield portal
    portal.kill()


@pytest.fixture
def portal(folder: Path, database: str) -> Iterator[Portal]:
    """A portal with a migrated database, not started yet."""
    portal = Portal(folder / "var", DATABASE_URL=database, STATIC_ROOT=os.environ["STATIC_ROOT"])
    yield portal
    portal.kill()
