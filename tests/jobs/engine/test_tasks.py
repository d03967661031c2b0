"""Tasks that a provider accepts and finishes later: they are bought once, polled by any worker, and kept."""

from __future__ import annotations

import http.server
import io
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow

from generations.core import redis_client
from generations.credits import integrity_check
from generations.credits.models import Transfer, TransferKind
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import outcomes, poll, pollers, spool, sweeper, task_text
from generations.jobs.models import Attempt, Generation
from generations.jobs.reconciliation import report as reconciliation_report
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.providers.base import (
    Accepted,
    Action,
    Busy,
    Done,
    ImageRequest,
    ModelUnavailable,
    Output,
    OutputKind,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.upstreams import accounts, blocks
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from tests.conftest import open_limiter, statuses, work

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED = Accepted(Task("task-1", state={"seed": 7}), poll_after=10.0, request_id="order-1")


def png(color: str = "teal") -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (64, 96), color).save(file, "PNG")
    return file.getvalue()


def picture(color: str = "teal", **fields: Any) -> Output:
    return Output(png(color), "image/png", 64, 96, **fields)


class Script:
    """A provider that answers what a test has planned, the last answer for ever."""

    polls_count_as_calls = True
    result_hosts: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.submitted: list[ImageRequest] = []
        self.polled: list[Task] = []
        self.answers: list[Any] = [ACCEPTED]
        self.polls: list[Any] = []

    def submit(self, request: ImageRequest, *, timeout: float) -> Any:
        self.submitted.append(request)
        return self._next(self.answers)

    def poll(self, task: Task, *, timeout: float) -> Any:
        self.polled.append(task)
        return self._next(self.polls)

    @staticmethod
    def _next(planned: list[Any]) -> Any:
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, upstream: Upstream) -> Script:
    script = Script()
    monkeypatch.setattr(accounts, "provider", lambda _upstream: script)
    monkeypatch.setattr(outcomes, "_jitter", lambda _seconds: 0.0)
    return script


@pytest.fixture(autouse=True)
def _ledger_is_consistent():
    yield
    assert integrity_check.problems() == []


def now() -> datetime:
    """A second ago: SQLite's clock has milliseconds."""
    return timezone.now() - timedelta(seconds=1)


def poll_due() -> int:
    """Poll all tasks as if it were time; how many."""
    Attempt.objects.filter(poll_at__isnull=False).update(poll_at=now())
    due = poll.claim_due(50)
    for attempt in due:
        poll.run(attempt)
    return len(due)


def open_polls(upstream: Upstream) -> None:
    """Let the window pass in which no poll may be sent, where polls have a limit of their own."""
    upstreams_rate_limit.reserve_poll(upstream, horizon=0.0, counts_as_call=False)
    redis_client.client().hset(f"pace:{upstream.pace_key}:polls", "next", 0)


def charged() -> list[int]:
    return list(Transfer.objects.filter(kind=TransferKind.CHARGE).values_list("amount", flat=True))


def test_an_accepted_task_holds_no_thread_and_is_stored_when_it_is_done(member, submit, script):
    batch = submit(seed=7)
    assert work() == 1
    row, attempt = batch.generations.get(), Attempt.objects.get()
    assert (row.status, row.worker, row.lease_until) == ("submitted", "", None)
    assert (attempt.outcome, attempt.remote_id, attempt.request_id) == ("accepted", "task-1", "order-1")
    assert attempt.cost == 300
    assert 8 < (attempt.poll_at - timezone.now()).total_seconds() <= 10
    assert "task-1" not in attempt.task  # what it is polled by is encrypted
    script.polls = [
        Accepted(Task("task-1", state={"seed": 7}), 5.0, 31, "third in the queue"),
        Done((picture(),)),
    ]
    assert poll_due() == 1
    attempt.refresh_from_db()
    assert (attempt.progress, attempt.message) == (31, "third in the queue")
    assert 3 < (attempt.poll_at - timezone.now()).total_seconds() <= 5
    assert poll_due() == 1
    assert statuses(batch) == ["succeeded"]
    assert script.polled == [Task("task-1", state={"seed": 7})] * 2
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.poll_at, attempt.task) == ("ok", None, "")
    [image] = Image.objects.all()
    assert storage_client.read(image.key) == png()
    assert (charged(), len(script.submitted)) == ([300], 1)


