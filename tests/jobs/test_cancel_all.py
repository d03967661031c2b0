"""Canceling all that one has waiting, at once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generations.credits import integrity_check
from generations.jobs import submission
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import run as engine_run
from generations.jobs.models import Generation, Status
from tests.conftest import statuses, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ledger_is_consistent():
    yield
    assert integrity_check.problems() == []


def test_canceling_all_cancels_what_waits_and_releases_every_hold(member, submit, upstream):
    batches = [submit(count=3) for _ in range(2)]
    assert submission.cancel_all(member=member).count == 6
    assert statuses(batches[0]) + statuses(batches[1]) == ["canceled"] * 6
    member.wallet.refresh_from_db()
    assert (member.wallet.held, member.wallet.available) == (0, 10_000)
    assert submission.cancel_all(member=member).count == 0


def test_canceling_all_leaves_other_members_generations_alone(member, make_member, submit, upstream):
    jonas = make_member("jonas")
    theirs = submit(by=jonas, count=2)
    submit(count=2)
    assert submission.cancel_all(member=member).count == 2
    assert statuses(theirs) == ["queued"] * 2
    jonas.wallet.refresh_from_db()
    assert jonas.wallet.held == 600


def test_canceling_all_leaves_running_generations_alone(member, submit, upstream):
    batch = submit(count=3)
    claim, _more = engine_claim.claim_next()
    assert submission.cancel_all(member=member).count == 2
    engine_run.run(claim)
    assert sorted(statuses(batch)) == ["canceled", "canceled", "succeeded"]
    member.wallet.refresh_from_db()
    assert (member.wallet.balance, member.wallet.held) == (9_700, 0)


def test_canceling_all_restores_the_members_queue_position(member, make_member, submit, upstream):
    submit(count=10)
    submit(by=make_member("jonas"), count=2)
    submission.cancel_all(member=member)
    submit()
    line = Generation.objects.ready().in_queue_order()
    assert list(line.values_list("member__user__name", flat=True)) in (
        ["Mei", "Jonas", "Jonas"],
        ["Jonas", "Mei", "Jonas"],
    )


def test_canceling_all_takes_the_same_number_of_queries_for_any_number(member, submit, upstream):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            submission.cancel_all(member=member)
        return len(asked)

    submit(count=2)
    few = queries()
    for _ in range(3):
        submit(count=10)
    assert queries() == few


def test_twenty_concurrent_cancels_cancel_each_generation_once(make_member, submit, upstream):
    tom = make_member("tom", granted=600)
    for _ in range(4):
        submit(by=tom, count=10)
    canceled, troubles = [], []

    def trouble(number: int) -> None:
        try:
            if number % 4 == 0:
                submit(by=tom, count=2)
            elif number % 4 == 1:
                waiting = Generation.objects.filter(status=Status.QUEUED).order_by("?").first()
                canceled.append(bool(waiting) and submission.cancel(member=tom, generation=waiting.pk))
            elif number % 4 == 2:
                work(2)
            else:
                canceled.append(submission.cancel_all(member=tom).count)
        except Exception as problem:
            troubles.append(problem)
        connection.close()

    threads = [threading.Thread(target=trouble, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    assert sum(canceled) == Generation.objects.filter(status=Status.CANCELED).count()
    submission.cancel_all(member=tom)
    tom.wallet.refresh_from_db()
    assert tom.wallet.held == 0
