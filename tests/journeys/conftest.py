"""One running portal and one browser for all journeys; each module has a team of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import migrated
from tests.journeys import studio as studios
from tests.journeys.browsers import chromium


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


@pytest.fixture(scope="package")  # its end is the end of an event loop, which other tests have none of
def browser_of_all() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def chrome(browser_of_all: Browser) -> Iterator[Browser]:
    """The browser, whose windows do not outlive a module."""
    yield browser_of_all
    for context in browser_of_all.contexts:
        context.close()


@pytest.fixture
def visitor(studio: studios.Studio) -> studios.Visitor:
    return studio.visitor()