FAILED_POLLS = [
    Busy("It is busy.", 503),
    Busy("Too many requests.", 429),
    Unknown("The connection broke."),
    Unavailable("No credits.", 402),
    ModelUnavailable("There is no such task.", 404),
    RuntimeError("a fault of ours"),
]


@pytest.mark.parametrize(
    "problem", FAILED_POLLS, ids=[f"{type(each).__name__} {each}" for each in FAILED_POLLS]
)
def test_a_poll_that_fails_is_repeated_and_nothing_is_ordered_again(submit, script, upstream, problem):
    batch = submit()
    work()
    script.polls = [problem]
    waits = []
    for _ in range(3):
        Upstream.objects.update(blocked_until=None, polls_blocked_until=None)
        open_limiter(upstream)
        assert poll_due() == 1
        waits.append(round((Attempt.objects.get().poll_at - timezone.now()).total_seconds(), -1))
    assert waits == [10, 20, 40]
    assert sweeper.settle_expired_leases() == 0
    assert work() == 0
    Upstream.objects.update(blocked_until=None, polls_blocked_until=None)
    open_limiter(upstream)
    script.polls = [Done((picture(),))]
    poll_due()
    assert statuses(batch) == ["succeeded"]
    assert (charged(), len(script.submitted)) == ([300], 1)


def test_polls_that_say_nothing_new_are_recorded_together_and_need_no_query_each(
    submit, script, django_assert_num_queries, django_assert_max_num_queries
):
    submit(count=5)
    work()
    script.polls = [ACCEPTED]
    Attempt.objects.update(poll_at=now())
    due = poll.claim_due(50)
    with django_assert_num_queries(0):
        answers = [(attempt, poll.ask(attempt)) for attempt in due]
    assert [answer for _attempt, answer in answers] == [poll.GoesOn(10.0)] * 5
    with django_assert_max_num_queries(2):  # one counts open tasks, once in five seconds
        poll.postpone_all(answers)
    for attempt in Attempt.objects.all():
        assert 8 < (attempt.poll_at - timezone.now()).total_seconds() <= 10
    assert poll.claim_due(50) == []


def test_the_threads_of_a_worker_record_what_goes_on_and_end_what_is_over(submit, script):
    batch = submit(count=3)
    work()
    script.polls = [ACCEPTED, ACCEPTED, Refused("The provider refused this prompt.", 403), ACCEPTED]
    Attempt.objects.update(poll_at=now())
    assert pollers.claim_round(lambda: None) == 3
    limit = time.monotonic() + 10
    while sorted(statuses(batch)) != ["failed", "submitted", "submitted"] or len(script.polled) < 3:
        assert time.monotonic() < limit
        time.sleep(0.01)
    while Attempt.objects.filter(poll_at__gt=timezone.now() + timedelta(seconds=20)).exists():
        assert time.monotonic() < limit
        pollers.record_unchanged()
    assert pollers.claim_round(lambda: None) == 0


