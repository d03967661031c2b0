"""A stateful property test: in any order of events every move is legal, and the credits match."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from generations.credits import integrity_check
from generations.credits.models import Hold, HoldState, Transfer, TransferKind
from generations.jobs import retries, submission
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import outcomes, persist, spool, sweeper, transitions
from generations.jobs.models import MOVES, UNFINISHED, Attempt, Generation
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.providers.base import Busy, Done, Output, Refused, Unknown
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from sdweb.settings import BASE_DIR

PICTURE = Output((BASE_DIR / "static/samples/style-anime.webp").read_bytes(), "image/webp", 1, 1, 7)
PRICE = 300
CHOICE = st.integers(0, 50)


@dataclass
class Expected:
    """What the model believes of one image."""

    member: int
    status: str = "queued"
    attempt: int = 0
    claims: int = 0
    busy_calls: int = 0
    unknown_calls: int = 0
    interrupted_calls: int = 0
    arrived: set[int] = field(default_factory=set)  # attempts whose images are in the spool

    @property
    def earlier(self):
        """The attempt whose images are used instead of calling again."""
        return max((number for number in self.arrived if number < self.attempt), default=None)


class GenerationMachine(RuleBasedStateMachine):
    """Two members, one provider, a worker that may be late, die, or lose sight of S3."""

    people: list
    upstream: Upstream
    away: bool

    def __init__(self):
        super().__init__()
        type(self).away = False
        self.example = transaction.atomic()
        self.example.__enter__()
        self.expected: dict[uuid.UUID, Expected] = {}
        self.late: list[Generation] = []  # rows as a worker saw them when it claimed them

    def of(self, *statuses):
        return [pk for pk, expected in self.expected.items() if expected.status in statuses]

    @rule(who=CHOICE, count=st.integers(1, 3))
    def submit(self, who, count):
        member = self.people[who % len(self.people)]
        batch = submission.submit(
            member=member,
            model="core",
            parameters={"prompt": "a harbour"},
            count=count,
            submission=uuid.uuid4(),
            prices_at=timezone.now(),
        )
        self.expected |= {row.pk: Expected(member.pk) for row in batch.generations.all()}

    @rule()
    def claim(self):
        Generation.objects.filter(status="queued").update(not_before=timezone.now() - timedelta(seconds=1))
        queue = Generation.objects.filter(pk__in=self.of("queued")).order_by(
            "-priority", "virtual_start", "pk"
        )
        fairest = queue.first()
        row, _ready = engine_claim._claim(self.upstream)
        assert (row and row.pk) == (fairest and fairest.pk)
        if row:
            expected = self.expected[row.pk]
            expected.status, expected.attempt = "running", expected.attempt + 1
            expected.claims = expected.attempt
            assert spool.earlier_attempt(row.pk, row.attempt) == expected.earlier
            if expected.earlier is None:
                self.late.append(row)
            else:  # as `engine.run` does, which calls nobody
                assert outcomes.use_earlier_attempt(row, expected.earlier)
                expected.status, expected.attempt = "storing", expected.earlier

    @precondition(lambda self: self.late)
    @rule(choice=CHOICE, answer=st.sampled_from(["done", "busy", "lost", "refused", "filtered"]))
    def answer(self, choice, answer):
        """A call ends; perhaps long after its row was given to another, or after it ended."""
        row = self.late.pop(choice % len(self.late))
        outcomes.record(row, self.upstream, _answer(answer))
        expected = self.expected[row.pk]
        expected.arrived |= {row.attempt} if answer == "done" else set()
        if expected.attempt == row.attempt and expected.status == "running":
            self.expect(expected, answer)
        elif expected.attempt == row.attempt and expected.status == "queued":
            self.expect_of_late(expected, answer)

    @precondition(lambda self: self.late)
    @rule(choice=CHOICE)
    def hand_back(self, choice):
        row = self.late.pop(choice % len(self.late))
        transitions.unclaim(row)
        expected = self.expected[row.pk]
        if expected.status == "running" and expected.attempt == row.attempt:
            expected.status = "queued"

    @rule(who=CHOICE, choice=CHOICE)
    def cancel(self, who, choice):
        if self.expected:
            pk = list(self.expected)[choice % len(self.expected)]
            member = self.people[who % len(self.people)]
            mine = self.expected[pk].member == member.pk
            done = submission.cancel(member=member, generation=pk)
            assert done == (mine and self.expected[pk].status == "queued")
            if done:
                self.expected[pk].status = "canceled"

    @rule(choice=CHOICE)
    def retry(self, choice):
        ended = self.of("failed", "filtered", "canceled")
        if ended:
            pk = ended[choice % len(ended)]
            [member] = [one for one in self.people if one.pk == self.expected[pk].member]
            row = retries.retry(member=member, generation=pk)
            self.expected.setdefault(row.pk, Expected(member.pk))
            assert row.pk != pk

    @rule()
    def leases_run_out(self):
        Generation.objects.filter(status__in=("running", "storing")).update(
            lease_until=timezone.now() - timedelta(seconds=1)
        )
        sweeper.settle_expired_leases()
        for pk in self.of("running"):
            self.expect(self.expected[pk], "interrupted")

    @rule()
    def the_worker_dies(self):
        """Another takes over what lies in its folder; nothing that it knew is remembered."""
        running = Generation.objects.filter(status="running")
        running.update(worker="somebody-else")
        self.late = []
        for row in running:
            outcomes.settle_interrupted(row)
            self.expect(self.expected[row.pk], "interrupted")

    @rule(up=st.booleans())
    def store(self, up):
        type(self).away = not up
        Generation.objects.filter(status="storing").update(lease_until=timezone.now() - timedelta(seconds=1))
        stored = sweeper.store_spooled()
        assert stored == (len(self.of("storing")) if up else 0)
        if up:
            for pk in self.of("storing"):
                self.expected[pk].status = "succeeded"

    @rule(choice=CHOICE)
    def give_up(self, choice):
        if late := self.of("storing"):
            pk = late[choice % len(late)]
            assert persist.give_up(pk)
            self.expected[pk].status = "failed"

    def expect_of_late(self, expected, answer):
        """A worker that was thought dead answers, and nobody else has its row yet."""
        if answer == "done":
            expected.status = "storing"
        elif expected.earlier is not None:
            return  # it waits for the claim that uses what has arrived
        elif answer == "refused":
            expected.status = "failed"
        elif answer == "busy" and expected.busy_calls + 1 >= outcomes.MAX_BUSY_CALLS:
            expected.status, expected.busy_calls = "failed", expected.busy_calls + 1
        elif answer == "lost" and expected.unknown_calls + 1 >= outcomes.MAX_UNKNOWN_CALLS:
            expected.status, expected.unknown_calls = "failed", expected.unknown_calls + 1

    def expect(self, expected, answer):
        """What the design says that an answer does."""
        expected.busy_calls += answer == "busy"
        expected.unknown_calls += answer == "lost"
        expected.interrupted_calls += answer == "interrupted"
        too_busy = expected.busy_calls >= outcomes.MAX_BUSY_CALLS
        spent = too_busy or expected.unknown_calls >= outcomes.MAX_UNKNOWN_CALLS
        spent = spent or expected.interrupted_calls >= outcomes.MAX_INTERRUPTED_CALLS
        ends = {"done": "storing", "refused": "failed", "filtered": "filtered"}
        before, expected.status = expected.status, ends.get(answer, "failed" if spent else "queued")
        if expected.status in ("failed", "filtered") and expected.earlier is not None:
            expected.status = "queued"  # for the claim that uses what has arrived
        assert expected.status in MOVES[before]

    @invariant()
    def every_row_is_where_it_should_be(self):
        rows = Generation.objects.filter(pk__in=self.expected)
        columns = ("status", "attempt", "busy_calls", "unknown_calls", "interrupted_calls")
        assert {row.pk: [getattr(row, name) for name in columns] for row in rows} == {
            pk: [getattr(one, name) for name in columns] for pk, one in self.expected.items()
        }
        assert all((row.ended_at is None) == (row.status in UNFINISHED) for row in rows)

    @invariant()
    def credits_follow(self):
        open_holds = Hold.objects.filter(state=HoldState.OPEN).values_list("reference", flat=True)
        assert set(open_holds) == set(self.of(*UNFINISHED))
        charges = Transfer.objects.filter(kind=TransferKind.CHARGE, reference__in=self.expected)
        assert dict(charges.values_list("reference", "amount")) == dict.fromkeys(self.of("succeeded"), PRICE)
        images = Image.objects.filter(generation__in=self.expected).values_list("generation", flat=True)
        assert sorted(images) == sorted(self.of("succeeded"))

    @invariant()
    def a_members_images_keep_their_order(self):
        for member in self.people:
            waiting = Generation.objects.filter(
                member=member,
                status="queued",
                retry_of=None,
                busy_calls=0,
                unknown_calls=0,
                interrupted_calls=0,
            )
            virtual_starts = list(waiting.order_by("pk").values_list("virtual_start", flat=True))
            assert virtual_starts == sorted(virtual_starts)

    @invariant()
    def attempts_are_numbered_as_they_were_made(self):
        newest = Attempt.objects.values("generation").annotate(last=Max("number"))
        for row in newest.values_list("generation", "last"):
            assert row[1] <= self.expected[row[0]].claims

    def teardown(self):
        """The next example begins where this one did."""
        problems = integrity_check.problems()
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)
        assert problems == []


def _answer(name):
    return {
        "done": Done((PICTURE,)),
        "filtered": Done((Output(filtered=True),)),
        "busy": Busy("too much to do", 503),
        "lost": Unknown("cut off"),
        "refused": Refused("not that", 403),
    }[name]


@pytest.mark.django_db
@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.slow)])
def test_in_any_sequence_of_events_every_move_is_legal_and_the_credits_match(
    make_member, monkeypatch, examples, db
):
    upstream = Upstream.objects.create(name="nobody", base_url="http://127.0.0.1:1")
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)

    def put(*_arguments, **_options):
        if Now.away:
            raise storage_client.StorageUnavailable("away")

    monkeypatch.setattr(storage_client, "put", put)
    monkeypatch.setattr(upstreams_rate_limit, "block", lambda *_: None)

    class Now(GenerationMachine):
        people = [make_member("mei", granted=10_000), make_member("tom", granted=10_000)]
        away = False

    Now.upstream = upstream
    run_state_machine_as_test(
        Now,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
