"""One running portal for all journeys, and for each module a team of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import migrated
from tests.journeys import studio as studios


@pytest.fixture(scope="session")
def running_portal() -> Iterator[studios.Studio]:
    folder = Path(tempfile.mkdtemp(prefix="sdweb-studio-"))
    migrated.collect_static_files()
    database = migrated.new_database(f"journeys_{os.getpid()}")
    studio = studios.start(folder, DATABASE_URL=database, STATIC_ROOT=os.environ["STATIC_ROOT"])
    yield studio
    studio.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def studio(running_portal: studios.Studio) -> studios.Studio:
    return running_portal.with_new_team()


@pytest.fixture
def visitor(studio: studios.Studio) -> studios.Visitor:
    return studios.Visitor(studio.portal.address).sign_in(studio.email, studio.password)