class Lists(Script):
    """A provider that tells of many tasks with one answer; `listed` are those, by remote id."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.listed: dict[str, Accepted] = {}
        self.problem: Exception | None = None

    def submit(self, request: ImageRequest, *, timeout: float) -> Any:
        self.submitted.append(request)
        accepted = Accepted(Task(f"task-{len(self.submitted)}"), poll_after=15.0)
        self.listed[accepted.task.remote_id] = accepted
        return accepted

    def list_of(self, task: Task) -> str:
        return "" if task.remote_id == "task-1" else "all"

    def poll_many(self, tasks: Sequence[Task], *, timeout: float) -> dict[str, Accepted]:
        self.asked.append(sorted(task.remote_id for task in tasks))
        if self.problem:
            raise self.problem
        return {
            each.remote_id: self.listed[each.remote_id] for each in tasks if each.remote_id in self.listed
        }


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch, upstream: Upstream) -> Lists:
    lists = Lists()
    monkeypatch.setattr(accounts, "provider", lambda _upstream: lists)
    return lists


def claim_round_is_over() -> None:
    """Claim what is due, and wait until the threads have asked and all is recorded."""
    assert pollers.claim_round(lambda: None) > 0
    limit = time.monotonic() + 20
    while pollers._waiting or pollers._under_way:
        assert time.monotonic() < limit
        time.sleep(0.01)
    pollers.record_unchanged()


def test_tasks_of_a_list_are_asked_for_together_and_those_that_ended_by_themselves(submit, lists):
    batch = submit(count=6)
    work()
    del lists.listed["task-5"]  # it has ended
    lists.listed["task-3"] = replace(lists.listed["task-3"], progress=31)
    lists.polls = [Done((picture(),))]
    Attempt.objects.update(poll_at=now())
    claim_round_is_over()
    assert lists.asked == [["task-2", "task-3", "task-4", "task-5", "task-6"]]
    assert sorted(task.remote_id for task in lists.polled) == ["task-1", "task-5"]
    assert sorted(statuses(batch)) == ["submitted"] * 4 + ["succeeded"] * 2
    told = Attempt.objects.filter(poll_at__isnull=False)
    assert sorted(told.values_list("remote_id", "progress")) == [
        ("task-2", None),
        ("task-3", 31),
        ("task-4", None),
        ("task-6", None),
    ]
    seconds = [(each.poll_at - timezone.now()).total_seconds() for each in told]
    assert 13 < min(seconds) <= max(seconds) <= 20.5
    assert max(seconds) - min(seconds) < 1, "they are due together again"


def test_tasks_that_were_ordered_at_different_times_are_polled_in_step():
    waits = {at: poll._in_step(15.0, at) for at in range(1_001, 1_011)}
    assert all(15 <= wait < 20 for wait in waits.values())
    assert sorted({at + wait for at, wait in waits.items()}) == [1_020, 1_025]


@pytest.mark.parametrize("problem", [Busy("Too many requests.", 429), Unavailable("The key is wrong.", 401)])
def test_a_list_that_is_refused_is_asked_for_again_and_ends_no_task(submit, lists, upstream, problem):
    batch = submit(count=4)
    work()
    lists.problem, lists.polls = problem, [lists.listed["task-1"]]
    Attempt.objects.update(poll_at=now())
    claim_round_is_over()
    upstream.refresh_from_db()
    assert bool(upstream.paused_at or upstream.polls_blocked_until)
    assert (statuses(batch), len(lists.asked)) == (["submitted"] * 4, 1)
    assert set(Attempt.objects.values_list("remote_id", "failed_polls")) == {
        ("task-1", 0), ("task-2", 1), ("task-3", 1), ("task-4", 1)
    }  # fmt: skip


def test_a_fault_in_a_list_leaves_tasks_to_be_polled_one_by_one(submit, lists):
    batch = submit(count=3)
    work()
    lists.problem, lists.polls = RuntimeError("a fault of ours"), [Done((picture(),))]
    Attempt.objects.update(poll_at=now())
    claim_round_is_over()
    assert statuses(batch) == ["succeeded"] * 3


def test_without_a_permit_no_list_is_asked_for(submit, lists, upstream):
    submit(count=3)
    work()
    blocks.after_call(upstream, 30)
    Upstream.objects.update(polls_blocked_until=None)  # the block is in Redis too
    Attempt.objects.update(poll_at=now())
    claim_round_is_over()
    assert (lists.asked, lists.polled) == ([], [])
    for attempt in Attempt.objects.all():
        assert (attempt.poll_at - timezone.now()).total_seconds() <= 1


def test_a_poll_that_waits_for_its_slot_is_not_sent_once_redis_has_forgotten_it(submit, script, upstream):
    submit(count=2)
    work()
    script.polls = [ACCEPTED]
    Upstream.objects.update(limit_calls=2, limit_window=1)
    open_limiter(upstream)
    Attempt.objects.update(poll_at=now())
    first, second = poll.claim_due(50)
    assert poll.ask(first) == poll.GoesOn(10.0)
    forget = threading.Timer(0.1, redis_client.client().delete, [f"pace:{upstream.pace_key}"])
    forget.start()
    assert poll.ask(second) is None  # its slot was 0.6 seconds away
    forget.join()
    assert len(script.polled) == 1


def due() -> int:
    """How many tasks could be claimed now if it were time for all."""
    Attempt.objects.filter(poll_at__isnull=False).update(poll_at=now())
    return len(poll.claim_due(50))


def seconds_left(upstream: Upstream, column: str) -> float:
    upstream.refresh_from_db()
    until = getattr(upstream, column)
    return (until - timezone.now()).total_seconds() if until else 0.0


def test_a_429_to_a_poll_blocks_polls_and_calls_where_they_count_together(submit, script, upstream):
    submit(count=2)
    work()
    script.polls = [Busy("Too many requests.", 429, retry_after=30)]
    poll_due()
    assert len(script.polled) == 1  # the second had no permit any more
    assert seconds_left(upstream, "blocked_until") > 25
    assert seconds_left(upstream, "polls_blocked_until") > 25
    assert due() == 0


def test_a_429_to_a_poll_leaves_calls_alone_where_they_do_not_count_together(submit, script, upstream):
    script.polls_count_as_calls = False
    submit(count=2)
    work()
    open_polls(upstream)
    script.polls = [Busy("Too many requests.", 429, retry_after=30)]
    poll_due()
    assert (len(script.polled), seconds_left(upstream, "blocked_until")) == (1, 0)
    assert due() == 0
    submit()
    assert work() == 1


def test_polls_go_on_while_calls_are_blocked_where_they_do_not_count_together(submit, script, upstream):
    script.polls_count_as_calls = False
    batch = submit()
    work()
    open_polls(upstream)
    blocks.after_call(upstream, 3600)
    script.polls = [Done((picture(),))]
    assert poll_due() == 1
    assert statuses(batch) == ["succeeded"]


def test_no_block_stops_polls_for_longer_than_five_minutes(submit, script, upstream):
    batch = submit()
    work()
    blocks.after_call(upstream, 3600)
    assert 290 < seconds_left(upstream, "polls_blocked_until") <= 300
    Upstream.objects.update(polls_blocked_until=now())  # as after that time, in the database and in Redis
    redis_client.client().hset(f"pace:{upstream.pace_key}", "polls_blocked", 0)
    script.polls = [Done((picture(),))]
    assert poll_due() == 1
    assert (statuses(batch), seconds_left(upstream, "blocked_until") > 3500) == (["succeeded"], True)


def test_a_refused_key_pauses_the_account_and_the_task_goes_on(submit, script, upstream):
    batch = submit()
    work()
    script.polls = [Unavailable("The key is wrong.", 401), Done((picture(),))]
    poll_due()
    upstream.refresh_from_db()
    assert upstream.paused_status == 401
    poll_due()
    assert statuses(batch) == ["succeeded"]


def test_the_providers_last_word_ends_a_task_and_it_is_not_charged(member, submit, script):
    batch = submit()
    work()
    script.polls = [Refused("The provider refused this prompt (content).", 403, code="content_moderation")]
    poll_due()
    row = batch.generations.get()
    assert (row.status, row.reason) == ("failed", "The provider refused this prompt (content).")
    member.wallet.refresh_from_db()
    assert (member.wallet.held, charged(), poll_due()) == (0, [], 0)


def test_a_filtered_task_is_not_charged(submit, script):
    batch = submit()
    work()
    script.polls = [Done((Output(filtered=True, finish_reason="CONTENT_FILTERED"),))]
    poll_due()
    assert (statuses(batch), charged()) == (["filtered"], [])


@pytest.mark.parametrize("last", [ACCEPTED, Unknown("The connection broke.")])
def test_a_task_that_never_ends_is_given_up_uncharged_and_named_by_reconcile(submit, script, last):
    batch = submit()
    work()
    script.polls = [last]
    poll_due()
    assert statuses(batch) == ["submitted"]
    Attempt.objects.update(expires_at=now())
    poll_due()
    row, attempt = batch.generations.get(), Attempt.objects.get()
    assert (row.status, row.code) == ("failed", "task_expired")
    assert (attempt.outcome, attempt.cost, attempt.poll_at) == ("unknown", 300, None)
    assert (charged(), len(script.submitted)) == ([], 1)
    [day] = reconciliation_report.reconcile(since=timezone.localdate(), until=timezone.localdate()).days
    assert (day.calls["unknown"], day.may_have_cost) == (1, 300)


def test_a_task_is_polled_by_one_worker_at_a_time(submit, script):
    submit(count=3)
    work()
    Attempt.objects.update(poll_at=now())
    first, second = poll.claim_due(2), poll.claim_due(2)
    assert (len(first), len(second), len(poll.claim_due(2))) == (2, 1, 0)
    poll.release(first)
    time.sleep(0.01)  # SQLite's clock has milliseconds
    assert len(poll.claim_due(50)) == 2


def test_tasks_of_a_worker_that_died_are_polled_soon_and_never_too_early(submit, script):
    submit(count=2)
    work()
    Attempt.objects.update(poll_at=now())
    [claimed] = poll.claim_due(1)
    Attempt.objects.exclude(pk=claimed.pk).update(poll_at=timezone.now() + timedelta(seconds=8))
    assert poll.release_of(["another"]) == 0
    assert poll.release_of([spool.WORKER]) == 1
    seconds = [
        (each.poll_at - timezone.now()).total_seconds() for each in Attempt.objects.order_by("poll_at")
    ]
    assert 5 < seconds[0] <= 8  # as it was
    assert 12 < seconds[1] <= 15  # not after the 150 s of its claim, and not at once


def test_a_killed_worker_leaves_its_tasks_to_the_others(submit, script):
    batch = submit(count=2)
    work()
    Attempt.objects.update(poll_at=now())
    assert len(poll.claim_due(50)) == 2  # and this worker dies
    assert sweeper.recover() == 0
    script.polls = [Done((picture(),))]
    assert poll_due() == 2  # once the lease of the claim is over
    assert statuses(batch) == ["succeeded"] * 2
    assert len(script.submitted) == 2


def test_a_result_in_the_spool_of_a_dead_worker_is_used(submit, script, tmp_path, settings):
    batch = submit()
    work()
    row = batch.generations.get()
    facts = {"attempt": 1, "upstream": "sandbox", "status": 200, "request_id": "", "cost": 300, "total": 1}
    spool.write(row.pk, 1, Done((picture(),)), facts)
    assert sweeper.use_spooled(spool.unstored_attempts([spool.WORKER])) == 1
    assert sweeper.store_spooled() == 1
    assert statuses(batch) == ["succeeded"]
    assert Attempt.objects.get().poll_at is None


def test_an_answer_to_the_order_that_was_lost_is_unknown(submit, script):
    script.answers = [Unknown("The connection broke."), ACCEPTED]
    batch = submit()
    assert work() == 2
    assert statuses(batch) == ["submitted"]
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["unknown", "accepted"]


def test_a_task_whose_order_was_repeated_meanwhile_is_not_polled(submit, script):
    """Its worker hung, another one ordered again: what comes late is recorded as bought, and left."""
    batch = submit()
    claim, _more = engine_claim.claim_next()
    Generation.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    sweeper.settle_expired_leases()
    assert work() == 1
    outcomes.record(claim.generation, claim.upstream, ACCEPTED)
    old, new = Attempt.objects.order_by("number")
    assert (old.outcome, old.cost, old.poll_at, new.outcome) == ("accepted", 300, None, "accepted")
    script.polls = [Done((picture(),))]
    assert poll_due() == 1
    assert statuses(batch) == ["succeeded"]


def test_a_task_that_is_no_longer_the_rows_own_is_not_polled(submit, script):
    submit()
    work()
    Generation.objects.update(attempt=2)  # another worker was given the row
    script.polls = [Done((picture(),))]
    assert poll_due() == 1
    assert (script.polled, Attempt.objects.get().poll_at) == ([], None)


def test_the_answer_to_a_poll_changes_nothing_once_another_attempt_has_the_row(submit, script):
    batch = submit()
    work()
    Attempt.objects.update(poll_at=now())
    [claimed] = poll.claim_due(50)
    Generation.objects.update(attempt=2)
    script.polls = [Done((picture(),))]
    poll.run(claimed)
    assert len(script.polled) == 1
    assert (statuses(batch), charged(), Image.objects.count()) == (["submitted"], [], 0)


def test_several_outputs_are_stored_and_charged_for_what_arrived(submit, script):
    filtered = Output(filtered=True, finish_reason="CONTENT_FILTERED")
    script.answers = [
        Done((picture("teal"), filtered, picture("plum", actions=(Action("u1", "U1", {"k": 1}),))))
    ]
    batch = submit()
    work()
    first, second = Image.objects.order_by("position")
    assert (statuses(batch), charged()) == (["succeeded"], [200])  # two thirds of 3 credits
    assert [storage_client.read(each.key) for each in (first, second)] == [png("teal"), png("plum")]
    assert second.actions == [{"name": "u1", "title": "U1", "state": {"k": 1}}]


def test_texts_drawings_and_files_are_kept_as_they_came(submit, script):
    outputs = (
        Output(kind=OutputKind.TEXT, text="a harbour, dawn"),
        Output(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 8, 8, kind=OutputKind.SVG),
        Output(b"8BPS\0\x01", "image/x-psd", kind=OutputKind.FILE),
    )
    script.answers = [Done(outputs)]
    batch = submit()
    work()
    assert statuses(batch) == ["succeeded"]
    kept = Image.objects.order_by("position")
    assert [(each.kind, each.media_type) for each in kept] == [
        ("text", "text/plain"),
        ("svg", "image/svg+xml"),
        ("file", "image/x-psd"),
    ]
    assert storage_client.read(kept[0].key) == b"a harbour, dawn"


@pytest.fixture
def host():
    """A host of results; `plan` has the status and body of each answer, and `headers` what was sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.headers.append(dict(self.headers))
            status, body = server.plan.pop(0) if len(server.plan) > 1 else server.plan[0]
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.plan, server.headers = [(200, png())], []
    server.address = f"http://127.0.0.1:{server.server_port}/result.png?signature=abc"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _by_address(host: Any, *more: Output) -> Done:
    return Done((Output(url=host.address, seed=9), *more))


