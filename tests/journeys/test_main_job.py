"""From a prompt to a stored image that was paid for, through real processes."""

from __future__ import annotations

import os
import signal
import time
import uuid

import redis

from tests.journeys.studio import Studio, Visitor
from tests.sdweb.portal import eventually


def test_an_ultra_image_arrives_is_stored_and_costs_eight_credits(studio: Studio, visitor: Visitor):
    studio.provider._ask("DELETE", "log")
    answer = visitor.generate(model="ultra", prompt="a lighthouse in the fog")
    assert answer.status_code == 200
    generation, _ = visitor.newest()
    assert eventually(visitor.has("succeeded", generation))
    [call] = studio.provider.calls()
    assert "992" in visitor.page("credits/")
    picture = visitor.page(f"generation/{generation}/")
    assert "a lighthouse in the fog" in picture
    assert list(studio.portal.data.glob(f"s3/*/images/{generation}/1-{call['sha256']}.*"))
    studio.manage("audit_ledger")


def test_the_same_form_sent_twice_makes_one_batch(studio: Studio, visitor: Visitor):
    before = len(visitor.tiles())
    form = visitor.form() | {"submission": str(uuid.uuid4()), "count": 2}
    visitor.generate(**form)
    visitor.generate(**form)
    assert len(visitor.tiles()) == before + 2


def test_two_hundred_images_cause_no_429(studio: Studio, visitor: Visitor):
    for _ in range(20):  # the limit is 150 in ten seconds
        visitor.generate(count=10, model="sdxl")
    assert eventually(lambda: studio.provider.state()["calls"] >= 200, within=60)
    state = studio.provider.state()
    assert state["rate_limited"] == 0
    assert state["fullest_window"] <= 150


def test_a_killed_worker_comes_back_and_its_image_arrives(studio: Studio, visitor: Visitor):
    studio.provider.state(latency=3)
    visitor.generate()
    generation, _ = visitor.newest()
    assert eventually(visitor.has("running", generation))
    os.kill(studio.portal.processes()["sdweb calls"], signal.SIGKILL)
    studio.provider.state(latency=0.2)
    assert eventually(visitor.has("succeeded", generation), within=60)


def test_without_a_worker_the_form_is_taken_and_the_ring_waits(studio: Studio, visitor: Visitor):
    worker = studio.portal.processes()["sdweb calls"]
    os.kill(worker, signal.SIGSTOP)
    try:
        assert visitor.generate().status_code == 200
        generation, status = visitor.newest()
        assert status == "queued"
        with redis.Redis.from_url(studio.settings["REDIS_URL"]) as queue:
            assert eventually(lambda: queue.llen("calls") > 0, within=10)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert eventually(visitor.has("succeeded", generation))


def test_without_valkey_the_form_answers_at_once_and_the_image_comes_later(studio: Studio, visitor: Visitor):
    form = visitor.form()
    server = studio.portal.processes()["valkey"]
    os.kill(server, signal.SIGSTOP)  # worse than gone: it takes connections and says nothing
    try:
        began = time.monotonic()
        filled = {"prompt": "patience", "model": "core", "count": 1} | form
        visitor.session.post(visitor.create_url, data=filled, timeout=30, allow_redirects=False)
        assert time.monotonic() - began < 2  # after which a client of Valkey gives up
        generation, status = visitor.newest()
        assert status == "queued"
    finally:
        os.kill(server, signal.SIGCONT)
    assert eventually(visitor.has("succeeded", generation), within=60)


def test_nothing_is_left_running_and_the_books_are_exact(studio: Studio, visitor: Visitor):
    assert eventually(lambda: set(visitor.tiles().values()) == {"succeeded"}, within=60)
    studio.manage("audit_ledger")
