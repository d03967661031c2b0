"""/readyz reports whether an image could be generated now, and answers quickly."""

import copy
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from generations.core import redis_client
from generations.jobs.monitoring import readiness
from generations.jobs.monitoring.readiness import NotReady, Readiness
from generations.library.storage import client as storage_client
from sdweb.process.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_is_known_yet(bucket):
    readiness.portal.cached = None
    yield
    readiness.portal.cached = None


def test_a_portal_with_all_parts_is_ready(client):
    answer = client.get("/readyz")
    said = answer.json()
    assert (answer.status_code, said["ready"]) == (200, True), said
    assert set(said["parts"]) == {"database", "redis", "storage", "spool"}
    assert all(part["ready"] and part["seconds"] < 2 for part in said["parts"].values())
    assert "no-store" in answer["Cache-Control"]
    assert client.post("/readyz").status_code == 405


def only_broken(client):
    answer = client.get("/readyz")
    said = answer.json()
    assert (answer.status_code, said["ready"]) == (503, False)
    return {name: part["problem"] for name, part in said["parts"].items() if not part["ready"]}


def test_without_redis_it_is_not_ready_and_shows_no_address(client, settings):
    settings.REDIS_URL = f"redis://:secret-word@127.0.0.1:{free_port()}/0"
    redis_client.client.cache_clear()
    try:
        assert only_broken(client) == {"redis": "does not answer"}
    finally:
        redis_client.client.cache_clear()


def test_without_object_storage_it_is_not_ready(client, settings):
    away = copy.deepcopy(settings.STORAGES)
    away["images"]["OPTIONS"]["endpoint_url"] = f"http://127.0.0.1:{free_port()}"
    settings.STORAGES = away
    assert set(only_broken(client)) == {"storage"}


def test_without_a_bucket_it_is_not_ready(client, settings):
    other = copy.deepcopy(settings.STORAGES)
    other["images"]["OPTIONS"]["bucket_name"] = "there-is-none"
    settings.STORAGES = other
    assert set(only_broken(client)) == {"storage"}


def test_an_unwritable_spool_is_reported(client, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.SPOOL = tmp_path / "file" / "spool"
    assert only_broken(client) == {"spool": "cannot be written to"}


def test_a_full_disk_is_reported(client, monkeypatch):
    monkeypatch.setattr("generations.jobs.engine.spool.MIN_FREE_BYTES", 2**62)
    assert only_broken(client) == {"spool": "is nearly full"}


def test_the_check_leaves_no_file_in_the_spool(client, settings):
    client.get("/readyz")
    assert list(settings.SPOOL.iterdir()) == []


def test_a_check_that_hangs_runs_once_and_times_out():
    over, asked = threading.Event(), []

    def hangs():
        asked.append(1)
        over.wait(30)

    slow = Readiness({"hangs": hangs, "answers": lambda: None})
    began = time.monotonic()
    first, second = slow.parts(), slow.parts()
    assert time.monotonic() - began < 3
    assert first is second
    assert [part.problem for part in first] == ["no answer in 2 s", ""]
    slow.cached = None
    assert slow.parts()[0].problem
    assert len(asked) == 1
    over.set()
    slow.running["hangs"][1].result()
    slow.cached = None
    assert not any(part.problem for part in slow.parts())
    assert len(asked) == 2


def test_concurrent_requests_share_one_check():
    asked = []
    portal = Readiness({"database": lambda: asked.append(1)})
    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(lambda _: portal.parts(), range(200)))
    assert len(asked) <= 2
    time.sleep(readiness.CACHED_FOR)
    portal.parts()
    assert len(asked) >= 2


def test_errors_of_a_check_are_not_shown():
    def fails():
        raise RuntimeError("password=hunter2")

    def refuses():
        raise NotReady("does not answer")

    parts = Readiness({"one": fails, "two": refuses}).parts()
    assert [part.problem for part in parts] == ["could not be checked", "does not answer"]
    assert storage_client.is_up()