def test_a_result_by_address_is_fetched_without_the_key_and_again_until_it_comes(
    submit, script, upstream, host
):
    Upstream.objects.update(private_results=True)
    script.answers, host.plan = [_by_address(host)], [(503, b""), (200, png())]
    batch = submit()
    work()
    assert (statuses(batch), Attempt.objects.get().outcome) == (["submitted"], "accepted")
    assert "signature" not in Attempt.objects.get().task
    poll_due()
    assert statuses(batch) == ["submitted"]
    poll_due()
    assert statuses(batch) == ["succeeded"]
    [image] = Image.objects.all()
    assert (image.seed, image.width, storage_client.read(image.key)) == (9, 64, png())
    assert len(host.headers) == 2
    assert not any(upstream.key in str(headers) for headers in host.headers)
    assert (len(script.submitted), charged()) == (1, [300])


def test_a_private_address_is_refused_unless_the_operator_allows_it(submit, script, host):
    script.answers = [_by_address(host)]
    batch = submit()
    work()
    poll_due()
    row = batch.generations.get()
    assert (row.status, row.code, host.headers, charged()) == ("failed", "result_lost", [], [])
    assert Attempt.objects.get().cost == 300


def test_a_result_that_is_gone_costs_none_of_the_others(submit, script, host):
    Upstream.objects.update(private_results=True)
    script.answers, host.plan = [_by_address(host, picture("plum"))], [(404, b"")]
    batch = submit()
    work()
    poll_due()
    assert (statuses(batch), charged()) == (["succeeded"], [150])
    assert storage_client.read(Image.objects.get().key) == png("plum")


