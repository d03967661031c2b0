"""Pictures out of a chat's answer: each once, from wherever it stands; words without one are a refusal.

Source: docs/providers/chat-completions.md, "Answers".
"""

from __future__ import annotations

import base64
import json
import threading

import pytest

from generations.providers.base import Busy, ImageRequest, ModelUnavailable, Refused, Unavailable, Unknown
from generations.providers.chat.client import Chat
from tests.providers.fake_provider import KEY, assert_readable, error, make_image, reset, response
from tests.providers.openai.conftest import refusal

PICTURE = make_image()
TEXT = base64.b64encode(PICTURE).decode()
LINK, OTHER = "https://cdn.example/20260430/x.png", "https://files.example/y?id=(1)&sig=a%2Fb"
REFUSAL = "I can't draw this, since it may go against our policies."


def whole(content="", **message):
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content} | message,
        "finish_reason": "stop",
    }
    return error(200, {"id": "c-1", "object": "chat.completion", "choices": [choice]})


def event(content=None, *, end=None, **delta):
    delta |= {} if content is None else {"content": content}
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": end}]})


def stream(*lines, ends=("data: [DONE]",), **headers):
    body = "".join(f"{line}\n\n" for line in (*lines, *ends)).encode()
    return response(200, body, content_type="text/event-stream", **headers)


@pytest.fixture
def ask(fake_provider):
    def ask(answered, *, dialect=""):
        fake_provider.plan = [answered]
        chat = Chat(fake_provider.address, KEY, at_gateway=True, dialect=dialect)
        return chat.submit(ImageRequest("gpt-4o-image", {"prompt": "a harbour"}), timeout=5)

    return ask


def addresses(done):
    return [output.url for output in done.outputs]


@pytest.mark.parametrize(
    "content",
    [
        f"![gen_1]({LINK})",
        f"![{LINK}]({LINK})",
        f"![x]( <{LINK}> )",
        f'![x]({LINK} "a title")',
        f'```json\n{{"n": 1}}\n```\n\n> ID: `t_1`\n> 进度 **34%**\n\n![x]({LINK})\n\n[点击下载]({LINK})',
        f"![x]({LINK})\n[点击下载](https://cdn.example/download/x.png)",
        f"![x]({LINK}) and once more ![x]({LINK})",
        f"Here it is: {LINK}",
        f"[download]({LINK})",
    ],
)
def test_a_picture_is_found_once_in_the_text(ask, content):
    assert addresses(ask(whole(content))) == [LINK]
    assert addresses(ask(stream(event(content, end="stop")))) == [LINK]


def test_several_pictures_keep_their_order(ask):
    assert addresses(ask(whole(f"![a]({OTHER}) ![b]({LINK}) ![a]({OTHER})"))) == [OTHER, LINK]


def test_a_link_may_be_cut_anywhere(ask):
    content = f"> 生成中\n\n![gen_1]({OTHER}) done"
    for at in range(len(content)):
        pieces = [
            event(role="assistant", content=""),
            event(content[:at]),
            event(content[at:]),
            event(end="stop"),
        ]
        assert addresses(ask(stream(": keep-alive", *pieces))) == [OTHER]


def test_a_letter_may_arrive_in_two_writes(ask):
    line = event(f"进度 ![x]({LINK})").encode("unicode_escape").decode("unicode_escape")
    assert addresses(ask(stream(line, event(end="stop")))) == [LINK]


@pytest.mark.parametrize("text", [f"![image](data:image/png;base64,{TEXT})", f"data:image/png;base64,{TEXT}"])
def test_a_picture_may_stand_in_the_text_itself(ask, text):
    [output] = ask(whole(text)).outputs
    assert (output.data, output.media_type, output.width) == (PICTURE, "image/png", 64)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "", "images": [{"type": "image_url", "image_url": {"url": LINK}}]},
        {"content": None, "images": [{"image_url": LINK}]},
        {"content": [{"type": "text", "text": "Here."}, {"type": "image_url", "image_url": {"url": LINK}}]},
        {"content": [{"type": "text", "text": f"![x]({LINK})"}]},
    ],
)
def test_a_picture_may_stand_beside_the_text(ask, message):
    assert addresses(ask(whole(**message))) == [LINK]
    assert addresses(ask(stream(event(end="stop", **message)))) == [LINK]


def test_a_gateway_may_answer_with_a_list_as_for_images(ask):
    [output] = ask(error(200, {"created": 1, "data": [{"b64_json": TEXT}]})).outputs
    assert output.data == PICTURE
    assert addresses(ask(error(200, {"data": [{"url": LINK}]}))) == [LINK]


