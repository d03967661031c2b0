"""Idempotency keys: one response per key for 24 hours, also to concurrent clients."""

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
REQUEST = idempotency.fingerprint("POST", "/x", b"{}")
OTHER_REQUEST = idempotency.fingerprint("POST", "/x", b"{} ")


def test_fifty_concurrent_clients_create_one_batch_and_get_one_response(member, submit, upstream):
    responses = []

    def send(number):
        call = idempotency.begin(member, "k", REQUEST)
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
    again = idempotency.begin(member, "k", REQUEST).response
    assert (again.status, again.body, again.is_repeated) == (202, responses[0].body, True)


def test_another_request_with_the_same_key_is_refused(member):
    idempotency.begin(member, "k", REQUEST)
    with pytest.raises(idempotency.KeyReused):
        idempotency.begin(member, "k", OTHER_REQUEST)


def test_two_members_may_use_the_same_key(member, make_member):
    mine = idempotency.begin(member, "k", REQUEST)
    theirs = idempotency.begin(make_member("tom"), "k", OTHER_REQUEST)
    assert mine.submission != theirs.submission


def test_a_refused_call_frees_its_key_and_a_finished_one_does_not(member):
    call = idempotency.begin(member, "k", REQUEST)
    idempotency.release(call)
    corrected = idempotency.begin(member, "k", OTHER_REQUEST)
    assert corrected.submission != call.submission
    idempotency.finish(corrected, StoredResponse(202, "made"))
    idempotency.release(corrected)
    assert idempotency.begin(member, "k", OTHER_REQUEST).response.body == "made"
    with pytest.raises(idempotency.KeyReused):
        idempotency.begin(member, "k", REQUEST)


def test_a_key_expires_after_a_day(member):
    call = idempotency.begin(member, "k", REQUEST)
    idempotency.finish(call, StoredResponse(202, "made"))
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    fresh = idempotency.begin(member, "k", OTHER_REQUEST)
    assert fresh.response is None
    assert fresh.submission != call.submission
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    tasks.delete_expired_keys()
    assert not IdempotentCall.objects.exists()


@pytest.mark.parametrize("key", ["", "a" * 256, "ä", "a\n", "\x00", "\x7f"])
def test_a_malformed_key_is_refused(member, key):
    with pytest.raises(idempotency.BadKey):
        idempotency.begin(member, key, REQUEST)


def test_a_call_without_a_key_is_never_stored(member):
    first, second = (idempotency.begin(member, None, REQUEST) for _ in range(2))
    assert first.submission != second.submission
    assert idempotency.finish(first, StoredResponse(202, "x")).body == "x"
    idempotency.release(second)
    assert not IdempotentCall.objects.exists()


def test_different_requests_have_different_fingerprints_however_they_are_split():
    cut = [("POST", "/x", b"ab"), ("POST", "/x", b"a", b"b"), ("POST", "/xa", b"b"), ("PUT", "/x", b"ab")]
    assert len({idempotency.fingerprint(*each) for each in cut}) == 4
