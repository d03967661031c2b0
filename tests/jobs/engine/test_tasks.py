"""Tasks that a provider accepts and finishes later: they are bought once, polled by any worker, and kept."""

from __future__ import annotations

import http.server
import io
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow

from generations.credits import integrity_check
from generations.credits.models import Transfer, TransferKind
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import outcomes, poll, spool, sweeper, task_text
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
from generations.upstreams import accounts
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
        Upstream.objects.update(blocked_until=None)
        open_limiter(upstream)
        assert poll_due() == 1
        waits.append(round((Attempt.objects.get().poll_at - timezone.now()).total_seconds(), -1))
    assert waits == [10, 20, 40]
    assert sweeper.settle_expired_leases() == 0
    assert work() == 0
    Upstream.objects.update(blocked_until=None)
    open_limiter(upstream)
    script.polls = [Done((picture(),))]
    poll_due()
    assert statuses(batch) == ["succeeded"]
    assert (charged(), len(script.submitted)) == ([300], 1)


def test_a_429_to_a_poll_blocks_the_account_and_its_polls(submit, script, upstream):
    submit(count=2)
    work()
    script.polls = [Busy("Too many requests.", 429, retry_after=30)]
    Attempt.objects.update(poll_at=now())
    [first, _second] = poll.claim_due(50)
    poll.run(first)
    upstream.refresh_from_db()
    assert (upstream.blocked_until - timezone.now()).total_seconds() > 25
    Attempt.objects.update(poll_at=now())
    assert poll.claim_due(50) == []


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
    assert sweeper.recover_requeued([spool.WORKER]) == 1
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


def test_an_account_takes_no_more_at_the_same_time_than_it_may(submit, script):
    Upstream.objects.update(max_in_flight=2)
    batch = submit(count=4)
    assert work() == 2
    assert sorted(statuses(batch)) == ["queued", "queued", "submitted", "submitted"]
    script.polls = [Done((picture(),)), ACCEPTED]
    poll_due()
    assert work() == 1
    assert sorted(statuses(batch)) == ["queued", "submitted", "submitted", "succeeded"]


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
