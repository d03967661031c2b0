"""A bulk action is accepted while Redis answers and takes no message."""

from __future__ import annotations

import logging
import uuid

import pytest

from generations.core import redis_client
from generations.jobs import tasks
from generations.library import wake


@pytest.fixture
def full_redis():
    """The tests' own Redis without memory for anything new."""
    redis_client.client().config_set("maxmemory", "1")
    yield
    redis_client.client().config_set("maxmemory", "0")


def test_a_message_that_a_full_redis_does_not_take_is_logged(full_redis, caplog):
    with caplog.at_level(logging.INFO):
        wake.run_bulk_action(uuid.uuid4())
        tasks._send(1)
    assert "it is resumed later" in caplog.text
    assert "the sweeper will send one" in caplog.text
