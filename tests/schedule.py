"""A pytest plugin: how tests are spread over the processes of `pytest -n 2`.

A process gets whole files, so that what a module sets up is set up once; journeys are two such units, each
with a running portal that it shares. What takes longest begins first, so that processes end together.
(The mark `xdist_group` does nothing with pytest 9.2 and pytest-xdist 3.8: pytest-dev/pytest-xdist#1386.)
"""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import migrated, services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer

JOURNEYS = "tests/journeys/"
# The second of two halves that take as long as each other: one after the other they would end last of all.
LATER_JOURNEYS = re.compile(r"test_(every_page|keys|library|picture_page|queue_page|results|sharing)\.py")
TESTS = Path(__file__).parent
FIRST = [TESTS / name for name in ("journeys", "sdweb/process", "deploy", "office")]  # they take longest


class Scheduler(LoadScopeScheduling):
    """Hands out the files in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        if not file.startswith(JOURNEYS):
            return file
        return f"{JOURNEYS}{'later' if LATER_JOURNEYS.search(file) else 'sooner'}"


@pytest.hookimpl(optionalhook=True)  # pytest runs without xdist too
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    """Let this scheduler take the place of that of `--dist`."""
    config.option.loadscopereorder = False
    return Scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Let one process compile the tests, which is most of what it takes to collect them, and all read it."""
    gc.disable()  # what is collected stays, and a quarter of the time went into looking for what does not
    try:
        if not services.PROCESS:  # it is alone, or leads others and collects nothing
            return (yield)
        with migrated.first_alone("collected"):
            return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest."""
    items.sort(key=lambda item: [not item.path.is_relative_to(folder) for folder in FIRST])
