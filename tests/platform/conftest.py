"""Real processes: the portal as `make run` starts it, and whatever it leaves behind."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.platform.portal import Portal


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the state of one portal; short, and gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="sdweb-portal-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def empty_database() -> str:
    """The address of an empty database of the kind that this run tests."""
    return migrated.empty_database(f"empty_{secrets.token_hex(4)}")


@pytest.fixture
def database() -> str:
    """The address of a database with all tables, of the kind that this run tests."""
    return migrated.new_database(f"portal_{secrets.token_hex(4)}")


@pytest.fixture
def newcomer(folder: Path, empty_database: str) -> Iterator[Portal]:
    """A portal that makes everything; on PostgreSQL it is given the database."""
    given = {} if empty_database.startswith("sqlite") else {"DATABASE_URL": empty_database}
    portal = Portal(folder / "var", **given)
    yield portal
    portal.kill()


@pytest.fixture
def portal(folder: Path, database: str) -> Iterator[Portal]:
    """A portal that can be started; its database is ready."""
    portal = Portal(folder / "var", DATABASE_URL=database)
    yield portal
    portal.kill()
