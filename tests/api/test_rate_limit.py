"""Rate limits of API tokens, with and without Redis."""

from __future__ import annotations

import threading
import time

import pytest
from redis import ConnectionPool, Redis

from generations.api import auth
from generations.api import rate_limit as api_rate_limit
from generations.core import redis_client
from generations.teams import api_tokens as teams_api_tokens

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _reset_pause():
    api_rate_limit._paused_until = 0.0


@pytest.fixture
def issue(member):
    return lambda name="laptop": teams_api_tokens.issue(membership=member, name=name, scopes=["read"])


def allowed(token, times):
    seconds = [retry_after(token) for _ in range(times)]
    assert set(seconds) <= set(range(61))
    return seconds.count(0)


def retry_after(token):
    """Count a request and return its Retry-After in seconds; 0 if it was allowed."""
    try:
        api_rate_limit.count(token)
    except api_rate_limit.TooManyRequests as refusal:
        return refusal.allowance.retry_after
    return 0


def test_a_token_may_use_its_limit_and_headers_say_how_many_requests_are_left(issue, settings):
    settings.API_REQUESTS_PER_TOKEN = 5
    token = issue()[0]
    left = [api_rate_limit.count(token).remaining for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(api_rate_limit.TooManyRequests) as refused:
        api_rate_limit.count(token)
    headers = refused.value.allowance.headers
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"], headers["RateLimit-Reset"]) == (
        "5",
        "0",
        "60",
    )
    assert {name: headers[f"X-{name}"] for name in headers if name.startswith("RateLimit")} == {
        name: value for name, value in headers.items() if name.startswith("RateLimit")
    }
    assert headers["Retry-After"] == "12"


def test_used_requests_are_regained_evenly(issue, settings):
    settings.API_REQUESTS_PER_TOKEN = 600
    token = issue()[0]
    assert 600 <= allowed(token, 700) < 700
    time.sleep(0.35)
    assert 3 <= allowed(token, 50) <= 10


def test_all_tokens_of_a_member_share_the_members_limit(issue, settings):
    settings.API_REQUESTS_PER_TOKEN, settings.API_REQUESTS_PER_MEMBER = 5, 7
    assert allowed(issue("a")[0], 10) == 5
    third = issue("b")[0]
    assert allowed(third, 10) == 2
    assert redis_client.client().pttl(f"api:token:{third.pk}") <= 24_000  # refused requests are not counted


def test_concurrent_clients_share_one_limit(issue, settings):
    settings.API_REQUESTS_PER_TOKEN = 20
    token, counts = issue()[0], []
    threads = [threading.Thread(target=lambda: counts.append(allowed(token, 10))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 20


def test_without_redis_requests_are_neither_limited_nor_delayed(issue, settings, monkeypatch):
    settings.API_REQUESTS_PER_TOKEN = 1
    secret = issue()[1]
    away = Redis(connection_pool=ConnectionPool(host="127.0.0.1", port=1, socket_connect_timeout=0.2))
    requests = []

    def script():
        requests.append(time.monotonic())
        return away.register_script(api_rate_limit.COUNT)

    monkeypatch.setattr(api_rate_limit, "_script", script)
    assert [auth.authenticate_header(f"Bearer {secret}").allowance for _ in range(20)] == [None] * 20
    assert (
        len(requests) <= 1 + (time.monotonic() - requests[0]) / api_rate_limit.PAUSE
    )  # the other requests did not try Redis


def test_only_a_well_formed_header_with_a_valid_token_is_authenticated(issue, member):
    secret = issue()[1]
    caller = auth.authenticate_header(f"bearer  {secret} ")
    assert caller.member == member
    assert caller.allowance.remaining == 1_199
    odd = ["", "Bearer", f"Basic {secret}", secret, f"Bearer {secret} x", f"Bearer {secret},Bearer {secret}"]
    for header in [*odd, "Bearer \x00", "Bearer " + "a" * 100_000, f"Bearer\t{secret}"]:
        with pytest.raises(auth.Unauthorized):
            auth.authenticate_header(header)
