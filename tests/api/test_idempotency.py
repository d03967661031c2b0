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


def test_fifty_concurrent_clients_create_one_batch_and_get_one_response(member, submit, upstream):
    responses = []

    def send(number):
        call = idempotency.begin(member, "k", ASKED)
        batch = submit(submission=call.submission)
        responses.append(idempotency.finish(call, StoredResponse(202, f"{batch.pk} {number}")))
        connection.close()

    threads = [threading.Thread(target=send, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({response.body for response in responses}) == 1
    assert len(responses) == 50
    assert Batch.objects.count() == 1
    again = idempotency.begin(member, "k", ASKED).response
    assert (again.status, again.body, again.is_repeated) == (202, responses[0].body, True)


def test_another_request_with_the_same_key_is_refused(member):
    idempotency.begin(member, "k", ASKED)
    with pytest.raises(idempotency.KeyReused):
        idempotency.begin(member, "k", OTHER)


def test_two_members_may_use_the_same_key(member, make_member):
    mine = idempotency.begin(member, "k", ASKED)
    theirs = idempotency.begin(make_member("tom"), "k", OTHER)
    assert mine.submission != theirs.submission


def test_a_refused_call_frees_its_key_and_a_finished_one_does_not(member):
    call = idempotency.begin(member, "k", ASKED)
    idempotency.release(call)
    mended = idempotency.begin(member, "k", OTHER)
    assert mended.submission != call.submission
    idempotency.finish(mended, StoredResponse(202, "made"))
    idempotency.release(mended)
    assert idempotency.begin(member, "k", OTHER).response.body == "made"
    with pytest.raises(idempotency.KeyReused):
        idempotency.begin(member, "k", ASKED)


def test_a_key_expires_after_a_day(member):
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
def test_a_malformed_key_is_refused(member, key):
    with pytest.raises(idempotency.BadKey):
        idempotency.begin(member, key, ASKED)


def test_a_call_without_a_key_is_never_stored(member):
    first, second = (idempotency.begin(member, None, ASKED) for _ in range(2))
    assert first.submission != second.submission
    assert idempotency.finish(first, StoredResponse(202, "x")).body == "x"
    idempotency.release(second)
    assert not IdempotentCall.objects.exists()


def test_different_requests_have_different_fingerprints_however_they_are_split():
    cut = [("POST", "/x", b"ab"), ("POST", "/x", b"a", b"b"), ("POST", "/xa", b"b"), ("PUT", "/x", b"ab")]
    assert len({idempotency.fingerprint(*each) for each in cut}) == 4
