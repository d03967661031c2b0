"""Orders that are answered with a task, and asking for its result."""

from __future__ import annotations

import base64
import json

import pytest

from generations.providers import open_provider
from generations.providers.base import (
    Accepted,
    Busy,
    Done,
    ProviderError,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from tests.providers.fake_provider import KEY, assert_readable, error, make_image, response
from tests.providers.smallest_requests import smallest

PNG = make_image()
TEXT = base64.b64encode(PNG).decode()
ID = "5e" * 32
TASKS = ("replace-background-and-relight", "upscale-creative")


def stability(status: int, name: str, *errors: str) -> bytes:
    return error(status, {"id": "1", "name": name, "errors": errors})


def answer(data: object, status: int = 200) -> bytes:
    return response(status, json.dumps(data).encode())


@pytest.mark.parametrize("model", TASKS)
def test_a_task_is_ordered_once_and_polled_until_it_is_done(fake_provider, provider, model):
    accepted = provider.submit(smallest(model, output_format="webp"), timeout=5)
    assert isinstance(accepted, Accepted)
    assert accepted.poll_after >= 10
    under_way = provider.poll(accepted.task, timeout=5)
    assert under_way == Accepted(accepted.task, 10.0, status=202)
    done = provider.poll(under_way.task, timeout=5)
    assert isinstance(done, Done)
    assert done.outputs[0].media_type == "image/webp"
    assert [request.method for request in fake_provider.requests] == ["POST", "GET", "GET"]
    assert {request.headers["authorization"] for request in fake_provider.requests} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(("model", "seconds"), [("upscale-creative", 60), ("core", 10), ("erase", 10)])
def test_the_first_poll_comes_after_the_seconds_that_the_model_needs(fake_provider, provider, model, seconds):
    fake_provider.plan = [error(200, {"id": ID}, x_request_id="r-7")]
    accepted = provider.submit(smallest(model), timeout=5)
    assert (accepted.poll_after, accepted.request_id, accepted.status) == (seconds, "r-7", 200)
    assert accepted.task.remote_id == ID


@pytest.mark.parametrize("model", catalogue_registry.names_of_system("stability"))
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_gateway_may_answer_any_order_with_a_task(fake_provider, provider, model, status):
    fake_provider.plan = [answer({"id": "task_01.a:b-c~d", "status": "in-progress"}, status)]
    accepted = provider.submit(smallest(model), timeout=5)
    assert isinstance(accepted, Accepted)
    assert accepted.task.remote_id == "task_01.a:b-c~d"
    fake_provider.plan = [response(200, PNG)]
    assert provider.poll(accepted.task, timeout=5).outputs[0].data == PNG
    assert fake_provider.requests[-1].path == "/v2beta/results/task_01.a%3Ab-c~d"


@pytest.mark.parametrize(
    "data",
    [
        {"id": ""},
        {"id": ".."},
        {"id": "."},
        {"id": "../../v1/user/balance"},
        {"id": "a/b"},
        {"id": "a?b=c"},
        {"id": "a#b"},
        {"id": "a\r\nb"},
        {"id": "ä"},
        {"id": "x" * 129},
        {"id": 7},
        {"id": ["x"]},
        {"id": ID, "data": [{"url": "https://example.com/a.png"}]},
        {"id": ID, "choices": [{"message": "sorry"}]},
        {"id": ID, "error": "no"},
        {"id": ID, "name": "server_error", "message": "v1 has a text where v2beta has a list"},
        {"id": ID, "name": "internal_error", "errors": ["oops"]},
        [ID],
        ID,
    ],
)
def test_what_is_no_safe_id_of_a_task_is_no_task(fake_provider, provider, data):
    fake_provider.plan = [answer(data)]
    with pytest.raises(Unknown) as caught:
        provider.submit(smallest("upscale-creative"), timeout=5)
    assert_readable(caught.value)


def test_an_order_that_was_refused_with_status_200_is_no_task(fake_provider, provider):
    for data, kind in (
        ({"id": ID, "name": "content_moderation", "errors": ["flagged"]}, Refused),
        ({"id": ID, "code": "insufficient_user_quota", "message": "no"}, Unavailable),
    ):
        fake_provider.plan = [answer(data)]
        with pytest.raises(kind):
            provider.submit(smallest("erase"), timeout=5)


def test_an_image_with_an_id_is_an_image(fake_provider, provider):
    fake_provider.plan = [
        answer({"id": ID, "image": TEXT}),
        answer({"id": ID, "finish_reason": "CONTENT_FILTERED"}),
    ]
    done = [provider.submit(smallest("upscale-creative"), timeout=5) for _ in range(2)]
    assert done[0].outputs[0].data == PNG
    assert done[1].filtered


@pytest.mark.parametrize(
    "sent",
    [
        response(200, PNG, seed="77", finish_reason="SUCCESS"),
        answer({"image": TEXT, "finish_reason": "SUCCESS", "seed": 77}),
        answer({"result": TEXT, "finish_reason": "SUCCESS", "seed": 77}),
        answer({"id": ID, "image": None, "result": TEXT, "seed": "77"}),
    ],
)
def test_a_result_comes_as_bytes_or_in_json_under_either_name(fake_provider, provider, sent):
    fake_provider.plan = [sent]
    [output] = provider.poll(Task(ID), timeout=5).outputs
    assert (output.data, output.seed) == (PNG, 77)


def test_a_result_without_a_seed_has_that_of_the_order(fake_provider, provider):
    fake_provider.plan = [error(200, {"id": ID}), response(200, PNG)]
    accepted = provider.submit(smallest("upscale-creative", seed=99), timeout=5)
    stored = Task(accepted.task.remote_id, state=json.loads(json.dumps(dict(accepted.task.state))))
    assert provider.poll(stored, timeout=5).outputs[0].seed == 99


@pytest.mark.parametrize(
    "sent",
    [
        error(202, {"id": ID, "status": "in-progress"}),
        error(202, {"id": "another", "status": "dreaming"}),
        response(202),
        response(202, b"<html>"),
        answer({"id": ID, "status": "in-progress"}),  # a gateway that turns 202 into 200
    ],
)
def test_a_task_that_is_under_way_is_asked_for_again_after_ten_seconds(fake_provider, provider, sent):
    task = Task(ID, state={"seed": 5})
    fake_provider.plan = [sent]
    again = provider.poll(task, timeout=5)
    assert (again.task, again.poll_after) == (task, 10.0)


def test_a_filtered_result_is_dropped(fake_provider, provider):
    fake_provider.plan = [
        response(200, PNG, finish_reason="CONTENT_FILTERED"),
        answer({"result": TEXT, "finish_reason": "CONTENT_FILTERED"}),
    ]
    for _ in range(2):
        done = provider.poll(Task(ID), timeout=5)
        assert (done.filtered, done.kept) == (True, ())


# What a poll is answered with, the class of the error, and words of its reason.
LAST_WORDS = [
    stability(403, "content_moderation", "Your request was flagged"),
    stability(400, "content_moderation", "Your request was flagged"),
    stability(400, "bad_request", "image: cannot be decoded"),
    stability(422, "public_figure", "likeness"),
    answer({"id": ID, "name": "content_moderation", "errors": ["flagged"]}),
    error(500, {"error": {"code": "sensitive_words_detected", "message": "no", "type": "x"}}),
    answer({"image": "", "finish_reason": "ERROR"}),
]
NOT_LAST = [
    (stability(404, "generation_not_found", "id: the generation does not exist or has expired."), Unknown),
    (response(404, b"<html>nginx</html>"), Unknown),
    (response(405), Unknown),
    (response(410), Unknown),
    (response(501), Unknown),
    (response(302, location="https://elsewhere.example/"), Unknown),
    (response(400, b"<html>Bad Request</html>"), Unknown),
    (error(400, {"error": {"message": "channel", "type": "new_api_error", "code": ""}}), Unknown),
    (response(403, b"<html>Forbidden</html>"), Unknown),
    (stability(403, "permission_denied", "no"), Unknown),
    (stability(413, "payload_too_large", "body: too large"), Unknown),
    (error(400, {"error": {"code": "model_not_found", "message": "no"}}), Unknown),
    (stability(400, "bad_request", "model: must be one of sd3.5-large"), Unknown),
    (response(415), Unknown),
    (stability(500, "internal_error", "oops"), Busy),
    (stability(503, "service_unavailable", "oops"), Busy),
    (stability(429, "rate_limit_exceeded", "slow down"), Busy),
    (response(502, b"<html>"), Unknown),
    (response(504, b"<html>"), Unknown),
    (response(524, b"<html>"), Unknown),
    (response(200, b"no picture"), Unknown),
    (response(200, PNG[:-9]), Unknown),
    (answer({"id": ID, "name": "internal_error", "errors": ["oops"]}), Unknown),
    (answer({"hello": "world"}), Unknown),
    (answer({"image": "????"}), Unknown),
    (response(401), Unavailable),
    (stability(402, "payment_required", "no credits"), Unavailable),
]


@pytest.mark.parametrize("sent", LAST_WORDS)
def test_the_last_word_of_the_provider_ends_a_task(fake_provider, provider, sent):
    fake_provider.plan = [sent]
    with pytest.raises(Refused) as caught:
        provider.poll(Task(ID), timeout=5)
    assert_readable(caught.value)


@pytest.mark.parametrize(("sent", "kind"), NOT_LAST)
def test_nothing_else_ends_a_task(fake_provider, provider, sent, kind):
    fake_provider.plan = [sent]
    with pytest.raises(ProviderError) as caught:
        provider.poll(Task(ID), timeout=5)
    assert type(caught.value) is kind
    assert_readable(caught.value)


def test_a_connection_that_breaks_ends_no_task(fake_provider, provider):
    fake_provider.plan = [response(200, PNG, content_length=str(len(PNG) + 9))]
    with pytest.raises(Unknown):
        provider.poll(Task(ID), timeout=5)
    fake_provider.close()
    nowhere = open_provider("stability", "http://127.0.0.1:1", KEY)
    with pytest.raises(Busy):  # which the engine polls again, and does not order
        nowhere.poll(Task(ID), timeout=5)


def test_a_result_of_another_key_is_not_found(fake_provider, provider):
    accepted = provider.submit(smallest("upscale-creative"), timeout=5)
    stranger = open_provider("stability", fake_provider.address, KEY + "2")
    with pytest.raises(Unknown) as caught:
        stranger.poll(accepted.task, timeout=5)
    assert caught.value.code == "generation_not_found"


def test_a_moderated_task_says_that_it_may_be_the_image(fake_provider, provider):
    fake_provider.plan = [error(200, {"id": ID}), stability(403, "content_moderation", "flagged")]
    accepted = provider.submit(smallest("upscale-creative"), timeout=5)
    with pytest.raises(Refused, match="prompt or an image") as caught:
        provider.poll(accepted.task, timeout=5)
    assert caught.value.code == "content_moderation"
