"""One storm from beginning to end."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.faults import Storm
from tests.chaos.portal import Portal

MUTANTS: dict[str, tuple[str, ...]] = {  # and the kinds of faults that they do not survive
    "sweeper-off": ("one worker killed", "rings lost or doubled"),
    "no-fence": ("a worker stalls",),
    "split-settlement": ("both workers killed", "one worker killed"),
    "no-sync": ("a worker killed with a full spool",),
}
RATE = 14.6  # calls a second
FIRST_CALLS_WITHIN = 60.0  # seconds
STUCK = 60.0  # seconds without anything ending, after the last fault


@dataclass(frozen=True)
class Storming:
    """How large it is."""

    jobs: int
    faults: int
    database: str
    seed: int = 0
    mutant: str = ""
    json: Path | None = None
    logs: Path | None = None
    stuck: float = STUCK


def storm(options: Storming) -> dict[str, Any]:
    """Let it rage until all jobs have ended or nothing moves any more; what was found then."""
    began = time.monotonic()
    seed = options.seed or secrets.randbelow(10**6) + 1
    portal = Portal(options.database, options.mutant)
    try:
        portal.open()
        faults = Storm(portal, random.Random(seed), MUTANTS.get(options.mutant, ()))
        calm = options.jobs / RATE
        portal.ask_for(options.jobs, 0.8 * calm, seed)
        faults.plan(options.faults, max(1.5 * calm, 15.0))
        _watch(portal, faults, options)
        result = portal.check(options.jobs)
    finally:
        if options.logs:
            portal.stage.keep_logs(options.logs)
        portal.stage.strike()
    return result | {
        "seed": seed,
        "faults": dict(faults.counted),
        "told": faults.told,
        "seconds": time.monotonic() - began,
        "options": {name: value for name, value in vars(options).items() if name not in ("json", "logs")},
    }


def _watch(portal: Portal, faults: Storm, options: Storming) -> None:
    """Strike when it is time, until all is over."""
    _wait_for_first_calls(portal)
    began = moved = time.monotonic()
    before: dict[str, int] = {}
    while True:
        now = time.monotonic()
        more = faults.go_on(now - began)
        progress = portal.progress()
        if progress != before or more:
            before, moved = progress, now
        asked = progress.get("asked") == options.jobs
        if (asked and not more and not progress["unfinished"]) or now - moved > options.stuck:
            return
        time.sleep(0.05)


def _wait_for_first_calls(portal: Portal) -> None:
    """Faults before anything runs would prove nothing."""
    limit = time.monotonic() + FIRST_CALLS_WITHIN
    while portal.provider.state()["calls"] < 10 and time.monotonic() < limit:
        time.sleep(0.1)