def test_a_polled_task_may_end_with_addresses(submit, script, host):
    Upstream.objects.update(private_results=True)
    batch = submit()
    work()
    script.polls = [_by_address(host)]
    poll_due()
    assert isinstance(task_text.read(Attempt.objects.get().task), Done)
    poll_due()
    assert (statuses(batch), len(script.polled)) == (["succeeded"], 1)


@pytest.mark.parametrize("stopped", ["blocked", "paused", "switched off"])
def test_a_finished_result_is_fetched_while_its_account_takes_no_calls(
    submit, script, upstream, host, stopped
):
    """Its address lives for ten minutes, a block may last for hours, and the picture is paid."""
    Upstream.objects.update(private_results=True)
    batch = submit(count=2)
    script.answers = [_by_address(host), ACCEPTED]
    work()
    if stopped == "blocked":
        blocks.after_call(upstream, 3600)
        blocks.after_poll(upstream, 3600)
    elif stopped == "paused":
        accounts.pause(upstream, Unavailable("The key is wrong.", 401))
    else:
        accounts.disable(upstream)
    open_limiter(upstream)
    script.polls = [ACCEPTED]
    assert poll_due() == (1 if stopped == "blocked" else 2)
    assert sorted(statuses(batch)) == ["submitted", "succeeded"]
    assert len(script.polled) == (0 if stopped == "blocked" else 1)


