"""The threads that call: one message starts as many as there is work for, and no more than are allowed."""

from __future__ import annotations

import gc
import threading

import pytest

from generations.jobs import tasks
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine.callers import Callers
from generations.jobs.models import Generation
from tests.conftest import statuses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def callers():
    made = Callers()
    yield made
    made.stop()


def test_one_message_serves_all_that_wait_at_the_same_time(submit, upstream, provider, callers):
    batch = submit(count=4)
    provider.state(latency=1.0)
    callers.allow(8)
    sent = []
    callers.work(sent.append)
    callers.stop()  # waits for the calls of the threads that were started
    assert statuses(batch) == ["succeeded"] * 4
    assert sum(sent) == 1  # to a worker that may have nothing to do
    calls = Generation.objects.filter(batch=batch).values_list("attempts__worker", "attempts__started_at")
    times = [started for _worker, started in calls]
    assert (max(times) - min(times)).total_seconds() < 1.0


def test_what_this_worker_has_no_room_for_is_left_to_others(submit, upstream, callers):
    batch = submit(count=3)
    callers.allow(1)
    sent = []

    def wake(count):
        sent.append(count)
        callers.work(sent.append)  # another message comes to this worker, which is full

    callers.work(wake)
    assert sent == [2, 1, 0, 0]
    assert statuses(batch) == ["succeeded"] * 3


def test_a_worker_that_stops_starts_no_more_threads(submit, upstream, callers):
    batch = submit(count=2)
    callers.allow(8)
    callers.stop()
    names = set()
    callers.work(lambda _count: names.update(each.name for each in threading.enumerate()))
    assert not [name for name in names if name.startswith("calls")]
    assert statuses(batch) == ["succeeded"] * 2


def test_a_thread_that_fails_makes_room_for_another(submit, upstream, callers, monkeypatch, caplog):
    batch = submit(count=3)
    run, failed = engine_claim.claim_next, threading.Event()

    def fails_in_threads_of_its_own(recent):
        if threading.current_thread().name.startswith("calls") and not failed.is_set():
            failed.set()
            raise RuntimeError("broken")
        return run(recent)

    monkeypatch.setattr(engine_claim, "claim_next", fails_in_threads_of_its_own)
    callers.allow(2)
    callers.work(lambda _count: None)
    callers.stop()
    assert failed.is_set()
    assert "A thread that calls providers failed" in caplog.text
    assert statuses(batch) == ["succeeded"] * 3
    assert callers._working == 0


def test_collections_of_garbage_pass_over_what_a_worker_has_loaded_when_it_is_ready():
    thresholds, before = gc.get_threshold(), gc.get_freeze_count()
    loaded = [[number] for number in range(1000)]
    try:
        tasks.leave_out_what_stays()
        assert gc.get_freeze_count() - before >= len(loaded)
        assert gc.get_threshold() == tasks.GC_THRESHOLDS
    finally:
        gc.set_threshold(*thresholds)
