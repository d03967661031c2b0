"""One key, one deed: for 24 hours, at once and from many clients."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from generations.api import idempotency, tasks
from generations.api.idempotency import StoredResponse
from generations.api.models import IdempotentCall
from generations.jobs.models import Batch

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = idempotency.fingerprint("POST", "/x", b"{}")
OTHER = idempotency.fingerprint("POST", "/x", b"{} ")


def test_fifty_clients_at_once_make_one_batch_and_get_one_answer(member, submit, upstream):
    answers = []

    def press(number):
        call = idempotency.begin(member, "k", ASKED)
        batch = submit(submission=call.submission)
        answers.append(idempotency.finish(call, StoredResponse(202, f"{batch.pk} {number}")))
        connection.close()

    threads = [threading.Thread(target=press, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.body for answer in answers}) == 1
    assert len(answers) == 50
    assert Batch.objects.count() == 1
    again = idempotency.begin(member, "k", ASKED).response
    assert (again.status, again.body, again.is_repeated) == (202, answers[0].body, True)


def test_another_call_with_the_same_key_is_refused(member):
    idempotency.begin(member, "k", ASKED)
    with pytest.raises(idempotency.KeyReused):
        idempotency.begin(member, "k", OTHER)


def test_keys_of_two_members_have_nothing_to_do_with_each_other(member, make_member):
    mine = idempotency.begin(member, "k", ASKED)
    theirs = idempotency.begin(make_member("tom"), "k", OTHER)
    assert mine.submission != theirs.submission


def test_a_refused_call_leaves_its_key_free_and_an_answered_one_does_not(member):
    call = idempotency.begin(member, "k", ASKED)
    idempotency.release(call)
    mended = idempotency.begin(member, "k", OTHER)
    assert mended.submission != call.submission
    idempotency.finish(mended, StoredResponse(202, "made"))
    idempotency.release(mended)
    assert idempotency.begin(member, "k", OTHER).response.body == "made"
    with pytest.raises(idempotency.KeyReused):
        idempotency.begin(member, "k", ASKED)


def test_after_a_day_a_key_is_new(member):
    call = idempotency.begin(member, "k", ASKED)
    idempotency.finish(call, StoredResponse(202, "made"))
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    fresh = idempotency.begin(member, "k", OTHER)
    assert fresh.response is None
    assert fresh.submission != call.submission
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    tasks.delete_expired_keys()
    assert not IdempotentCall.objects.exists()


@pytest.mark.parametrize("key", ["", "a" * 256, "ä", "a\n", "\x00", "\x7f"])
def test_an_odd_key_is_refused(member, key):
    with pytest.raises(idempotency.BadKey):
        idempotency.begin(member, key, ASKED)


def test_a_call_without_a_key_happens_every_time(member):
    first, second = (idempotency.begin(member, None, ASKED) for _ in range(2))
    assert first.submission != second.submission
    assert idempotency.finish(first, StoredResponse(202, "x")).body == "x"
    idempotency.release(second)
    assert not IdempotentCall.objects.exists()


def test_no_two_calls_share_a_fingerprint_however_they_are_cut():
    cut = [("POST", "/x", b"ab"), ("POST", "/x", b"a", b"b"), ("POST", "/xa", b"b"), ("PUT", "/x", b"ab")]
    assert len({idempotency.fingerprint(*each) for each in cut}) == 4