def test_an_account_takes_no_more_at_the_same_time_than_it_may(submit, script):
    Upstream.objects.update(max_in_flight=2)
    batch = submit(count=4)
    assert work() == 2
    assert sorted(statuses(batch)) == ["queued", "queued", "submitted", "submitted"]
    script.polls = [Done((picture(),)), ACCEPTED]
    poll_due()
    assert work() == 1
    assert sorted(statuses(batch)) == ["queued", "submitted", "submitted", "succeeded"]


def test_a_gateway_limits_one_system_and_leaves_the_others_alone(submit, script, upstream):
    switches = {"stability": {"prefix": "/sd"}, "bfl": {"prefix": "/flux", "in_flight": 2}}
    Upstream.objects.update(kind="gateway", systems=switches)
    limited = [submit(model="flux-pro-1.1", count=2), submit(model="flux-dev", count=2)]
    free = submit(model="core", count=3)
    assert work() == 5
    assert sorted(statuses(limited[0]) + statuses(limited[1])) == ["queued"] * 2 + ["submitted"] * 2
    assert statuses(free) == ["submitted"] * 3
    row = Generation.objects.filter(model__startswith="flux", status="submitted").first()
    upstream.refresh_from_db()
    assert engine_claim.is_limited(upstream, "flux-dev")
    assert not engine_claim.is_limited(upstream, "core")
    script.polls = [Done((picture(),))]
    Attempt.objects.filter(generation=row).update(poll_at=now())
    [attempt] = poll.claim_due(50)
    poll.run(attempt)
    assert work() == 1, "one of the system has ended"


