"""Random faults: so many of every kind, at moments that a seed decides."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
from kombu.exceptions import OperationalError

from tests.chaos.portal import QUEUE, WORKERS, Portal
from tests.chaos.proxy import Manner

WAKE_TASK = "generations.jobs.tasks.ring"
SLOW = ("Valkey killed", "Valkey emptied", "a worker stalls")  # a whole window without calls, or a lease
ANY_TIME = ("Valkey killed", "Valkey emptied", "beat killed")  # the others wait until calls are under way
IN_FLIGHT, MAX_WAIT = 4, 20.0  # calls, seconds
LEAST_STALL, STALL = 12.0, 25.0  # seconds: a lease ends in between
PROVIDER = (
    ["hang"],
    ["drop", "drop"],
    ["429:2"],
    ["500", "500", "500"],
    ["truncate", "truncate"],
    ["502-html", "502-html"],
)

Action = Callable[[], None]


@dataclass
class RandomFaults:
    """The schedule of faults and of the actions that follow them."""

    portal: Portal
    rng: random.Random
    only: tuple[str, ...] = ()  # kinds of faults; all if empty
    counts: Counter[str] = field(default_factory=Counter)
    events: list[str] = field(default_factory=list)
    _due: list[tuple[float, int, Action]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _now: float = 0.0
    _stalled: str = ""
    _plans: itertools.cycle[list[str]] = field(default_factory=lambda: itertools.cycle(PROVIDER))
    _manners: itertools.cycle[Manner] = field(
        default_factory=lambda: itertools.cycle((Manner.UNAVAILABLE, Manner.CUT, Manner.CUT_UPLOADS))
    )
    _message_faults: itertools.cycle[str] = field(
        default_factory=lambda: itertools.cycle(("dropped", "doubled"))
    )

    @property
    def kinds(self) -> dict[str, Action]:
        """Every kind of fault; those of PostgreSQL only where it is used."""
        kinds = {
            "one worker killed": self._kill_one,
            "provider fails": self._provider_fails,
            "storage fails": self._storage_fails,
            "a worker killed with a full spool": self._kill_with_full_spool,
            "a worker stalls": self._stall,
            "wake-up messages lost or doubled": self._lose_or_double_messages,
            "Valkey killed": self._kill_valkey,
            "Valkey emptied": self._empty_valkey,
            "both workers killed": self._kill_both,
            "beat killed": self._kill_beat,
            "PostgreSQL killed": self._kill_database,
        }
        if self.portal.stage.database == "sqlite":
            del kinds["PostgreSQL killed"]
        return {name: kinds[name] for name in self.only or kinds}

    def plan(self, faults: int, seconds: float) -> None:
        """Spread the faults over so many seconds; each kind comes once before one comes twice."""
        names = (
            self._names(faults) if not self.only else [*itertools.islice(itertools.cycle(self.only), faults)]
        )
        for number, name in enumerate(names):
            at = 2.0 + seconds * (number + self.rng.random()) / faults
            self._later(at, self._fault_at(name, at))
        if not self.only and faults < len(PROVIDER) * len(self.kinds):
            self._later(3.0, lambda: self.portal.provider.plan(*itertools.chain(*PROVIDER)))

    def _names(self, faults: int) -> list[str]:
        """One of each kind, then two of the slow ones and as many of the others as are wanted."""
        slow = [name for name in self.kinds if name in SLOW]
        quick = itertools.cycle(name for name in self.kinds if name not in SLOW)
        first, second = list(self.kinds), slow if faults >= 3 * len(self.kinds) else []
        self.rng.shuffle(first)
        others = [*second, *itertools.islice(quick, max(0, faults - len(first) - len(second)))]
        self.rng.shuffle(others)
        return [*first, *others][:faults]

    def run_due(self, now: float) -> bool:
        """Run the actions that are due; whether more are to come."""
        self._now = now
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        return bool(self._due)

    def _later(self, at: float, action: Action) -> None:
        heapq.heappush(self._due, (at, next(self._order), action))

    def _after(self, least: float, most: float, action: Action) -> None:
        self._later(self._now + self.rng.uniform(least, most), action)

    def _fault_at(self, name: str, at: float) -> Action:
        latest = at + MAX_WAIT

        def inject() -> None:
            if name not in ANY_TIME and self._now < latest and not self._calls_are_running(name):
                self._later(self._now + self.rng.uniform(0.2, 2.5), inject)
                return
            self.counts[name] += 1
            self.events.append(f"{self._now:6.1f} s  {name}")
            self.kinds[name]()

        return inject

    def _calls_are_running(self, name: str) -> bool:
        free = not self._stalled or name not in ("a worker stalls", "both workers killed")
        return free and self.portal.provider.state()["in_flight"] >= IN_FLIGHT

    def _kill(self, name: str) -> None:
        self.portal.cut_power(name)
        self._after(0.5, 4.0, lambda: self._restart(name))

    def _restart(self, name: str) -> None:
        if not self.portal.child(name).is_alive():
            self.portal.start_worker(name)

    def _kill_one(self) -> None:
        self._kill(self.rng.choice([name for name in WORKERS if name != self._stalled]))

    def _kill_both(self) -> None:
        for name in WORKERS:
            self._kill(name)

    def _kill_beat(self) -> None:
        beat = self.portal.child("beat")
        beat.kill()
        self._after(1.0, 4.0, beat.start)

    def _stall(self) -> None:
        """Stop a worker, and continue it while another one repeats its calls."""
        self._stalled = self.rng.choice(WORKERS)
        process = self.portal.child(self._stalled).process
        held = self._running_calls()
        process.send_signal(signal.SIGSTOP)
        latest = self._now + STALL

        def run_due() -> None:
            if self._now < latest and not held & self._running_calls():
                self._later(self._now + 0.2, run_due)
            else:
                process.send_signal(signal.SIGCONT)
                self._stalled = ""

        self._later(self._now + LEAST_STALL, run_due)

    def _running_calls(self) -> set[tuple[str, str]]:
        """The prompts and seeds of the calls that the provider works on."""
        calls = self.portal.provider.calls(last=400)
        return {
            (call["fields"]["prompt"], call["fields"]["seed"])
            for call in calls
            if call["status"] is None and "prompt" in call["fields"]
        }

    def _kill_valkey(self) -> None:
        valkey = self.portal.child("valkey")
        valkey.kill()
        self._after(0.3, 2.0, valkey.start)

    def _empty_valkey(self) -> None:
        with contextlib.suppress(redis.RedisError):
            self.portal.valkey.flushall()

    def _kill_database(self) -> None:
        self.portal.restart_database()

    def _storage_fails(self) -> None:
        self.portal.proxy.behave(next(self._manners))
        self._after(1.5, 5.0, lambda: self.portal.proxy.behave(Manner.PASS))

    def _kill_with_full_spool(self) -> None:
        self.portal.proxy.behave(Manner.UNAVAILABLE)
        self._later(self._now + 2.5, self._kill_one)
        self._later(self._now + 3.0, lambda: self.portal.proxy.behave(Manner.PASS))

    def _lose_or_double_messages(self) -> None:
        with contextlib.suppress(redis.RedisError, OperationalError):
            if next(self._message_faults) == "dropped":
                self.portal.valkey.delete(QUEUE)
            else:
                for _ in range(40):
                    self.portal.celery.send_task(WAKE_TASK, queue=QUEUE, ignore_result=True, retry=False)

    def _provider_fails(self) -> None:
        self.portal.provider.plan(*next(self._plans))
