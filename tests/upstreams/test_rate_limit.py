"""The rate limiter uses the provider's limit fully and never exceeds it."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from generations.core import redis_client
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from tests import valkeys
from tests.conftest import open_limiter

SECOND = 1_000_000


@pytest.fixture
def account():
    """150 calls in 10 s, with a limiter of its own and no database."""
    upstream = Upstream(pk=0, name="paced", pace_account="paced")
    redis_client.client().delete("pace:paced")
    return upstream


def test_slots_are_as_dense_as_the_limit_allows(account):
    open_limiter(account)
    began = time.monotonic()
    permits = _all_permits(account, threads=20)
    took = time.monotonic() - began
    slots = sorted(permit.slot for permit in permits)
    steps = [later - sooner for sooner, later in itertools.pairwise(slots)]
    assert 28 <= len(slots) <= 31 + took / upstreams_rate_limit.interval(account)  # two seconds ahead
    assert min(steps) >= 68_000
    assert sorted(steps)[len(steps) // 2] < 69_000


def test_the_first_slot_of_a_new_limiter_is_a_whole_window_away(account):
    assert upstreams_rate_limit.reserve(account) is None
    permit = upstreams_rate_limit.reserve(account, horizon=11)
    assert permit is not None
    assert 9.5 < permit.delay <= 10.25


def test_flushing_redis_voids_permits_and_the_first_slot_is_a_window_away(account):
    open_limiter(account)
    permit = upstreams_rate_limit.reserve(account)
    redis_client.client().delete("pace:paced")  # as FLUSHALL does
    assert not upstreams_rate_limit.confirm(permit)
    assert upstreams_rate_limit.reserve(account) is None
    assert not upstreams_rate_limit.confirm(permit)


def test_a_clock_that_is_set_back_begins_a_new_epoch(account):
    open_limiter(account)
    sooner = upstreams_rate_limit.reserve(account)
    far = time.time() + 3600  # a slot reserved before the clock went back an hour
    redis_client.client().hset("pace:paced", "next", int(far * SECOND))
    permit = upstreams_rate_limit.reserve(account, horizon=11)
    assert permit is not None
    assert permit.epoch != sooner.epoch
    assert 9.5 < permit.delay <= 10.25


def test_a_late_permit_is_void(account):
    open_limiter(account)
    permit = upstreams_rate_limit.reserve(account)
    assert upstreams_rate_limit.confirm(permit)
    at = permit.slot - SECOND // 4
    late = upstreams_rate_limit.Permit(permit.limiter, permit.epoch, at, 0, permit.asked_at)
    assert not upstreams_rate_limit.confirm(late)


def test_a_permit_needs_no_confirmation_for_as_long_as_a_confirmed_call_may_be_late(account, monkeypatch):
    open_limiter(account)
    permit = upstreams_rate_limit.reserve_poll(account, horizon=5.0, counts_as_call=True)
    assert permit.is_fresh
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + upstreams_rate_limit.MARGIN)
    assert not permit.is_fresh


def test_a_block_voids_permits_and_refuses_new_ones(account):
    open_limiter(account)
    permit = upstreams_rate_limit.reserve(account)
    upstreams_rate_limit.block(account, 30)
    upstreams_rate_limit.block(account, 3)  # the longer one stays
    assert not upstreams_rate_limit.confirm(permit)
    assert upstreams_rate_limit.reserve(account, horizon=25) is None


def test_accounts_that_share_a_limit_share_its_slots(account):
    open_limiter(account)
    other = Upstream(pk=1, name="other", pace_account="paced")
    first, second = upstreams_rate_limit.reserve(account), upstreams_rate_limit.reserve(other)
    assert second.slot - first.slot == pytest.approx(68_333, abs=2)


def test_without_redis_there_is_no_permit(account, monkeypatch):
    open_limiter(account)
    permit = upstreams_rate_limit.reserve(account)
    gone = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(upstreams_rate_limit, "_script", gone.register_script)
    assert not upstreams_rate_limit.confirm(permit)
    with pytest.raises(redis.RedisError):
        upstreams_rate_limit.reserve(account)


def _all_permits(account, threads):
    permits = []

    def take():
        while permit := upstreams_rate_limit.reserve(account):
            permits.append(permit)

    takers = [threading.Thread(target=take) for _ in range(threads)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    return permits


def test_an_idle_account_needs_no_first_window(account):
    upstreams_rate_limit.prepare(account, idle=True)
    permit = upstreams_rate_limit.reserve(account)
    assert permit is not None
    assert permit.delay < 0.1


def test_confirm_waits_for_the_slot(account):
    open_limiter(account)
    upstreams_rate_limit.reserve(account)
    permit = upstreams_rate_limit.reserve(account)
    began = time.monotonic()
    assert upstreams_rate_limit.confirm(permit)
    assert time.monotonic() - began >= permit.delay - 0.005


@pytest.fixture
def without_info(settings, tmp_path):
    """A private Redis whose user may not ask INFO, as at some hosts."""
    user = "user portal on >secret ~* &* +@all -@dangerous -info"
    with valkeys.running(tmp_path, user, "appendfsync always") as server:
        settings.REDIS_URL = f"redis://portal:secret@127.0.0.1:{server.port}/0"
        _forget_redis()
        yield server
    _forget_redis()


def _forget_redis():
    redis_client.client.cache_clear()
    upstreams_rate_limit._script.cache_clear()


def test_a_user_who_may_not_ask_info_gets_permits_and_notices_a_restart(without_info):
    account = Upstream(pk=0, name="paced", pace_account="paced")
    with pytest.raises(redis.ResponseError, match="permissions"):
        redis_client.client().info()
    upstreams_rate_limit.prepare(account, idle=True)

    def may_send() -> bool:
        found = upstreams_rate_limit.reserve(account)
        return bool(found and upstreams_rate_limit.confirm(found))

    for _ in range(4):  # longer than the seconds are rounded
        assert any(may_send() for _ in range(5))  # a permit may be late on a busy machine, but there is one
        time.sleep(1)
    permit = upstreams_rate_limit.reserve(account)
    without_info.stop()
    without_info.start()
    assert redis_client.client().hget("pace:paced", "epoch").decode() == permit.epoch  # it was not forgotten
    assert not upstreams_rate_limit.confirm(permit)
    assert upstreams_rate_limit.reserve(account) is None  # the first slot is a window away


def test_a_redis_that_does_not_tell_its_restarts_gives_no_permits(settings, tmp_path):
    with valkeys.running(tmp_path, "user portal on >secret ~* &* +@all -info -object") as server:
        settings.REDIS_URL = f"redis://portal:secret@127.0.0.1:{server.port}/0"
        _forget_redis()
        account = Upstream(pk=0, name="paced", pace_account="paced")
        assert not upstreams_rate_limit.can_tell_restarts()
        upstreams_rate_limit.prepare(account, idle=True)
        assert upstreams_rate_limit.reserve(account) is None
    _forget_redis()
