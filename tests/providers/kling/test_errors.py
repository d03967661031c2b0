"""Kling's codes decide, whatever the status."""

from __future__ import annotations

import pytest

from generations.providers import open_provider
from generations.providers.base import (
    Busy,
    ModelUnavailable,
    ProviderError,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.smallest_requests import smallest

MEANT = {
    (401, 1000): Unavailable,
    (401, 1001): Unavailable,
    (401, 1002): Unavailable,
    (401, 1003): Unavailable,
    (401, 1004): Unavailable,
    (429, 1100): Unavailable,
    (429, 1101): Unavailable,
    (429, 1102): Unavailable,
    (403, 1103): ModelUnavailable,
    (400, 1200): Refused,
    (400, 1201): Refused,
    (404, 1202): ModelUnavailable,
    (404, 1203): ModelUnavailable,
    (400, 1300): Refused,
    (400, 1301): Refused,
    (429, 1302): Busy,
    (429, 1303): Busy,
    (429, 1304): Unavailable,
    (500, 5000): Unknown,
    (503, 5001): Unknown,
    (504, 5002): Unknown,
}
WITHOUT_A_CODE = [
    (response(429, b"slow down"), Busy),
    (response(401), Unavailable),
    (response(502, b"<html>"), Unknown),
    (response(503, b"busy"), Unknown),
    (response(200, b"<html>"), Unknown),
    (response(200, b"{}"), Unknown),
    (error(403, {"error": {"code": "insufficient_user_quota", "message": "no"}}), Unavailable),
    (error(200, {"error": {"code": "insufficient_user_quota", "message": "no"}}), Unavailable),
    (error(503, {"error": {"message": "No available channel for kling-v3"}}), ModelUnavailable),
]


@pytest.fixture
def kling(fake_provider):
    return open_provider("kling", fake_provider.address, KEY)


def problem_of(kling, fake_provider, sent: bytes) -> ProviderError:
    fake_provider.plan = [sent]
    with pytest.raises(ProviderError) as caught:
        kling.submit(smallest("kling-v3"), timeout=5)
    assert len(fake_provider.requests) == 1, "one order, whatever comes back"
    assert_readable(caught.value)
    return caught.value


@pytest.mark.parametrize(("said", "kind"), MEANT.items())
@pytest.mark.parametrize("hidden", [False, True], ids=["with its status", "within a 200"])
def test_a_code_is_one_of_five_errors(kling, fake_provider, said, kind, hidden):
    status, code = said
    data = {"task_id": "1", "task_status": "submitted"}  # the code decides, whatever stands beside it
    document = {"code": code, "message": "told", "request_id": "r-1", "data": data}
    problem = problem_of(kling, fake_provider, error(200 if hidden else status, document))
    assert type(problem) is kind
    assert (problem.code == "content_moderation") == (code in (1300, 1301))


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("code", [1302, 1303])
def test_too_many_calls_are_a_limit_of_the_account_also_within_a_200(kling, fake_provider, code, status):
    problem = problem_of(kling, fake_provider, error(status, {"code": code, "message": "slow down"}))
    assert (problem.limited, problem.retry_after) == (True, 10)
    fake_provider.requests.clear()
    after = problem_of(kling, fake_provider, error(status, {"code": code}, retry_after="3"))
    assert after.retry_after == 3


@pytest.mark.parametrize(("sent", "kind"), WITHOUT_A_CODE)
def test_errors_of_servers_before_kling_are_read_too(kling, fake_provider, sent, kind):
    assert type(problem_of(kling, fake_provider, sent)) is kind


def test_a_wrong_field_is_named(kling, fake_provider):
    sent = error(400, {"code": 1201, "message": "aspect_ratio value '7:1' is invalid", "request_id": "r"})
    assert "aspect_ratio value '7:1' is invalid" in problem_of(kling, fake_provider, sent).reason


@pytest.mark.parametrize("code", [1302, 1203, 1202, 1004, 5000, 5001])
def test_no_error_of_a_poll_but_moderation_ends_the_task(kling, fake_provider, code):
    fake_provider.plan = [error(200, {"code": code, "message": "told", "request_id": "r-1"})]
    with pytest.raises(ProviderError) as caught:
        kling.poll(Task("1", state={"path": "/v1/images/generations"}), timeout=5)
    assert not isinstance(caught.value, Refused | ModelUnavailable)
    fake_provider.plan = [error(400, {"code": 1301, "message": "told", "request_id": "r-1"})]
    with pytest.raises(Refused):
        kling.poll(Task("1", state={"path": "/v1/images/generations"}), timeout=5)