def test_plain_json_is_the_whole_answer_although_a_stream_was_asked_for(ask, fake_provider):
    assert addresses(ask(whole(f"![x]({LINK})"))) == [LINK]
    assert json.loads(fake_provider.requests[0].body)["stream"] is True


def test_a_stream_is_read_although_none_was_asked_for(ask, fake_provider):
    assert addresses(ask(stream(event(f"![x]({LINK})")), dialect="whole")) == [LINK]
    assert json.loads(fake_provider.requests[0].body)["stream"] is False


@pytest.mark.parametrize(
    "answered",
    [
        whole(REFUSAL),
        whole(f"> 进度 **34%**\n\n```json\n{{}}\n```\n{REFUSAL}"),
        stream(event(REFUSAL[:9]), event(REFUSAL[9:]), event(end="stop")),
        stream(event(REFUSAL), event(end="stop"), ends=()),
        stream(event(REFUSAL)),
    ],
)
def test_words_without_a_picture_are_a_refusal_with_these_words(ask, answered):
    with pytest.raises(Refused) as caught:
        ask(answered)
    assert caught.value.reason == REFUSAL
    assert (caught.value.code, caught.value.status) == ("no_picture", 200)
    assert_readable(caught.value)


def test_a_key_that_a_model_repeats_is_not_shown(ask):
    with pytest.raises(Refused) as caught:
        ask(whole(f"<b>No.</b> Your key is {KEY}."))
    assert_readable(caught.value)


@pytest.mark.parametrize(
    "answered",
    [
        whole(""),
        whole("> 进度 **34%**"),
        stream(),
        stream(event("Drawing"), ends=()),
        stream(event(f"![x]({LINK[:-4]}"), ends=()),
        stream(event(f"See {LINK}"), ends=()),
        stream("data: {", "data", "event: x", ends=()),
        response(200, b""),
        response(200, b"<html>busy</html>"),
        whole("![x](data:image/png;base64,bm8gaW1hZ2U=)"),
        error(200, {"choices": []}),
        error(200, {"choices": [None]}),
        error(200, ["x"]),
    ],
)
def test_an_answer_without_a_picture_that_did_not_end_may_have_been_paid_for(ask, answered):
    with pytest.raises(Unknown) as caught:
        ask(answered)
    assert_readable(caught.value)


def test_a_picture_that_came_before_the_connection_broke_is_kept(ask):
    def answered(connection):
        body = f"{event(f'![x]({LINK})')}\n\n".encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n"
        connection.sendall(head + body)

    assert addresses(ask(answered)) == [LINK]


def test_a_stream_that_says_it_has_ended_is_not_waited_for(ask):
    closed = threading.Event()

    def answered(connection):
        body = f"{event(f'![x]({LINK})')}\n\ndata: [DONE]\n\n".encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + body)
        connection.settimeout(4)  # the client's own limit is 5
        if connection.recv(1) == b"":
            closed.set()

    assert addresses(ask(answered)) == [LINK]
    assert closed.wait(1), "the client has hung up by itself"


def test_a_connection_that_broke_before_anything_came_may_have_been_paid_for(ask):
    with pytest.raises(Unknown):
        ask(reset)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("insufficient_user_quota", Unavailable),
        ("model_not_found", ModelUnavailable),
        ("moderation_blocked", Refused),
        ("server_error", Unknown),
    ],
)
def test_an_error_within_a_stream_is_what_it_says(ask, code, kind):
    failure = "data: " + json.dumps({"error": {"message": "told", "type": "new_api_error", "code": code}})
    for answered in (
        stream(event("Drawing"), failure),
        stream(failure, ends=()),
        error(200, json.loads(failure[6:])),
    ):
        with pytest.raises(kind) as caught:
            ask(answered)
        assert type(caught.value) is kind
        assert_readable(caught.value)


@pytest.mark.parametrize(
    ("answered", "kind"),
    [
        (refusal(401, "invalid_api_key"), Unavailable),
        (refusal(403, "insufficient_user_quota", kind="new_api_error"), Unavailable),
        (refusal(429, "rate_limit_exceeded"), Busy),
        (refusal(503, None, "No available channel for model x", "new_api_error"), ModelUnavailable),
        (response(451, b"blocked"), Refused),
        (response(524, b"<html>too long</html>"), Unknown),
    ],
)
def test_errors_are_those_of_openais_format(ask, answered, kind):
    with pytest.raises(kind) as caught:
        ask(answered)
    assert type(caught.value) is kind


def test_crafted_text_takes_no_time(ask):
    crafted = "![" * 20_000 + "https://" + "a.(" * 20_000 + "```" * 9_999
    with pytest.raises(Refused):
        ask(whole(crafted))
