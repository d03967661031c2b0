"""Workers are killed while tasks run at Flux, Midjourney and Kling: all come, and none is bought twice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.chaos.portal import WORKERS, Portal
from tests.stage import PROVIDER_KEY, portal_program

EACH = 15  # pictures of each of three models
PATIENCE = 300.0  # seconds until all have ended, on a slow machine
ENDED = {"succeeded", "failed", "filtered", "canceled"}

pytestmark = pytest.mark.slow


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with two workers, and an account at a gateway whose tasks take eight seconds."""
    portal = Portal(os.environ.get("SDWEB_TEST_DATABASE", "sqlite"))
    try:
        portal.open()
        portal.stage.run_to_end(
            "prepare-tasks", "tests.chaos.task_side", "prepare", portal.provider.url, PROVIDER_KEY
        )
        portal.stage.start(
            "progress",
            portal_program("tests.chaos.task_side", "progress", str(portal.progress_file)),
        )
        yield portal
    finally:
        portal.stage.strike()


def wait(portal: Portal, moment: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """Wait for the moment; the number of generations in each status then."""
    limit = time.monotonic() + PATIENCE
    while not moment(counts := portal.progress()):
        assert time.monotonic() < limit, counts
        portal.start_again()
        time.sleep(0.1)
    return counts


def test_tasks_of_killed_workers_are_collected_and_none_is_ordered_twice(portal):
    portal.stage.run_to_end("submit", "tests.chaos.task_side", "submit", str(EACH))
    first, second = WORKERS
    for names, moment in (
        ((first,), lambda counts: counts.get("submitted", 0) >= EACH // 3),
        ((second,), lambda counts: counts.get("submitted", 0) >= EACH),
        (WORKERS, lambda counts: counts.get("succeeded", 0) >= EACH // 3),
        (WORKERS, lambda counts: counts.get("succeeded", 0) >= EACH),
    ):
        wait(portal, moment)
        for name in names:
            portal.cut_power(name)
        for name in names:
            portal.start_worker(name)
    wait(portal, lambda counts: sum(counts.values()) == 3 * EACH and counts.keys() <= ENDED)
    found, log = (portal.stage.folder / name for name in ("found.json", "log.json"))
    log.write_text(json.dumps(portal.provider.calls()))
    portal.stage.run_to_end("check", "tests.chaos.task_side", "check", str(found), str(log))
    result = json.loads(found.read_text())
    assert not {promise: wrongs for promise, wrongs in result["promises"].items() if wrongs}, result
    assert portal.provider.state()["keys_at_results"] == 0
    assert result["facts"]["orders"] >= 3 * EACH, "the provider's log has every order"
