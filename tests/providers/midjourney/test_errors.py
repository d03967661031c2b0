"""What each refusal of an order means, in the words of all dialects."""

from __future__ import annotations

import pytest

from generations.providers.base import Busy, ModelUnavailable, ProviderError, Refused, Unavailable, Unknown
from tests.providers.fake_provider import assert_readable, error, response
from tests.providers.midjourney.answers import BUTTON, SMALLEST, refused, said

CASES = [
    # codes of the interface
    (said(24, "可能包含敏感词", promptEn="a gore boat", bannedWord="gore"), Refused, "“gore”"),
    (said(24, "可能包含敏感词"), Refused, "content"),
    (said(23, "队列已满，请稍后尝试", "14001929738841620"), Busy, "queue is full"),
    (said(3, "No available account instance"), ModelUnavailable, "No available account"),
    (said(4, "prompt不能为空"), Refused, "did not accept"),
    (said(4, "Image contains prohibited content"), Refused, "content"),
    (said(9, "提交失败，系统异常"), Busy, "trouble"),
    (said(9, "do_request_failed", http=502), Unknown, "lost"),
    (said(77, "strange"), Unknown, ""),
    (said(1, "ok", result=None), Unknown, ""),
    # the relay's own
    (refused("prompt_is_required"), Refused, "prompt_is_required"),
    (refused("quota_not_enough"), Unavailable, "quota_not_enough"),
    (refused("no_available_channel"), ModelUnavailable, ""),
    (refused("当前分组负载已饱和", code=30, status=429), Busy, "queue is full"),
    (refused("do_request_failed", code=5, status=500), Unknown, "lost"),
    (refused("readObjectStart: expect { or n, but found <", status=500), Unknown, "lost"),
    # of gateways, and of servers between
    (error(401, {"error": {"message": "无效的令牌", "type": "new_api_error"}}), Unavailable, "key"),
    (response(401), Unavailable, "key"),
    (said(4, "unauthorized", http=401), Unavailable, "key"),
    (response(401, b"Authorization header missing."), Unavailable, "key"),
    (response(403, "未登录".encode()), Unavailable, "cannot be used"),
    (error(403, {"error": {"code": "insufficient_user_quota", "message": "no"}}), Unavailable, ""),
    (
        error(404, {"error": {"message": "Invalid URL (POST /mj)", "type": "invalid_request_error"}}),
        ModelUnavailable,
        "",
    ),
    (response(404), ModelUnavailable, ""),
    (error(503, {"error": {"code": "model_not_found", "message": "no channel"}}), ModelUnavailable, ""),
    (response(429), Busy, ""),
    (response(413), Refused, "too large"),
    (response(502, b"<html>"), Unknown, ""),
    (response(504, b"<html>"), Unknown, ""),
    (response(200, b"<html>"), Unknown, ""),
    (response(200), Unknown, ""),
    (response(200, b"[1]"), Unknown, ""),
]


@pytest.mark.parametrize(("sent", "kind", "words"), CASES)
def test_what_a_refusal_means(fake_provider, relay, sent, kind, words):
    fake_provider.plan = [sent]
    with pytest.raises(ProviderError) as caught:
        relay.submit(SMALLEST["midjourney"], timeout=5)
    assert type(caught.value) is kind
    assert words in caught.value.reason
    assert_readable(caught.value)
    assert len(fake_provider.requests) == 1, "an order is sent once"


@pytest.mark.parametrize("sent", [said(23, "full"), refused("full", code=30, status=429)])
def test_a_full_queue_limits_the_account_and_is_no_failed_try_of_the_order(fake_provider, relay, sent):
    fake_provider.plan = [sent]
    with pytest.raises(Busy) as caught:
        relay.submit(SMALLEST["midjourney"], timeout=5)
    assert (caught.value.limited, caught.value.of_system) == (True, True)
    assert caught.value.retry_after == 30


def test_a_gateways_own_429_limits_all_that_it_sells(fake_provider, relay):
    fake_provider.plan = [response(429)]
    with pytest.raises(Busy) as caught:
        relay.submit(SMALLEST["midjourney"], timeout=5)
    assert (caught.value.limited, caught.value.of_system) == (True, False)


@pytest.mark.parametrize("sent", [said(3, "not found"), said(3, "not found", http=404)])
def test_what_continues_a_forgotten_task_is_refused_and_closes_no_model(fake_provider, relay, sent):
    fake_provider.plan = [sent]
    with pytest.raises(Refused, match="know any more"):
        relay.submit(BUTTON, timeout=5)


@pytest.mark.parametrize(
    ("text", "words"),
    [("task_not_found", "know any more what this continues"), ("task_status_not_success", "did not accept")],
)
def test_the_relay_says_the_same_in_its_own_words(fake_provider, relay, text, words):
    fake_provider.plan = [refused(text)]
    with pytest.raises(Refused, match=rf"{words}.*: {text}"):
        relay.submit(BUTTON, timeout=5)


def test_a_moderated_order_with_images_says_that_it_may_be_one_of_them(fake_provider, relay):
    fake_provider.plan = [said(24, "no", bannedWord="x")]
    with pytest.raises(Refused, match="prompt or an image") as caught:
        relay.submit(SMALLEST["insight-face-swap"], timeout=5)
    assert caught.value.code == "content_moderation"