def test_a_429_of_one_system_of_a_gateway_blocks_no_other(submit, script, upstream):
    Upstream.objects.update(kind="gateway", systems={"stability": {"prefix": "/sd"}, "midjourney": {}})
    full = Busy("Midjourney's queue is full.", 429, retry_after=30, of_system=True)
    script.answers = [full, ACCEPTED]
    limited, free = submit(model="midjourney"), submit(model="core", count=2)
    assert work() == 3
    assert (statuses(limited), statuses(free)) == (["queued"], ["submitted"] * 2)
    upstream.refresh_from_db()
    assert upstream.blocked_until is None
    assert "midjourney" not in upstream.callable_models
    assert 25 < (upstream.blocked_until_for("midjourney-blend") - timezone.now()).total_seconds() <= 30
    assert upstream.blocked_until_for("core") is None
    over = {"midjourney": now().isoformat()}
    Upstream.objects.update(systems_blocked=over)
    assert work() == 1
    assert statuses(limited) == ["submitted"]


def test_a_429_of_its_only_system_blocks_an_account(submit, script, upstream):
    script.answers = [Busy("Its queue is full.", 429, retry_after=30, of_system=True)]
    submit()
    work()
    upstream.refresh_from_db()
    assert (upstream.blocked_until > timezone.now(), upstream.systems_blocked) == (True, {})


def test_what_a_maker_limits_by_model_is_no_limit_of_a_gateway(submit, script, upstream):
    Upstream.objects.update(kind="gateway", systems={"bfl": {"prefix": "/flux"}})
    submit(model="flux-kontext-max", count=8)
    assert work() == 8


def test_a_next_step_goes_to_the_account_that_made_its_parent(member, submit, script, upstream):
    other = Upstream.objects.create(name="other", base_url="http://127.0.0.1:9", order=-1, limit_calls=1_000)
    other.set_key("sk-other")
    other.save()
    script.answers = [Done((picture(actions=(Action("u1", "U1", {"custom": 1}),)),))]
    Upstream.objects.filter(pk=other.pk).update(enabled=False)
    submit(prompt="a lighthouse")
    work()
    Upstream.objects.filter(pk=other.pk).update(enabled=True)
    open_limiter(other)
    parent = Image.objects.get()
    batch = submit(parent=parent, action="u1")
    work()
    row = batch.generations.get()
    assert (row.status, row.pinned_to, row.upstream) == ("succeeded", upstream, upstream)
    assert script.submitted[-1].action == Action("u1", "U1", {"custom": 1})
    assert Image.objects.get(generation=row.pk).parent == parent
