"""One run from beginning to end."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.drill import Drill, timeouts
from tests.chaos.faults import RandomFaults
from tests.chaos.portal import Portal, WorkerTimeouts

MUTANTS: dict[str, tuple[str, ...]] = {  # and the kinds of faults that the long storm consists of then
    "sweeper-off": ("one worker killed", "wake-up messages lost or doubled"),
    "no-fence": ("a worker stalls",),
    "split-settlement": ("both workers killed", "one worker killed"),
    "no-sync": ("a worker killed with a full spool",),
}
RATE = 14.6  # calls a second
FIRST_CALLS_WITHIN = 60.0  # seconds
STALL_LIMIT = 60.0  # seconds without anything ending, after the last fault


@dataclass(frozen=True)
class Options:
    """The size of a run."""

    jobs: int
    faults: int
    database: str
    seed: int = 0
    mutant: str = ""
    json: Path | None = None
    logs: Path | None = None
    stuck: float = STALL_LIMIT
    short: bool = False  # every kind once, at its moment; else so many at random moments


def run_chaos(options: Options) -> dict[str, Any]:
    """Inject faults until all jobs have ended, or none ends any more; the checker's result."""
    began = time.monotonic()
    seed = options.seed or secrets.randbelow(10**6) + 1
    portal = Portal(options.database, options.mutant, timeouts if options.short else WorkerTimeouts)
    try:
        portal.open()
        faults = _drill(portal, options, seed) if options.short else _random(portal, options, seed)
        result = portal.check(options.jobs)
    finally:
        if options.logs:
            portal.stage.keep_logs(options.logs)
        portal.stage.strike()
    return result | {
        "seed": seed,
        "faults": dict(faults.counts),
        "events": faults.events,
        "seconds": time.monotonic() - began,
        "options": {name: value for name, value in vars(options).items() if name not in ("json", "logs")},
    }


def _drill(portal: Portal, options: Options, seed: int) -> Drill:
    """Inject every kind once."""
    drill = Drill(portal, options.jobs)
    drill.ask_for_more()
    portal.ask_for(options.jobs, 0.0, seed)
    drill.run()
    _watch(portal, options)
    return drill


def _random(portal: Portal, options: Options, seed: int) -> RandomFaults:
    """Inject at random moments."""
    faults = RandomFaults(portal, random.Random(seed), MUTANTS.get(options.mutant, ()))
    calm = options.jobs / RATE
    portal.ask_for(options.jobs, 0.8 * calm, seed)
    faults.plan(options.faults, max(1.5 * calm, 15.0))
    _wait_for_first_calls(portal)
    _watch(portal, options, faults.run_due)
    return faults


def _watch(portal: Portal, options: Options, run_due: Callable[[float], bool] = lambda _now: False) -> None:
    """Until all has ended and nothing more is to come, or nothing has moved for too long."""
    began = moved = time.monotonic()
    before: dict[str, int] = {}
    while True:
        now = time.monotonic()
        more = run_due(now - began)
        portal.start_again()
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
