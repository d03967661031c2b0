"""Calls that wait for their generations: timeouts, disconnects, restarts, and what they hold meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection

from generations.api.compat import app as compat_app
from generations.api.compat.stability_v2beta import StableImage
from generations.core import redis_client
from generations.jobs import events, submission
from generations.jobs.live import waiters
from generations.jobs.models import Generation, Status
from generations.library.models import Image
from tests.api import servers
from tests.api.conftest import CORE
from tests.conftest import work
from tests.sdweb.portal import eventually


def ask(address, headers, **more):
    return requests.post(
        address + CORE, headers=headers, files={"none": ""}, data={"prompt": "a harbour"}, timeout=120, **more
    )


@pytest.fixture
def member(make_member):
    return make_member("mei", granted=1_000)


@pytest.fixture
def asking(bearer):
    """Send calls in threads: asking(address) returns a future response."""
    with ThreadPoolExecutor(60) as threads:
        yield lambda address, **more: threads.submit(ask, address, bearer | more)


def rows():
    try:
        return Generation.objects.count()
    finally:
        connection.close()


def test_a_waiting_call_is_woken_when_its_image_is_stored_without_polling(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 600)
    response = asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    time.sleep(0.3)
    assert not response.done()
    assert work() == 1
    assert response.result(120).status_code == 200


def test_without_events_from_redis_the_database_is_polled(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 0.3)
    monkeypatch.setattr(events, "_add", lambda event: None)
    response = asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    assert work() == 1
    assert response.result(120).status_code == 200


def test_fifty_calls_wait_at_once_and_each_gets_its_own_image(idle_portal, asking, provider):
    responses = [asking(idle_portal) for _ in range(50)]
    assert eventually(lambda: rows() == 50)
    with servers.workers(4):
        found = [response.result(120) for response in responses]
    assert {response.status_code for response in found} == {200}
    assert len({response.headers["x-generation-id"] for response in found}) == 50


def test_pages_and_other_calls_are_served_while_calls_wait(idle_portal, asking, bearer):
    responses = [asking(idle_portal) for _ in range(40)]
    assert eventually(lambda: rows() == 40)
    for _ in range(5):
        assert requests.get(f"{idle_portal}/accounts/login/", timeout=120).status_code == 200
        assert requests.get(f"{idle_portal}/v1/user/balance", headers=bearer, timeout=120).status_code == 200
    Generation.objects.update(status=Status.CANCELED, ended_at="2026-01-01T00:00:00Z")
    events._send_ended(list(Generation.objects.values_list("pk", flat=True)))
    assert {response.result(120).status_code for response in responses} == {400}


def test_a_disconnected_client_leaves_no_waiter_and_its_image_is_in_the_library(
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


def test_a_call_whose_generation_is_canceled_gets_an_error(idle_portal, asking, member):
    for cancel in (
        lambda: submission.cancel(member=member, generation=Generation.objects.latest("pk").pk),
        lambda: submission.cancel_all(member=member),
    ):
        before = rows()
        response = asking(idle_portal)
        assert eventually(lambda before=before: rows() == before + 1)
        assert cancel()
        assert (response.result(120).status_code, response.result().json()["name"]) == (400, "canceled")


def test_a_call_times_out_and_names_the_generation_that_continues(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(StableImage, "timeout", 0.5)
    response = asking(idle_portal).result(120)
    generation = str(Generation.objects.get().pk)
    assert (response.status_code, response.json()["name"]) == (504, "timeout")
    assert response.headers["x-generation-id"] == generation
    assert generation in response.json()["errors"][0]
    assert not _waits()
    assert work() == 1


def test_waiting_calls_get_an_error_in_their_format_when_the_portal_stops(transactional_db, upstream, asking):
    with servers.web() as address:
        responses = [asking(address) for _ in range(5)]
        assert eventually(lambda: rows() == 5)
    for response in responses:
        found = response.result(120)
        assert (found.status_code, found.json()["name"]) == (503, "service_unavailable")
        assert found.headers["x-generation-id"] in found.json()["errors"][0]
        assert found.headers["retry-after"]
    assert work() == 5


def test_a_call_is_answered_although_redis_was_emptied(portal, asking, monkeypatch):
    monkeypatch.setattr(waiters, "POLL_INTERVAL", 0.3)
    redis_client.client().delete(events.STREAM)
    assert asking(portal).result(120).status_code == 200


def test_a_generation_that_ended_before_its_call_waits_is_not_waited_for():
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


def test_waiting_calls_hold_no_threads(idle_portal, asking):
    asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    responses = [asking(idle_portal) for _ in range(30)]
    assert eventually(lambda: rows() == 31)
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("api")]
    assert len(ours) <= 2 * compat_app.THREADS  # those for the database and those for storage
    submission.cancel_all(member=Generation.objects.first().member)
    assert {response.result(120).status_code for response in responses} == {400}
