"""A call waits while its picture is made, holds nothing meanwhile, and loses nothing when it ends early."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection

from generations.api.compat.stability_v2beta import StableImage
from generations.core import redis_client
from generations.jobs import events, submission
from generations.jobs.live import waiters
from generations.jobs.models import Generation, Status
from generations.library.models import Image
from tests.api import serving
from tests.api.conftest import CORE
from tests.conftest import work
from tests.platform.portal import eventually


def ask(address, headers, **more):
    return requests.post(
        address + CORE, headers=headers, files={"none": ""}, data={"prompt": "a harbour"}, timeout=120, **more
    )


@pytest.fixture
def member(make_member):
    return make_member("mei", granted=1_000)


@pytest.fixture
def asking(bearer):
    """Ask in a thread: asking(address) is a future answer."""
    with ThreadPoolExecutor(60) as threads:
        yield lambda address, **more: threads.submit(ask, address, bearer | more)


def rows():
    try:
        return Generation.objects.count()
    finally:
        connection.close()


def test_a_call_is_woken_when_its_picture_is_stored_and_not_by_asking_again(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 600)
    answer = asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    time.sleep(0.3)
    assert not answer.done()
    assert work() == 1
    assert answer.result(120).status_code == 200


def test_without_redis_s_news_the_database_is_asked(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 0.3)
    monkeypatch.setattr(events, "_add", lambda event: None)
    answer = asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    assert work() == 1
    assert answer.result(120).status_code == 200


def test_fifty_calls_wait_at_once_and_each_gets_its_own_picture(idle_portal, asking, provider):
    answers = [asking(idle_portal) for _ in range(50)]
    assert eventually(lambda: rows() == 50)
    with serving.workers(4):
        found = [answer.result(120) for answer in answers]
    assert {answer.status_code for answer in found} == {200}
    assert len({answer.headers["x-generation-id"] for answer in found}) == 50


def test_while_calls_wait_pages_and_other_calls_are_answered(idle_portal, asking, bearer):
    answers = [asking(idle_portal) for _ in range(40)]
    assert eventually(lambda: rows() == 40)
    for _ in range(5):
        assert requests.get(f"{idle_portal}/accounts/login/", timeout=120).status_code == 200
        assert requests.get(f"{idle_portal}/v1/user/balance", headers=bearer, timeout=120).status_code == 200
    Generation.objects.update(status=Status.CANCELED, ended_at="2026-01-01T00:00:00Z")
    events._send_ended(list(Generation.objects.values_list("pk", flat=True)))
    assert {answer.result(120).status_code for answer in answers} == {400}


def test_a_client_that_goes_away_loses_nothing_and_leaves_nothing_behind(
    idle_portal, secret, member, monkeypatch
):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 0.2)
    host, port = idle_portal.removeprefix("http://").split(":")
    body = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na harbour\r\n--x--\r\n'
    head = (
        f"POST {CORE} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode() + body)
        assert eventually(lambda: rows() == 1)
    assert eventually(lambda: not _waits())
    assert work() == 1
    assert Image.objects.get().owner == member


def test_a_call_whose_picture_is_canceled_meanwhile_is_told_so(idle_portal, asking, member):
    for cancel in (
        lambda: submission.cancel(member=member, generation=Generation.objects.latest("pk").pk),
        lambda: submission.cancel_all(member=member),
    ):
        before = rows()
        answer = asking(idle_portal)
        assert eventually(lambda before=before: rows() == before + 1)
        assert cancel()
        assert (answer.result(120).status_code, answer.result().json()["name"]) == (400, "canceled")


def test_a_call_waits_only_so_long_and_then_names_what_goes_on(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(StableImage, "patience", 0.5)
    answer = asking(idle_portal).result(120)
    generation = str(Generation.objects.get().pk)
    assert (answer.status_code, answer.json()["name"]) == (504, "timeout")
    assert answer.headers["x-generation-id"] == generation
    assert generation in answer.json()["errors"][0]
    assert not _waits()
    assert work() == 1


def test_calls_that_wait_while_the_portal_stops_are_told_so_in_their_format(
    transactional_db, upstream, asking
):
    with serving.web() as address:
        answers = [asking(address) for _ in range(5)]
        assert eventually(lambda: rows() == 5)
    for answer in answers:
        found = answer.result(120)
        assert (found.status_code, found.json()["name"]) == (503, "service_unavailable")
        assert found.headers["x-generation-id"] in found.json()["errors"][0]
        assert found.headers["retry-after"]
    assert work() == 5


def test_a_call_that_comes_while_redis_is_emptied_is_answered(portal, asking, monkeypatch):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 0.3)
    redis_client.client().delete(events.STREAM)
    assert asking(portal).result(120).status_code == 200


def test_what_ended_before_its_call_began_to_wait_is_not_waited_for():
    async def story():
        awaited = waiters.WaitRegistry()
        awaited.ended([1, 2])
        assert awaited.begin([1, 2]).over.is_set()
        wait = awaited.begin([2, 3])
        assert not wait.over.is_set()
        awaited.ended([3])
        assert wait.over.is_set()
        assert not awaited.waits
        left = awaited.begin([4, 5])
        awaited.leave(left)
        assert not awaited.waits
        awaited.ended(range(waiters.MAX_RECENT * 2))
        assert len(awaited.recent) == waiters.MAX_RECENT

    asyncio.run(story())


def _waits():
    from generations.jobs.live import sse  # noqa: PLC0415  its Hub is of this moment

    return sse.hub().registry.waits


def test_threads_are_not_held_by_calls_that_wait(idle_portal, asking):
    asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    answers = [asking(idle_portal) for _ in range(30)]
    assert eventually(lambda: rows() == 31)
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("api")]
    assert len(ours) <= 8
    submission.cancel_all(member=Generation.objects.first().member)
    assert {answer.result(120).status_code for answer in answers} == {400}
