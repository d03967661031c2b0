"""Calls that wait for their generations: timeouts, disconnects, restarts, and what they hold meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import openai
import pytest
import requests
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from generations.api import tasks
from generations.api.compat import app as compat_app
from generations.api.compat import http as compat_http
from generations.api.compat import routes as compat_routes
from generations.api.compat import undelivered
from generations.api.compat.openai import ImagesGenerations
from generations.api.compat.stability_v2beta import StableImage
from generations.api.models import UndeliveredOrder
from generations.core import redis_client
from generations.jobs import events, submission
from generations.jobs.live import sse, waiters
from generations.jobs.models import Generation, Status
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.upstreams.models import Upstream
from sdweb.process import ports
from tests.api import servers
from tests.api.conftest import CORE, IMAGES
from tests.conftest import work
from tests.migrated import ROOT
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
    events._submit(events._ended(list(Generation.objects.values_list("pk", flat=True))))
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
    assert (response.status_code, response.json()["name"]) == (424, "timeout")
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
        assert (found.status_code, found.json()["name"]) == (424, "service_unavailable")
        assert found.headers["x-generation-id"] in found.json()["errors"][0]
    assert work() == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_waiting_call_is_answered_when_a_real_web_process_is_told_to_stop(
    transactional_db, upstream, asking, number
):
    with _web_process() as (process, address):
        responses = [asking(address) for _ in range(20)]
        assert eventually(lambda: rows() == 20)
        process.send_signal(number)
        process.wait(30)  # long before the grace period is over
        assert [response.result(120).status_code for response in responses] == [424] * 20
    with servers.web() as address, servers.workers(2):
        repeated = [asking(address) for _ in range(20)]
        assert {response.result(120).status_code for response in repeated} == {200}
    assert rows() == 20, "each repeated request joined an order whose answer was lost"


def test_calls_whose_web_process_was_killed_join_their_orders(transactional_db, upstream, asking):
    with _web_process() as (process, address):
        waiting = [asking(address) for _ in range(3)]
        assert eventually(lambda: rows() == 3)
        process.kill()
        for response in waiting:
            assert isinstance(response.exception(120), requests.ConnectionError)
    with servers.web() as address:
        repeated = [asking(address) for _ in range(3)]
        assert eventually(lambda: len(undelivered._waiting) == 3)
        assert rows() == 3
        assert work() == 3
        found = [response.result(120) for response in repeated]
        assert [response.status_code for response in found] == [200] * 3
        assert len({response.headers["x-generation-id"] for response in found}) == 3
        after = asking(address)
        assert eventually(lambda: rows() == 4), "what was delivered is not joined"
        assert work() == 1
        assert after.result(120).status_code == 200


def test_a_call_does_not_join_one_that_waits_in_another_process(idle_portal, asking):
    with _web_process() as (_process, address):
        elsewhere = asking(address)
        assert eventually(lambda: rows() == 1)
        began = time.monotonic()
        here = asking(idle_portal)
        assert eventually(lambda: rows() == 2)
        assert time.monotonic() - began < undelivered.LEASE.total_seconds() - 1, "a renewed lease is seen"
        assert work() == 2
        found = {response.result(120).headers["x-generation-id"] for response in (elsewhere, here)}
        assert len(found) == 2
    assert eventually(lambda: not UndeliveredOrder.objects.exists())


def test_an_equal_request_while_one_waits_in_the_same_process_is_ordered_at_once(
    idle_portal, asking, monkeypatch
):
    monkeypatch.setattr(compat_app, "LOOK_AGAIN", 600)
    responses = []
    for count in (1, 2, 3):
        responses.append(asking(idle_portal))
        assert eventually(lambda count=count: rows() == count)
    assert work() == 3
    assert len({response.result(120).headers["x-generation-id"] for response in responses}) == 3


def test_a_refused_order_leaves_nothing_that_waits_for_it(idle_portal, asking, upstream):
    Upstream.objects.update(enabled=False)
    assert asking(idle_portal).result(120).status_code == 503
    assert not undelivered._waiting
    assert not UndeliveredOrder.objects.exists()


def test_undelivered_orders_are_forgotten_once_nobody_can_join_them(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(StableImage, "timeout", 0.5)
    asking(idle_portal).result(120)
    tasks.delete_expired_keys()
    assert UndeliveredOrder.objects.count() == 1
    UndeliveredOrder.objects.update(held_until=timezone.now() - undelivered.JOINED_FOR)
    tasks.delete_expired_keys()
    assert not UndeliveredOrder.objects.exists()


def test_a_response_that_finds_no_place_says_that_its_image_is_kept(idle_portal, asking, monkeypatch):
    monkeypatch.setattr(compat_http, "MAX_LARGE_RESPONSES", 1)
    monkeypatch.setattr(compat_http, "SLOT_SECONDS", 1.0)
    being_read, go_on = threading.Event(), threading.Event()

    def slow(key, read=storage_client.read):
        being_read.set()
        assert go_on.wait(60)
        return read(key)

    monkeypatch.setattr(storage_client, "read", slow)
    first = asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    assert work() == 1
    assert being_read.wait(30)
    headers = [{}, {"idempotency-key": "mine"}]
    busy = [asking(idle_portal, **more) for more in headers]
    assert eventually(lambda: rows() == 3)
    assert work() == 2
    for response in busy:
        assert (response.result(60).status_code, response.result().json()["name"]) == (503, "response_busy")
        assert "kept in the library" in response.result().json()["errors"][0]
        assert response.result().headers["retry-after"] == "5"
    go_on.set()
    assert first.result(60).status_code == 200
    for response, more in zip(busy, headers, strict=True):
        again = asking(idle_portal, **more).result(60)
        assert again.status_code == 200
        assert again.headers["x-generation-id"] == response.result().headers["x-generation-id"]
    assert rows() == 3


def test_formats_answer_before_clients_on_node_give_up():
    assert {route.format.timeout for route in compat_routes.ROUTES} == {280.0}
    assert 280.0 + compat_http.SLOT_SECONDS < 300


def test_no_status_of_an_order_that_goes_on_is_repeated_by_clients(idle_portal, asking, bearer, monkeypatch):
    monkeypatch.setattr(ImagesGenerations, "timeout", 0.5)
    response = requests.post(idle_portal + IMAGES, headers=bearer, json={"prompt": "a harbour"}, timeout=120)
    assert response.status_code == 424
    assert response.headers["x-should-retry"] == "false"
    assert "retry-after" not in response.headers
    client = openai.OpenAI(base_url=f"{idle_portal}/v1", api_key=bearer["authorization"].split()[1])
    with pytest.raises(openai.APIStatusError) as failed:
        client.images.generate(prompt="another harbour")
    assert failed.value.status_code == 424
    assert rows() == 2


def test_the_same_request_joins_the_order_whose_answer_timed_out(idle_portal, asking, bearer, monkeypatch):
    with monkeypatch.context() as impatient:
        impatient.setattr(StableImage, "timeout", 0.5)
        first = asking(idle_portal).result(120)
        again = asking(idle_portal).result(120)
    assert (first.status_code, again.status_code, rows()) == (424, 424, 1)
    assert first.headers["x-generation-id"] == again.headers["x-generation-id"]
    assert work() == 1
    found = asking(idle_portal).result(120)
    assert (found.status_code, rows()) == (200, 1)
    after = asking(idle_portal)
    assert eventually(lambda: rows() == 2), "an order whose answer arrived is not joined"
    assert work() == 1
    assert after.result(120).status_code == 200


def test_a_client_that_gave_up_joins_its_order_when_it_asks_again(idle_portal, bearer, asking):
    for timeout in (0.7, 0.7):
        with pytest.raises(requests.Timeout):
            requests.post(
                idle_portal + CORE,
                headers=bearer,
                files={"none": ""},
                data={"prompt": "a harbour"},
                timeout=timeout,
            )
        assert eventually(lambda: remembered() == 1)
    assert rows() == 1
    assert work() == 1
    assert asking(idle_portal).result(120).status_code == 200
    assert (rows(), remembered()) == (1, 0)


def test_only_the_same_request_of_the_same_token_joins_a_lost_order(
    idle_portal, asking, bearer, issue, monkeypatch
):
    monkeypatch.setattr(StableImage, "timeout", 0.5)
    asking(idle_portal).result(120)
    assert asking(idle_portal, authorization=f"Bearer {issue()}").result(120).status_code == 424
    assert rows() == 2
    other = requests.post(
        idle_portal + CORE, headers=bearer, files={"none": ""}, data={"prompt": "a tree"}, timeout=120
    )
    assert (other.status_code, rows()) == (424, 3)
    assert asking(idle_portal, **{"idempotency-key": "mine"}).result(120).status_code == 424
    assert rows() == 4
    UndeliveredOrder.objects.update(held_until=timezone.now() - undelivered.JOINED_FOR)
    assert asking(idle_portal).result(120).status_code == 424
    assert rows() == 5, "after ten minutes it is a new order"


def test_equal_requests_at_once_are_orders_of_their_own_and_each_is_joined_once(
    idle_portal, asking, monkeypatch
):
    with monkeypatch.context() as impatient:
        impatient.setattr(StableImage, "timeout", 1.0)
        lost = [asking(idle_portal) for _ in range(3)]
        first = {response.result(120).headers["x-generation-id"] for response in lost}
    assert (len(first), rows(), remembered()) == (3, 3, 3)
    responses = [asking(idle_portal) for _ in range(3)]
    assert eventually(lambda: remembered() == 0)
    assert work() == 3
    assert {response.result(120).headers["x-generation-id"] for response in responses} == first
    assert rows() == 3


def test_a_stored_image_that_cannot_be_read_is_not_ordered_again(idle_portal, asking, monkeypatch):
    def away(_key):
        raise storage_client.StorageUnavailable("connection refused")

    response = asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    with monkeypatch.context() as patch:
        patch.setattr(storage_client, "read", away)
        assert work() == 1
        assert response.result(120).status_code == 424
    assert asking(idle_portal).result(120).status_code == 200
    assert rows() == 1


def test_a_request_that_comes_while_the_portal_stops_orders_nothing(idle_portal, asking):
    waiting = asking(idle_portal)
    assert eventually(lambda: rows() == 1 and sse._hub.registry.waits)
    sse.end_waits()
    assert waiting.result(120).status_code == 424
    assert asking(idle_portal).result(120).status_code == 503
    assert rows() == 1


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
    return sse.hub().registry.waits


def remembered():
    try:
        return UndeliveredOrder.objects.filter(held_until__lt=Now()).count()
    finally:
        connection.close()


@contextmanager
def _web_process():
    """A web process as in production, on the tests' database, and its address."""
    port = ports.free_port()
    command = [sys.executable, "-m", "uvicorn", "sdweb.asgi:application", "--no-access-log"]
    options = ["--port", str(port), "--timeout-graceful-shutdown", "100"]  # so that no call is cut after it
    process = subprocess.Popen(
        [*command, *options], cwd=ROOT, env=os.environ | {"PUBLIC_URL": f"http://127.0.0.1:{port}"}
    )
    try:
        assert eventually(lambda: ports.answers(port), within=60)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_waiting_calls_hold_no_threads(idle_portal, asking):
    asking(idle_portal)
    assert eventually(lambda: rows() == 1)
    responses = [asking(idle_portal) for _ in range(30)]
    assert eventually(lambda: rows() == 31)
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("api")]
    assert len(ours) <= 2 * compat_app.THREADS  # those for the database and those for storage
    submission.cancel_all(member=Generation.objects.first().member)
    assert {response.result(120).status_code for response in responses} == {400}
