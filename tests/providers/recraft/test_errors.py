"""Recraft's errors, in plain text and as JSON, and those of gateways before it."""

from __future__ import annotations

import pytest

from generations.providers import open_provider
from generations.providers.base import Busy, ModelUnavailable, Refused, Unavailable, Unknown
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.smallest_requests import smallest


def text(status: int, words: str) -> bytes:
    return response(status, words.encode(), content_type="text/plain; charset=utf-8")


def code(status: int, name: str, **more: object) -> bytes:
    return error(status, {"code": name, "message": "told", **more})


FAULTS = [
    (
        text(401, "request unauthorized"),
        Unavailable,
        "does not accept the key (HTTP 401): request unauthorized",
    ),
    (text(404, "404 page not found"), ModelUnavailable, "nothing at this address"),
    (text(400, "prompt is too long"), Refused, "accept the request: prompt is too long."),
    (text(500, "boom"), Unknown, "lost on its way"),
    (text(502, "bad gateway"), Unknown, "lost on its way"),
    (text(402, "no units"), Unavailable, "no credits left"),
    (text(413, "too large"), Refused, "it takes images of 5 MB"),
    (code(402, "not_enough_credits"), Unavailable, "no credits left"),
    (code(400, "not_enough_credits"), Unavailable, "cannot be used now (HTTP 400): told"),
    (error(400, {"error": {"code": "not_enough_credits", "message": "told"}}), Unavailable, "cannot be used"),
    (error(400, {"error_code": "not_enough_credits", "detail": "told"}), Unavailable, "cannot be used"),
    (code(400, "prompt_is_improper"), Refused, "refused this prompt (content)"),
    (error(400, {"error_code": "prompt_is_improper"}), Refused, "refused this prompt (content)"),
    (code(422, "invalid_prompt"), Refused, "refused this prompt (content)"),
    (code(429, "rate_limit_exceeded"), Busy, "asks for a pause"),
    (text(429, "slow down"), Busy, "asks for a pause"),
    (code(400, "image_too_big"), Refused, "The image is too large for the provider."),
    (code(400, "invalid_image_format"), Refused, "does not take images of this format"),
    (code(400, "invalid_model"), ModelUnavailable, "does not have this model"),
    (code(400, "deprecated_model"), ModelUnavailable, "does not have this model"),
    (code(403, "style_is_private"), Refused, "belongs to another account"),
    (code(500, "internal_error"), Unknown, "lost on its way"),
    (error(200, {"code": "prompt_is_improper", "message": "told"}), Refused, "refused this prompt (content)"),
    (
        error(200, {"error": {"code": "insufficient_user_quota", "message": "no"}}),
        Unavailable,
        "cannot be used",
    ),
    (
        error(403, {"error": {"code": "insufficient_user_quota", "type": "new_api_error", "message": "no"}}),
        Unavailable,
        "cannot be used",
    ),
    (
        error(
            503, {"error": {"message": "No available channel for model recraftv3", "type": "new_api_error"}}
        ),
        ModelUnavailable,
        "does not have this model",
    ),
    (response(504, b"<html>gateway</html>"), Unknown, "lost on its way"),
]


@pytest.mark.parametrize(("sent", "kind", "words"), FAULTS)
def test_an_error_is_one_of_five_and_readable(fake_provider, sent, kind, words):
    fake_provider.plan = [sent]
    with pytest.raises(kind) as caught:
        open_provider("recraft", fake_provider.address, KEY).submit(smallest("recraftv3"), timeout=5)
    assert words in caught.value.reason
    assert_readable(caught.value)
    assert len(fake_provider.requests) == 1, "one call, whatever comes back"


@pytest.mark.parametrize("name", ["prompt_is_improper", "invalid_prompt"])
def test_a_moderated_prompt_has_the_code_of_one(fake_provider, name):
    fake_provider.plan = [code(400, name)]
    with pytest.raises(Refused) as caught:
        open_provider("recraft", fake_provider.address, KEY).submit(smallest("recraftv3"), timeout=5)
    assert caught.value.code == "content_moderation"


def test_a_pause_takes_as_long_as_recraft_says(fake_provider):
    fake_provider.plan = [error(429, {"code": "rate_limit_exceeded"}, retry_after="3")]
    with pytest.raises(Busy) as caught:
        open_provider("recraft", fake_provider.address, KEY).submit(smallest("recraftv3"), timeout=5)
    assert (caught.value.limited, caught.value.retry_after) == (True, 3)


def test_no_part_of_the_key_is_in_an_error(fake_provider):
    fake_provider.plan = [text(401, f"request unauthorized: {KEY}")]
    with pytest.raises(Unavailable) as caught:
        open_provider("recraft", fake_provider.address, KEY).balance(timeout=5)
    assert KEY[3:12] not in f"{caught.value!r} {caught.value.__dict__}"
