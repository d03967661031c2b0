"""The short run: every kind of fault once, each at the moment when it does most harm, none at random.

What comes next waits until its moment has come, so a slow machine is given the time that it needs. Four
moments are sought, since an engine without one of its safeguards does not survive them:

- a worker stands still while it waits for answers, until others ask the provider for the same pictures:
  when it goes on, it is late with what it then receives (the fence);
- a worker loses its power while pictures that it promised to store are nowhere but on its disk (the sync);
- a worker loses its power with calls under way (the sweeper);
- both lose their power between a picture and its price: charges wait for a transaction that holds the
  account which they go to (settlement in one transaction).

Each mutant was caught whenever it was tried (`make chaos ARGUMENTS="--short --mutant NAME"`), two or three
storms at a time on two cores with a load of 10 to 15: no-fence in 3 of 3, split-settlement in 3 of 3, no-sync
in 2 of 2, sweeper-off in 1 of 1. The engine as it is kept every promise in 5 of 5.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import redis
from kombu.exceptions import OperationalError

from tests.chaos.faults import PROVIDER, WAKE_TASK
from tests.chaos.observer import Key, Observer
from tests.chaos.portal import QUEUE, WORKERS, Portal, WorkerTimeouts
from tests.chaos.proxy import Manner

# Seconds until the first worker stands still, while all processes start, and then for all other moments;
# when they are over, faults strike all the same.
TOTAL_WAIT = 120.0
MIN_WAIT = 3.0  # seconds for each
SHARES = (0.15, 0.35, 0.5, 0.75, 1.0)  # of the images, asked for by then
SLOW, QUICK = 7.0, 1.0  # seconds a call takes
STALLED, OTHER = "calls-1", "calls-2"
FEW, MANY = 2, 5  # calls or images


def timeouts(worker: str) -> WorkerTimeouts:
    """No lease ends by itself, and what the one that stalls receives then is late, not lost.

    On a slow machine it takes longer than a lease of 20 s to start a killed worker again, and until then
    nobody sees what lies in its spool: that would rightly be asked for again.
    """
    return WorkerTimeouts(
        worker, lease=240.0, longest_call=240.0 if worker == STALLED else WorkerTimeouts.longest_call
    )


class Drill:
    """One fault after another; `events` says when each came, and whether its moment had come."""

    def __init__(self, portal: Portal, jobs: int) -> None:
        self.portal, self.jobs = portal, jobs
        self.counts: Counter[str] = Counter()
        self.events: list[str] = []
        self._observer = Observer(portal)
        self._shares = iter(SHARES)
        self._began = time.monotonic()
        self._time_left = TOTAL_WAIT
        self._unpaid: dict[str, float] = {}  # and since when

    def ask_for_more(self) -> None:
        """Let the members ask for the next share of the images."""
        self.portal.allow(round(self.jobs * next(self._shares)))

    def run(self) -> None:
        """Inject every kind of fault."""
        self._began = time.monotonic()
        self.portal.provider.state(latency=SLOW)
        with self._a_worker_stalls():
            self._valkey_and_one_worker_are_killed()
            self._valkey_is_emptied()
            self._beat_is_killed()
            self._lose_or_double_messages()
            self._provider_fails()
            self._database_is_killed()
        self.portal.provider.state(latency=QUICK)
        self._storage_fails()
        self._full_spool()
        self._both_are_killed()

    @contextlib.contextmanager
    def _a_worker_stalls(self) -> Iterator[None]:
        """It goes on while another does its work again, and has the time to write down what came."""
        observer, worker = self._observer, self.portal.child(STALLED)
        with self._alone(STALLED):
            held = self._stop(STALLED)
        self._time_left = TOTAL_WAIT
        self._tell("a worker stalls", len(held) >= FEW)
        yield
        self._until(lambda: not self.portal.provider.state()["planned"])  # all fail before its rows come
        self._until(lambda: observer.expire_leases(STALLED))
        again = self._until(
            lambda: observer.all_called_again(held) and len(observer.being_called_again()) >= FEW
        )
        worker.process.send_signal(signal.SIGCONT)
        late = self._until(lambda: any(observer.received(STALLED, pk) for pk in held.values()))
        self._say("it goes on", again and late)

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Have this worker take all there is: one that is woken first would leave the others nothing."""
        [other] = [self.portal.child(each).process for each in WORKERS if each != name]
        other.send_signal(signal.SIGSTOP)
        while not self._observer.can_write():  # it was writing
            other.send_signal(signal.SIGCONT)
            time.sleep(0.1)
            other.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            other.send_signal(signal.SIGCONT)

    def _stop(self, name: str) -> dict[Key, str]:
        """Stop a worker while all that it holds is at the provider, and no lock is; what it holds."""
        observer, process = self._observer, self.portal.child(name).process
        while True:
            come = self._until(lambda: observer.running(name) >= MANY and not observer.queued())
            process.send_signal(signal.SIGSTOP)
            held = observer.held(name)
            waits = len(held) >= FEW and set(held) <= set(observer.called()) and observer.can_write()
            if waits or not come:
                return held
            process.send_signal(signal.SIGCONT)
            time.sleep(0.1)

    def _valkey_and_one_worker_are_killed(self) -> None:
        """At once, so that whoever holds the stalled worker's rows later has begun after both."""
        self.ask_for_more()
        self._tell("one worker killed", self._until(lambda: self._observer.running(OTHER) >= MANY))
        self._tell("Valkey killed")
        self.portal.child("valkey").kill()
        self.portal.cut_power(OTHER)
        self.portal.child("valkey").start()
        self.portal.start_worker(OTHER)

    def _valkey_is_emptied(self) -> None:
        self._tell("Valkey emptied", self._until(self._empty_valkey))

    def _empty_valkey(self) -> bool:
        try:
            return bool(self.portal.valkey.flushall())
        except redis.RedisError:
            return False

    def _beat_is_killed(self) -> None:
        self._tell("beat killed")
        self.portal.child("beat").kill()
        self.portal.child("beat").start()

    def _lose_or_double_messages(self) -> None:
        """Delete the waiting messages, and send many more than there are generations."""
        self._tell("wake-up messages lost or doubled", self._until(self._send_too_many_messages))

    def _send_too_many_messages(self) -> bool:
        try:
            self.portal.valkey.delete(QUEUE)
            for _ in range(40):
                self.portal.celery.send_task(WAKE_TASK, queue=QUEUE, ignore_result=True, retry=False)
        except (redis.RedisError, OperationalError):
            return False
        return True

    def _provider_fails(self) -> None:
        """In every way it knows, for the calls that come next."""
        self.portal.provider.plan(*itertools.chain(*PROVIDER))
        self._tell("provider fails")

    def _database_is_killed(self) -> None:
        self.ask_for_more()
        if self.portal.stage.database == "postgresql":
            self._tell("PostgreSQL killed", self._until(lambda: self._observer.running(OTHER) >= FEW))
            self.portal.restart_database()

    def _storage_fails(self) -> None:
        for manner in (Manner.CUT, Manner.CUT_UPLOADS):
            self.portal.proxy.behave(manner)
            time.sleep(1.0)
        self._tell("storage fails")

    def _full_spool(self) -> None:
        """Nothing of what it promised to store is in S3 when it loses its power."""
        self.portal.proxy.behave(Manner.UNAVAILABLE)
        self.ask_for_more()
        come = self._until(lambda: self._observer.storing(self._fullest()) >= FEW)
        name = self._fullest()
        self._tell("a worker killed with a full spool", come)
        self.portal.cut_power(name)
        self.portal.proxy.behave(Manner.PASS)
        self.portal.start_worker(name)

    def _fullest(self) -> str:
        return max(WORKERS, key=self._observer.storing)

    def _both_are_killed(self) -> None:
        """Nobody can settle meanwhile, so that pictures have arrived which are not charged."""
        self._observer.block_settlement()
        self.ask_for_more()
        self._tell("both workers killed", self._until(self._pictures_wait_for_their_price))
        for name in WORKERS:
            self.portal.cut_power(name)
        self._observer.unblock_settlement()
        for name in WORKERS:
            self.portal.start_worker(name)

    def _pictures_wait_for_their_price(self) -> bool:
        now = time.monotonic()
        self._unpaid = {pk: self._unpaid.get(pk, now) for pk in self._observer.stored_and_unsettled()}
        least = 1.0 if self.portal.stage.database == "postgresql" else 0.0  # only there is the till closed
        return sum(now - since >= least for since in self._unpaid.values()) >= FEW

    def _until(self, moment: Callable[[], bool]) -> bool:
        """Wait for the moment; whether it came."""
        began = time.monotonic()
        limit = began + max(self._time_left, MIN_WAIT)
        while not (come := moment()) and time.monotonic() < limit:
            self._start_again()
            time.sleep(0.03)
        self._time_left -= time.monotonic() - began
        return come

    def _start_again(self) -> None:
        for name in self.portal.start_again():
            self._say(f"({name} had ended by itself)")

    def _tell(self, name: str, come: bool = True) -> None:
        self.counts[name] += 1
        self._say(name, come)

    def _say(self, text: str, come: bool = True) -> None:
        at = f"{time.monotonic() - self._began:6.1f} s  {text}"
        self.events.append(at if come else f"{at}, but its moment had not come")
