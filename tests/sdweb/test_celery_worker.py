"""A Celery worker outlives what happens to Redis."""

from __future__ import annotations

import os
import subprocess
import sys

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
def worker(redis, tmp_path):
    options = (
        "-m celery -A sdweb worker -Q upkeep -P threads -c 1 -n one@test --without-gossip --without-mingle"
    )
    log = tmp_path / "worker.log"
    environment = {**os.environ, "REDIS_URL": redis.url, "SDWEB_DATA": str(tmp_path)}
    child = ChildProcess(Program("worker", (sys.executable, *options.split()), log, environment, BASE_DIR))
    child.start()
    yield child
    child.stop()


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
