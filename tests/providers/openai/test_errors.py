"""Every documented error of OpenAI's format, at the maker and at gateways, is the right one of five.

Source: docs/providers/openai.md, "Statuses"; docs/providers/gateways.md, "Statuses".
"""

from __future__ import annotations

import pytest

from generations.providers.base import Busy, InputImage, ModelUnavailable, Refused, Unavailable, Unknown
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.openai.conftest import PICTURE, refusal

USER_ERROR = "image_generation_user_error"
BLOCKED = "Your request was rejected by the safety system. safety_violations=[sexual]."
VERIFY = "Your organization must be verified to use the model `gpt-image-2`. Please go to the settings."
FAULTS = [
    (refusal(400, "unknown_parameter", "Unknown parameter: 'response_format'."), Refused, "response_format"),
    (
        refusal(400, "unknown_parameter", "Unknown parameter: 'response_format'.", "new_api_error"),
        Refused,
        "response_format",
    ),
    (refusal(400, "moderation_blocked", BLOCKED, USER_ERROR), Refused, "refused this prompt (content)"),
    (refusal(400, "content_policy_violation", BLOCKED), Refused, "refused this prompt (content)"),
    (response(451, b"blocked"), Refused, "refused this prompt (content)"),
    (refusal(451, None, "blocked", "new_api_error"), Refused, "refused this prompt (content)"),
    (
        refusal(400, "invalid_image_file", "Invalid image file", USER_ERROR),
        Refused,
        "could not read an image",
    ),
    (
        refusal(400, "invalid_input_fidelity_model", "no input_fidelity", USER_ERROR),
        Refused,
        "input_fidelity",
    ),
    (refusal(400, "invalid_value", "Invalid value: 'xhigh'."), Refused, "xhigh"),
    (refusal(413, None, "too large"), Refused, "too large"),
    (refusal(404, "model_not_found", "The model 'dall-e-3' does not exist."), ModelUnavailable, "dall-e-3"),
    (refusal(400, "model_not_found", "The model 'dall-e-3' does not exist."), ModelUnavailable, "dall-e-3"),
    (refusal(404, None, "Invalid URL (POST /v1/images/generations)"), ModelUnavailable, "Invalid URL"),
    (refusal(403, None, VERIFY), ModelUnavailable, "must be verified"),
    (refusal(501, "api_not_implemented", "no", "new_api_error"), ModelUnavailable, "does not offer"),
    (refusal(503, None, "No available channel for model x", "new_api_error"), ModelUnavailable, "channel"),
    (
        refusal(429, "insufficient_quota", "You exceeded your quota", "insufficient_quota"),
        Unavailable,
        "quota",
    ),
    (refusal(429, None, "You exceeded your quota", "insufficient_quota"), Unavailable, "quota"),
    (refusal(429, "project_spend_limit_exceeded", "The project has spent it"), Unavailable, "spent"),
    (refusal(400, "billing_hard_limit_reached", "Billing hard limit"), Unavailable, "Billing"),
    (refusal(403, "insufficient_user_quota", "no quota", "new_api_error"), Unavailable, "no quota"),
    (
        refusal(401, "invalid_api_key", f"Incorrect API key provided: {KEY[:8]}****{KEY[-4:]}."),
        Unavailable,
        "key",
    ),
    (refusal(429, "rate_limit_exceeded", "Rate limit reached", "requests"), Busy, "asks for a pause"),
    (response(429), Busy, "asks for a pause"),
    (refusal(503, None, "The engine is overloaded", "server_error"), Busy, "trouble"),
    (refusal(500, "server_error", "The server had an error", "server_error"), Unknown, "lost"),
    (response(502, b"<html>bad gateway</html>"), Unknown, "lost"),
    (response(524, b"<html>waited too long</html>"), Unknown, "lost"),
]


@pytest.mark.parametrize("by", ["openai", "gateway"])
@pytest.mark.parametrize(("answered", "kind", "words"), FAULTS, ids=lambda value: str(value)[:40])
def test_an_error_says_who_has_to_do_something(request, draw, by, answered, kind, words):
    with pytest.raises(kind) as caught:
        draw(answered=answered, by=request.getfixturevalue(by))
    assert type(caught.value) is kind
    assert words in caught.value.reason
    assert_readable(caught.value)


def test_a_429_waits_as_long_as_it_says(draw):
    told = {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    with pytest.raises(Busy) as caught:
        draw(answered=error(429, {"error": told}, retry_after="7"))
    assert (caught.value.retry_after, caught.value.limited) == (7, True)


def test_a_moderated_edit_may_be_for_its_image(draw):
    image = InputImage("image", PICTURE, "image/png")
    with pytest.raises(Refused, match="the prompt or an image"):
        draw(answered=refusal(400, "moderation_blocked", BLOCKED, USER_ERROR), inputs=(image,))


def test_a_prompt_in_a_message_closes_no_model_and_pauses_no_account(draw):
    for message in ("prompt: insufficient quota", "prompt: no available channel", f"prompt: {VERIFY}"):
        with pytest.raises(Refused):
            draw(answered=refusal(400, "invalid_value", message))
