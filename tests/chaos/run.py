"""One storm from beginning to end."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.drill import Drill, terms
from tests.chaos.faults import Storm
from tests.chaos.portal import Portal, Terms

MUTANTS: dict[str, tuple[str, ...]] = {  # and the kinds of faults that the long storm consists of then
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
    short: bool = False  # every kind once, at its moment; else so many at random moments


def storm(options: Storming) -> dict[str, Any]:
    """Let it rage until all jobs have ended or nothing moves any more; what was found then."""
    began = time.monotonic()
    seed = options.seed or secrets.randbelow(10**6) + 1
    portal = Portal(options.database, options.mutant, terms if options.short else Terms)
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
        "faults": dict(faults.counted),
        "told": faults.told,
        "seconds": time.monotonic() - began,
        "options": {name: value for name, value in vars(options).items() if name not in ("json", "logs")},
    }


def _drill(portal: Portal, options: Storming, seed: int) -> Drill:
    """Strike once with every kind."""
    drill = Drill(portal, options.jobs)
    drill.ask_for_more()
    portal.ask_for(options.jobs, 0.0, seed)
    drill.run()
    _watch(portal, options)
    return drill


def _random(portal: Portal, options: Storming, seed: int) -> Storm:
    """Strike when a seed says so."""
    faults = Storm(portal, random.Random(seed), MUTANTS.get(options.mutant, ()))
    calm = options.jobs / RATE
    portal.ask_for(options.jobs, 0.8 * calm, seed)
    faults.plan(options.faults, max(1.5 * calm, 15.0))
    _wait_for_first_calls(portal)
    _watch(portal, options, faults.go_on)
    return faults


def _watch(portal: Portal, options: Storming, go_on: Callable[[float], bool] = lambda _now: False) -> None:
    """Until all has ended and nothing more is to come, or nothing has moved for too long."""
    began = moved = time.monotonic()
    before: dict[str, int] = {}
    while True:
        now = time.monotonic()
        more = go_on(now - began)
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
