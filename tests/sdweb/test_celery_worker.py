"""A Celery worker outlives what happens to Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from sdweb.process.local_environment import BASE_DIR
from sdweb.process.ports import free_port
from sdweb.process.program import ChildProcess, Program
from tests import valkeys
from tests.sdweb.portal import eventually


@pytest.fixture
def redis(tmp_path):
    with valkeys.running(tmp_path) as server:
        yield server


@pytest.fixture
def start(redis, tmp_path):
    started = []

    def start(queue: str, *more: str) -> ChildProcess:
        options = f"worker -Q {queue} -P threads -c 1 -n one@test --without-gossip --without-mingle"
        command = (sys.executable, "-m", "celery", "-A", "sdweb", *options.split(), *more)
        environment = {**os.environ, "REDIS_URL": redis.url, "SDWEB_DATA": str(tmp_path)}
        child = ChildProcess(Program("worker", command, tmp_path / "worker.log", environment, BASE_DIR))
        child.start()
        started.append(child)
        return child

    yield start
    for child in started:
        child.stop()


@pytest.fixture
def worker(start):
    return start("upkeep")


def test_a_worker_that_is_beat_as_well_sends_the_scheduled_tasks(redis, start, tmp_path):
    worker = start("of_nobody", "--beat-schedule", str(tmp_path / "beat"))
    assert eventually(lambda: redis.client().llen("upkeep") > 2, within=60), worker.last_log_line()
    worker.request_stop()
    assert worker.process.wait(30) == 0
    assert list(tmp_path.glob("beat*"))


def test_a_worker_whose_beat_fails_ends_so_that_it_is_started_again(start, tmp_path):
    worker = start("of_nobody", "--beat-schedule", str(tmp_path / "nowhere" / "beat"))
    assert eventually(lambda: not worker.is_alive(), within=60)
    assert "Beat ended" in worker.program.log.read_text()


def test_a_worker_that_is_not_told_to_be_beat_sends_nothing(redis, start):
    worker = start("of_nobody")
    assert eventually(lambda: " ready." in worker.program.log.read_text(), within=60)
    time.sleep(3)  # sweeps are sent every two seconds
    assert redis.client().llen("upkeep") == 0


def test_a_primary_that_becomes_a_replica_does_not_end_the_worker(redis, worker):
    def said(text: str, times: int = 1) -> bool:
        return worker.program.log.read_text().count(text) >= times

    assert eventually(lambda: said(" ready."), within=60), worker.last_log_line()
    redis.client().replicaof("127.0.0.1", free_port())
    assert eventually(lambda: said("Connection to broker lost"), within=30), worker.last_log_line()
    redis.client().replicaof("NO", "ONE")
    ask = "-m celery -A sdweb inspect ping -d one@test"
    environment = dict(worker.program.environment)
    assert eventually(
        lambda: subprocess.run([sys.executable, *ask.split()], env=environment, check=False).returncode == 0,
        within=60,
    ), worker.last_log_line()
    assert worker.is_alive()
