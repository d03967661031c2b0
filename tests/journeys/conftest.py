"""One running portal for all journeys of a module."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.journeys import studio as studios


@pytest.fixture(scope="module")
def studio() -> Iterator[studios.Studio]:
    folder = Path(tempfile.mkdtemp(prefix="sdweb-studio-"))
    running = studios.start(folder, _database())
    yield running
    running.portal.stop()
    running.portal.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def visitor(studio: studios.Studio) -> studios.Visitor:
    return studios.Visitor(studio.portal.address).sign_in(studio.email, studio.password)


def _database() -> str:
    """A new database on the run's PostgreSQL; "" for the portal's own SQLite."""
    address = os.environ["DATABASE_URL"]
    if address.startswith("sqlite"):
        return ""
    server, name = address.rpartition("/")[0], f"studio_{secrets.token_hex(4)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
