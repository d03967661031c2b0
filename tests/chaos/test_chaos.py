"""The short storm in `make test-all`. How long it takes is not judged, only what was kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.run import Options, run_chaos

KINDS = 11  # of faults
LOGS = Path("test-results/chaos")
STALL_LIMIT = (
    300.0  # seconds in which nothing ends: more than any lease here, and than a worker takes to give up
)


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("SDWEB_TEST_DATABASE") != "postgresql",
    reason="the storm kills the database too, so it is only held on PostgreSQL",
)
def test_150_images_keep_every_promise_through_every_kind_of_fault():
    result = run_chaos(
        Options(jobs=150, faults=0, database="postgresql", short=True, stuck=STALL_LIMIT, logs=LOGS)
    )
    assert list(result["faults"].values()) == [1] * KINDS, result["events"]
    broken = {promise: wrongs for promise, wrongs in result["promises"].items() if wrongs}
    assert not broken, evidence(result, broken)


def evidence(result: dict[str, Any], broken: dict[str, list[str]]) -> str:
    """Which promises broke and how, what came before, and where to read on."""
    lines = [f"{len(broken)} promises were broken (what the processes said is in {LOGS})"]
    for promise, wrongs in broken.items():
        lines += [f"BROKEN: {promise}", *(f"    {wrong}" for wrong in wrongs[:20])]
        lines += [f"    and {len(wrongs) - 20} more"] * (len(wrongs) > 20)
    lines += ["The faults:", *result["events"], "The facts:", *map(str, result["facts"].items())]
    return "\n".join(lines)
