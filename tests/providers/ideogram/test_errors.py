"""Ideogram's errors, and those of gateways before it."""

from __future__ import annotations

import pytest

from generations.providers.base import Busy, ModelUnavailable, Refused, Unavailable, Unknown
from generations.providers.ideogram.client import Ideogram
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.smallest_requests import smallest


def text(status: int, words: str = "told", **more: object) -> bytes:
    return error(status, {"error": words, **more})


def limited(status: int, reason: str) -> bytes:
    return text(status, reject_reason=reason)


EVERYWHERE = [
    (text(400, "aspect_ratio: unknown"), Refused, "accept the request: aspect_ratio: unknown."),
    (text(401), Unavailable, "does not accept the key"),
    (text(402), Unavailable, "no credits left"),
    (limited(402, "insufficient_funds"), Unavailable, "no credits left"),
    (limited(402, "daily_limit"), Unavailable, "no credits left"),
    (limited(429, "daily_limit"), Unavailable, "cannot be used now"),
    (limited(429, "subscription_required"), Unavailable, "cannot be used now"),
    (limited(429, "priority_credit_required"), Unavailable, "cannot be used now"),
    (limited(402, "feature_limit"), ModelUnavailable, "does not have this model"),
    (limited(429, "inflight_limit"), Busy, "asks for a pause"),
    (text(429), Busy, "asks for a pause"),
    (text(422, "the prompt failed the safety check"), Refused, "refused this prompt (content)"),
    (text(404), ModelUnavailable, "nothing at this address"),
    (text(410), ModelUnavailable, "any more"),
    (text(413), Refused, "it takes images of 10 MB"),
    (text(503, "temporarily unavailable"), Busy, "having trouble"),
    (text(500, "internal"), Unknown, "lost on its way"),
    (response(503, b"<html>503</html>"), Unknown, "lost on its way"),
    (response(504, b"<html>504</html>"), Unknown, "lost on its way"),
    (response(200, b"<html>200</html>"), Unknown, "without an image"),
]
AT_GATEWAYS = [
    (
        error(403, {"error": {"code": "insufficient_user_quota", "message": "no"}}),
        Unavailable,
        "cannot be used",
    ),
    (
        error(403, {"error": {"message": "This token has no access to model V_2", "type": "new_api_error"}}),
        ModelUnavailable,
        "does not have this model",
    ),
    (text(403), Refused, "did not accept"),
    (
        error(200, {"error": {"code": "insufficient_user_quota", "message": "no"}}),
        Unavailable,
        "cannot be used",
    ),
]


def problem_of(provider, fake_provider, sent, model="ideogram-v2"):
    fake_provider.plan = [sent]
    with pytest.raises(Exception) as caught:  # noqa: PT011  its type is what is tested
        provider.submit(smallest(model), timeout=5)
    assert len(fake_provider.requests) == 1, "one call, whatever comes back"
    assert_readable(caught.value)
    return caught.value


@pytest.mark.parametrize("at_gateway", [False, True])
@pytest.mark.parametrize(("sent", "kind", "words"), EVERYWHERE)
def test_an_error_is_one_of_five_and_readable(fake_provider, at_gateway, sent, kind, words):
    problem = problem_of(Ideogram(fake_provider.address, KEY, at_gateway=at_gateway), fake_provider, sent)
    assert type(problem) is kind
    assert words in problem.reason


@pytest.mark.parametrize(("sent", "kind", "words"), AT_GATEWAYS)
def test_a_gateways_403_means_what_its_code_says(fake_provider, sent, kind, words):
    problem = problem_of(Ideogram(fake_provider.address, KEY, at_gateway=True), fake_provider, sent)
    assert type(problem) is kind
    assert words in problem.reason


@pytest.mark.parametrize("model", ["ideogram-v2", "ideogram-upscale"])
def test_the_makers_403_is_a_wrong_key(fake_provider, model):
    problem = problem_of(Ideogram(fake_provider.address, KEY), fake_provider, text(403), model)
    assert type(problem) is Unavailable


def test_what_fails_the_safety_check_has_the_code_of_it(fake_provider):
    problem = problem_of(Ideogram(fake_provider.address, KEY), fake_provider, text(422))
    assert problem.code == "content_moderation"


def test_no_part_of_the_key_is_in_an_error(fake_provider):
    problem = problem_of(Ideogram(fake_provider.address, KEY), fake_provider, text(401, f"bad key {KEY}"))
    assert KEY[3:12] not in f"{problem!r} {problem.__dict__}"
