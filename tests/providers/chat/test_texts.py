"""Texts through chat completions: what is sent, and what any answer becomes."""

from __future__ import annotations

import json

import pytest

from generations.providers.base import Busy, ModelUnavailable, Refused, Unavailable, Unknown
from generations.providers.chat.text import clean
from generations.providers.registry import Switch, open_text_chat
from tests.providers.chat.test_answers import whole
from tests.providers.fake_provider import KEY, error, response


def ask(fake_provider, *plan, kind="gateway", systems=None, suffix=""):
    fake_provider.plan = list(plan)
    chat = open_text_chat(kind, fake_provider.address + suffix, KEY, systems=systems or {})
    return chat.ask("gpt-5-mini", "Translate.", "ein Fuchs", timeout=5)


def test_the_text_is_sent_apart_from_the_instruction(fake_provider):
    assert ask(fake_provider, whole(" a fox\n")).text == "a fox"
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.body) == {
        "model": "gpt-5-mini",
        "messages": [
            {"role": "system", "content": "Translate."},
            {"role": "user", "content": "ein Fuchs"},
        ],
        "stream": False,
    }


@pytest.mark.parametrize(
    ("kind", "suffix", "systems", "path"),
    [
        ("gateway", "", {"chat": Switch("/talk")}, "/talk/v1/chat/completions"),
        ("openai", "/v1", {}, "/v1/chat/completions"),
        ("chat", "/x", {}, "/x/v1/chat/completions"),
    ],
)
def test_it_is_asked_where_the_account_has_its_chat(fake_provider, kind, suffix, systems, path):
    ask(fake_provider, whole("a fox"), kind=kind, suffix=suffix, systems=systems)
    assert fake_provider.requests[0].path == path


def test_an_account_of_a_system_without_chat_has_none():
    with pytest.raises(ValueError, match="no chat models"):
        open_text_chat("stability", "https://api.example.com", KEY)


def test_what_a_model_thinks_before_its_answer_is_left_out(fake_provider):
    assert ask(fake_provider, whole("<think>the fox\nis …</think>\na fox")).text == "a fox"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (whole(""), Unknown),
        (response(200, b"{}"), Unknown),
        (response(200, b"data: {}"), Unknown),
        (response(200, b'data: {"choices": [{"delta": {"content": "a fo'), Unknown),
        (response(200, b"x" * 3_000_000), Unknown),
        (error(200, {"choices": [{"message": {"content": None, "refusal": "no"}}]}), Refused),
        (error(401, {"error": {"message": "bad key", "code": "invalid_api_key"}}), Unavailable),
        (error(404, {"error": {"message": "no", "code": "model_not_found"}}), ModelUnavailable),
        (error(429, {"error": {"message": "slow", "code": "rate_limit_exceeded"}}, retry_after="7"), Busy),
        (response(504, b"<html>"), Unknown),
        (response(302, b"", location="http://127.0.0.1:1/"), ModelUnavailable),
    ],
)
def test_every_other_answer_is_one_of_our_errors(fake_provider, answer, kind):
    with pytest.raises(kind) as caught:
        ask(fake_provider, answer)
    assert KEY not in str(caught.value)
    assert len(fake_provider.requests) == 1


def test_a_stream_that_nobody_asked_for_is_read(fake_provider):
    pieces = "".join(
        f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n" for text in ("a ", "fox")
    )
    assert ask(fake_provider, response(200, f"{pieces}data: [DONE]\n\n".encode())).text == "a fox"


def test_only_what_is_written_stays_of_a_text():
    assert clean("a\x00b\u202ec\ud800d\te\r\nf\u2028g\ue000 \U0001f98a") == "abcd e\nf\ng \U0001f98a"
    assert clean(f"my key is {KEY} and {KEY[:20]}…", KEY) == "my key is [key] and [key]"
    assert clean("key-lighting, sk-inny jeans", KEY) == "key-lighting, sk-inny jeans"
    assert clean("نیم\u200cفاصله") == "نیم\u200cفاصله"  # the joiner is a part of the word
