"""/readyz reports whether an image could be generated now, and answers quickly."""

import copy
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from generations.core import redis_client
from generations.jobs.monitoring import alerts, readiness
from generations.jobs.monitoring import health as monitoring_health
from generations.jobs.monitoring.readiness import NotReady, Readiness
from generations.library.storage import client as storage_client
from generations.upstreams import rate_limit as upstreams_rate_limit
from sdweb.process.ports import free_port
from tests import valkeys

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


# Redis that answers and takes no writes


@pytest.fixture
def other_redis(settings, tmp_path):
    """A private Redis in place of the tests' own."""
    with valkeys.running(tmp_path) as server:
        use(settings, server.url)
        yield server
    redis_client.client.cache_clear()
    upstreams_rate_limit._script.cache_clear()
    monitoring_health._redis.cached = None


def use(settings, address):
    settings.REDIS_URL = address
    redis_client.client.cache_clear()
    upstreams_rate_limit._script.cache_clear()
    monitoring_health._redis.cached = readiness.portal.cached = None


def as_user(server, *rights):
    """Make a user with these rights; the address with which it connects."""
    server.client().execute_command("ACL SETUSER", "portal", "on", ">secret", "~*", "&*", *rights)
    return f"redis://portal:secret@127.0.0.1:{server.port}/0"


def fill_memory(server):
    server.client().config_set("maxmemory", "1")


def follow(server):
    server.client().replicaof("127.0.0.1", free_port())


def break_disk(server):
    redis = server.client()
    (server.log.parent / "valkey" / "dump.rdb").mkdir()  # so that saving fails at its end
    redis.config_set("save", "3600 1")
    redis.set("something", "to save")
    redis.bgsave()
    while redis.info("persistence")["rdb_last_bgsave_status"] == "ok":
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (fill_memory, "memory is full"),
        (follow, "read-only replica"),
        (break_disk, "cannot write to its disk"),
    ],
)
def test_a_redis_that_takes_no_writes_is_not_ready_and_says_why(
    client, other_redis, bucket, break_it, problem
):
    assert client.get("/readyz").status_code == 200
    assert monitoring_health.check().writes
    break_it(other_redis)
    readiness.portal.cached = monitoring_health._redis.cached = None
    assert problem in only_broken(client)["redis"]
    health = monitoring_health.check()
    assert (health.redis, health.writes) == (True, False)
    assert "Redis takes no writes" in alerts.of_installation(health)[0].text


def test_a_redis_user_that_may_not_write_is_not_ready(client, other_redis, settings):
    use(settings, as_user(other_redis, "+@read", "+@connection"))
    assert only_broken(client) == {"redis": "gives its user too few rights"}


def test_a_redis_user_that_may_not_ask_info_is_ready(client, other_redis, settings):
    use(settings, as_user(other_redis, "+@all", "-@dangerous", "-info"))
    assert client.get("/readyz").status_code == 200


def test_a_redis_user_whose_restarts_are_not_told_is_not_ready(client, other_redis, settings):
    use(settings, as_user(other_redis, "+@all", "-info", "-object"))
    assert "neither INFO nor OBJECT" in only_broken(client)["redis"]


def test_a_wrong_password_is_not_ready_and_not_shown(client, other_redis, settings):
    use(settings, f"redis://:secret-word@127.0.0.1:{other_redis.port}/0")
    assert only_broken(client) == {"redis": "refuses its user or password"}
