"""What goes wrong, and when: so many faults of every kind at moments that a seed decides."""

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

RING = "generations.jobs.tasks.ring"
SLOW = ("Valkey killed", "Valkey emptied", "a worker stalls")  # a whole window without calls, or a lease
CALM = ("Valkey killed", "Valkey emptied", "beat killed")  # the others wait until calls are under way
IN_FLIGHT, LONGEST_WAIT = 4, 20.0  # calls, seconds
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
class Storm:
    """The faults to come, and what each leaves to be done later."""

    portal: Portal
    chance: random.Random
    only: tuple[str, ...] = ()  # these kinds alone
    counted: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    _agenda: list[tuple[float, int, Action]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _now: float = 0.0
    _stalled: str = ""
    _plans: itertools.cycle[list[str]] = field(default_factory=lambda: itertools.cycle(PROVIDER))
    _manners: itertools.cycle[Manner] = field(
        default_factory=lambda: itertools.cycle((Manner.UNAVAILABLE, Manner.CUT, Manner.CUT_UPLOADS))
    )
    _rings: itertools.cycle[str] = field(default_factory=lambda: itertools.cycle(("dropped", "doubled")))

    @property
    def kinds(self) -> dict[str, Action]:
        """Every kind of fault; those of PostgreSQL only where it is used."""
        kinds = {
            "one worker killed": self._kill_one,
            "provider fails": self._provider_fails,
            "storage fails": self._storage_fails,
            "a worker killed with a full spool": self._kill_while_storage_is_away,
            "a worker stalls": self._stall,
            "rings lost or doubled": self._rings_go_wrong,
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
            at = 2.0 + seconds * (number + self.chance.random()) / faults
            self._later(at, self._strike(name, at))
        if not self.only and faults < len(PROVIDER) * len(self.kinds):
            self._later(3.0, lambda: self.portal.provider.plan(*itertools.chain(*PROVIDER)))

    def _names(self, faults: int) -> list[str]:
        """One of each kind, then two of the slow ones and as many of the others as are wanted."""
        slow = [name for name in self.kinds if name in SLOW]
        quick = itertools.cycle(name for name in self.kinds if name not in SLOW)
        first, second = list(self.kinds), slow if faults >= 3 * len(self.kinds) else []
        self.chance.shuffle(first)
        others = [*second, *itertools.islice(quick, max(0, faults - len(first) - len(second)))]
        self.chance.shuffle(others)
        return [*first, *others][:faults]

    def go_on(self, now: float) -> bool:
        """Do what is due; whether more is to come."""
        self._now = now
        while self._agenda and self._agenda[0][0] <= now:
            heapq.heappop(self._agenda)[2]()
        return bool(self._agenda)

    def _later(self, at: float, action: Action) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), action))

    def _after(self, least: float, most: float, action: Action) -> None:
        self._later(self._now + self.chance.uniform(least, most), action)

    def _strike(self, name: str, at: float) -> Action:
        latest = at + LONGEST_WAIT

        def strike() -> None:
            if name not in CALM and self._now < latest and not self._is_worth_it(name):
                self._later(self._now + self.chance.uniform(0.2, 2.5), strike)
                return
            self.counted[name] += 1
            self.told.append(f"{self._now:6.1f} s  {name}")
            self.kinds[name]()

        return strike

    def _is_worth_it(self, name: str) -> bool:
        free = not self._stalled or name not in ("a worker stalls", "both workers killed")
        return free and self.portal.provider.state()["in_flight"] >= IN_FLIGHT

    def _kill(self, name: str) -> None:
        self.portal.cut_power(name)
        self._after(0.5, 4.0, lambda: self._restart(name))

    def _restart(self, name: str) -> None:
        if not self.portal.child(name).is_alive():
            self.portal.start_worker(name)

    def _kill_one(self) -> None:
        self._kill(self.chance.choice([name for name in WORKERS if name != self._stalled]))

    def _kill_both(self) -> None:
        for name in WORKERS:
            self._kill(name)

    def _kill_beat(self) -> None:
        beat = self.portal.child("beat")
        beat.kill()
        self._after(1.0, 4.0, beat.start)

    def _stall(self) -> None:
        """A worker stands still, and goes on at the worst moment: while another does its work again."""
        self._stalled = self.chance.choice(WORKERS)
        process = self.portal.child(self._stalled).process
        held = self._being_drawn()
        process.send_signal(signal.SIGSTOP)
        latest = self._now + STALL

        def go_on() -> None:
            if self._now < latest and not held & self._being_drawn():
                self._later(self._now + 0.2, go_on)
            else:
                process.send_signal(signal.SIGCONT)
                self._stalled = ""

        self._later(self._now + LEAST_STALL, go_on)

    def _being_drawn(self) -> set[tuple[str, str]]:
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

    def _kill_while_storage_is_away(self) -> None:
        self.portal.proxy.behave(Manner.UNAVAILABLE)
        self._later(self._now + 2.5, self._kill_one)
        self._later(self._now + 3.0, lambda: self.portal.proxy.behave(Manner.PASS))

    def _rings_go_wrong(self) -> None:
        with contextlib.suppress(redis.RedisError, OperationalError):
            if next(self._rings) == "dropped":
                self.portal.valkey.delete(QUEUE)
            else:
                for _ in range(40):
                    self.portal.bell.send_task(RING, queue=QUEUE, ignore_result=True, retry=False)

    def _provider_fails(self) -> None:
        self.portal.provider.plan(*next(self._plans))
