"""Flux's client: what it sends, where it asks for a task, and what it makes of the answers."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace

import pytest

from generations.providers.base import (
    Accepted,
    Busy,
    ModelUnavailable,
    ProviderError,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.providers.bfl import tasks as bfl_tasks
from generations.providers.bfl.client import Flux
from tests.providers.bfl.requests import picture, smallest
from tests.providers.fake_provider import KEY, assert_readable, error, response

ID = "2f9d4a6e-0c1b-4b7e-9d55-2f4c3a1b0e77"
SAMPLE = "https://delivery-eu1.bfl.ai/results/a.jpeg?se=2026-11-30&sig=abc%3D"
TASK = Task(ID, state={"ordered_at": 0.0})


def ordered(**more: object) -> bytes:
    return error(200, {"id": ID} | more)


def state(word: str, http: int = 200, **more: object) -> bytes:
    nothing = dict.fromkeys(("result", "progress", "details", "preview"))
    return error(http, {"id": ID, "status": word} | nothing | more)


def ready(**more: object) -> bytes:
    return state("Ready", result={"sample": SAMPLE, "seed": 77, "prompt": "a harbour"} | more)


# Orders ----------------------------------------------------------------------------------


def test_an_order_is_json_at_the_models_address_with_the_makers_header(fake_provider, maker):
    fake_provider.plan = [ordered(polling_url="https://api.eu2.bfl.ai/v1/get_result?id=x")]
    accepted = maker.submit(smallest(seed=9, safety_tolerance=6, output_format="png"), timeout=5)
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("POST", "/v1/flux-pro-1.1")
    assert request.headers["x-key"] == KEY
    assert "authorization" not in request.headers
    assert request.json == {
        "prompt": "a harbour",
        "seed": 9,
        "safety_tolerance": 6,
        "output_format": "png",
        "width": 1024,
        "height": 1024,
    }
    assert (accepted.task.remote_id, accepted.status) == (ID, 200)
    assert accepted.poll_after >= 2


def test_at_a_gateway_the_key_is_a_bearer_token_below_the_prefix(fake_provider, gateway):
    fake_provider.plan = [ordered(), ready()]
    accepted = gateway.submit(smallest(), timeout=5)
    gateway.poll(accepted.task, timeout=5)
    order, poll = fake_provider.requests
    assert (order.path, poll.path) == ("/flux/v1/flux-pro-1.1", f"/flux/v1/get_result?id={ID}")
    for request in (order, poll):
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert "x-key" not in request.headers


def test_a_gateways_own_name_of_a_model_is_its_address(fake_provider, gateway):
    fake_provider.plan = [ordered()]
    gateway.submit(replace(smallest(), wire_name="flux-1.1-pro"), timeout=5)
    assert fake_provider.requests[-1].path == "/flux/v1/flux-1.1-pro"


def test_a_shape_is_sent_as_width_and_height_of_32_pixels(fake_provider, maker):
    for shape, size in (("21:9", (1440, 608)), ("3:2", (1248, 832)), ("9:16", (768, 1344))):
        fake_provider.plan = [ordered()]
        maker.submit(smallest(aspect_ratio=shape), timeout=5)
        body = fake_provider.requests[-1].json
        assert (body["width"], body["height"]) == size
        assert "aspect_ratio" not in body


def sent_images(body: dict) -> dict[str, bytes]:
    names = ("image", "mask", "image_prompt", "input_image", "input_image_2", "input_image_3")
    return {name: base64.b64decode(body[name]) for name in names if name in body}


def test_images_are_base64_under_the_models_own_names(fake_provider, maker):
    image = picture("png", (320, 256))
    for request, names in (
        (smallest("flux-pro-1.1", "image"), ["image_prompt"]),
        (smallest("flux-pro-1.0-fill"), ["image", "mask"]),
        (smallest("flux-kontext-pro", "image", "reference", "reference"), ["input_image"]),
    ):
        fake_provider.plan = [ordered()]
        maker.submit(request, timeout=5)
        found = sent_images(fake_provider.requests[-1].json)
        assert list(found)[: len(names)] == names
        assert set(found.values()) == {image}
    assert list(found) == ["input_image", "input_image_2", "input_image_3"]


def test_the_sides_of_an_expanded_picture_have_the_makers_names(fake_provider, maker):
    fake_provider.plan = [ordered()]
    maker.submit(smallest("flux-pro-1.0-expand", up=8, down=2048), timeout=5)
    body = fake_provider.requests[-1].json
    assert {name: body[name] for name in ("left", "top", "bottom")} == {"left": 64, "top": 8, "bottom": 2048}
    assert not body.keys() & {"up", "down"}


def test_a_shape_that_is_left_to_the_image_is_not_sent(fake_provider, maker):
    fake_provider.plan = [ordered(), ordered()]
    maker.submit(smallest("flux-kontext-pro", "image", aspect_ratio="auto"), timeout=5)
    maker.submit(smallest("flux-kontext-pro", "image", aspect_ratio="21:9"), timeout=5)
    first, second = (request.json for request in fake_provider.requests)
    assert "aspect_ratio" not in first
    assert second["aspect_ratio"] == "21:9"


def body_of(fake_provider, account, request) -> dict:
    fake_provider.plan = [ordered()]
    account.submit(request, timeout=5)
    return fake_provider.requests[-1].json


def test_flux_2_takes_the_size_of_its_megapixels_in_the_shape_asked_for_or_that_of_the_image(
    fake_provider, maker
):
    for request, size in (
        (smallest("flux-2-pro"), (1024, 1024)),
        (smallest("flux-2-pro", megapixels="4"), (2048, 2048)),
        (smallest("flux-2-pro", aspect_ratio="16:9", megapixels="2"), (1920, 1072)),
        (smallest("flux-2-pro", "image"), (1136, 912)),  # which is 320 x 256
        (smallest("flux-2-pro", "image", aspect_ratio="1:1"), (1024, 1024)),
    ):
        body = body_of(fake_provider, maker, request)
        assert (body["width"], body["height"]) == size
        assert not body.keys() & {"megapixels", "aspect_ratio"}


def test_what_is_on_at_the_maker_is_switched_off_in_words(fake_provider, maker):
    for model, name in (("flux-2-flex", "prompt_upsampling"), ("flux-3-image", "grounding")):
        assert body_of(fake_provider, maker, smallest(model))[name] is False
        assert body_of(fake_provider, maker, smallest(model, **{name: True}))[name] is True
    assert "prompt_upsampling" not in body_of(fake_provider, maker, smallest("flux-pro-1.1"))


def test_flux_3_gets_a_list_of_images_and_no_field_that_it_does_not_know(fake_provider, maker):
    known = {"prompt", "images", "aspect_ratio", "resolution", "safety_tolerance", "grounding", "version"}
    body = body_of(
        fake_provider,
        maker,
        smallest("flux-3-image", "image", "reference", resolution="2k", safety_tolerance=4),
    )
    assert body.keys() <= known
    assert [base64.b64decode(text) for text in body["images"]] == [picture("png", (320, 256))] * 2
    assert "images" not in body_of(fake_provider, maker, smallest("flux-3-image"))


def test_an_answer_without_an_id_is_no_order(fake_provider, maker):
    for sent in (
        error(200, {"polling_url": "https://api.bfl.ai/v1/get_result?id=1"}),
        ordered(id="../v1/credits"),
        response(200, b"<html>"),
        error(200, [ID]),
    ):
        fake_provider.plan = [sent]
        with pytest.raises(Unknown) as caught:
            maker.submit(smallest(), timeout=5)
        assert_readable(caught.value)


def test_the_cost_that_the_maker_names_is_that_of_the_result(fake_provider, maker, gateway):
    for account, cost in ((maker, 450), (gateway, None)):  # a gateway passes it on and bills its own
        fake_provider.plan = [ordered(cost=4.5), ready()]
        accepted = account.submit(smallest(), timeout=5)
        stored = Task(ID, accepted.task.poll_url, json.loads(json.dumps(dict(accepted.task.state))))
        assert account.poll(stored, timeout=5).cost == cost


# Where a task is asked for ---------------------------------------------------------------

MAKER, EU = "https://api.bfl.ai", "https://api.eu2.bfl.ai/v1/get_result?id=1"
FOLLOWED = [
    (EU, MAKER),
    (EU, "https://api.us.bfl.ai"),
    ("https://api.bfl.ai:443/v1/get_result?id=1", "https://api.bfl.ml"),
    ("http://127.0.0.1:8090/v1/get_result?id=1", "http://127.0.0.1:8090"),
    ("https://relay.example/flux/v1/get_result?id=1", "https://relay.example/flux"),
]
NOT_FOLLOWED = [
    ("", MAKER),
    (EU, "http://127.0.0.1:8090"),  # the key of a sandbox stays in the sandbox
    (EU, "https://relay.example/flux"),
    ("http://api.eu2.bfl.ai/v1/get_result?id=1", MAKER),
    ("https://api.eu2.bfl.ai:8443/v1/get_result?id=1", MAKER),
    ("https://api.bfl.ai.example/v1/get_result?id=1", MAKER),
    ("https://api.evil.example/v1/get_result?id=1", MAKER),
    ("https://delivery-eu1.bfl.ai/v1/get_result?id=1", MAKER),
    ("https://api.bfl.ai@evil.example/v1/get_result?id=1", MAKER),
    ("https://evil.example\\@api.bfl.ai/v1/get_result?id=1", MAKER),
    ("https://api.bfl.ai\t.evil.example/", MAKER),
    ("//api.bfl.ai/v1/get_result?id=1", MAKER),
    ("https://[api.bfl.ai/", MAKER),
    ("http://127.0.0.1:8091/v1/get_result?id=1", "http://127.0.0.1:8090"),
    ("https://relay.example/sd/v1/get_result?id=1", "https://relay.example/flux"),
    ("https://relay.example/flux/../sd/x", "https://relay.example/flux"),
    ("https://relay.example/flux/%2e%2e/sd/x", "https://relay.example/flux"),
]


@pytest.mark.parametrize(("poll_url", "base"), FOLLOWED)
def test_a_polling_address_is_followed_where_the_key_belongs(poll_url, base):
    place, path = bfl_tasks.address_of(Task(ID, poll_url), base, at_gateway=False)
    assert place + path == poll_url
    assert path.startswith("/")


@pytest.mark.parametrize(("poll_url", "base"), NOT_FOLLOWED)
def test_else_the_task_is_asked_for_at_the_account_itself(poll_url, base):
    found = bfl_tasks.address_of(Task(ID, poll_url), base, at_gateway=False)
    assert found == (base, f"/v1/get_result?id={ID}")


def test_a_gateways_key_never_goes_to_the_maker():
    assert bfl_tasks.address_of(Task(ID, EU), MAKER, at_gateway=True) == (MAKER, f"/v1/get_result?id={ID}")
    below = f"{MAKER}/v1/get_result?id=1"
    assert "".join(bfl_tasks.address_of(Task(ID, below), MAKER, at_gateway=True)) == below


def test_a_polling_address_below_the_account_is_really_asked(fake_provider, maker):
    address = f"{fake_provider.address}/v1/get_result?id={ID}&cluster=2"
    fake_provider.plan = [ordered(polling_url=address), ready()]
    maker.poll(maker.submit(smallest(), timeout=5).task, timeout=5)
    assert fake_provider.requests[-1].path == f"/v1/get_result?id={ID}&cluster=2"
    assert fake_provider.requests[-1].headers["x-key"] == KEY


# How a task is ---------------------------------------------------------------------------


def test_a_finished_task_has_the_address_of_its_picture_and_its_seed(fake_provider, maker):
    fake_provider.plan = [ready()]
    [output] = maker.poll(TASK, timeout=5).outputs
    assert (output.url, output.seed, output.data) == (SAMPLE, 77, b"")


def test_a_result_without_a_seed_has_that_of_the_order(fake_provider, maker):
    fake_provider.plan = [ordered(), ready(seed=None)]
    accepted = maker.submit(smallest(seed=99), timeout=5)
    assert maker.poll(accepted.task, timeout=5).outputs[0].seed == 99


@pytest.mark.parametrize("word", ["Pending", "Reasoning", "Generating", "Dreaming", "queued"])
def test_every_word_that_is_no_end_means_that_it_runs(fake_provider, maker, word):
    fake_provider.plan = [state(word, progress=0.4)]
    again = maker.poll(TASK, timeout=5)
    assert isinstance(again, Accepted)
    assert (again.task, again.poll_after, again.progress) == (TASK, 2.0, 40)


def test_reasoning_is_shown_in_words(fake_provider, maker):
    fake_provider.plan = [state("Reasoning"), state("Dreaming of <b>boats</b>"), state("Pending")]
    said = [maker.poll(TASK, timeout=5).message for _ in range(3)]
    assert said == ["The model thinks about the picture.", "Dreaming of boats", ""]


@pytest.mark.parametrize("http", [200, 422, 503])
def test_a_moderated_input_ends_the_task_as_that(fake_provider, maker, http):
    details = {"Moderation Reasons": ["Safety Filter"]}
    fake_provider.plan = [state("Request Moderated", http, details=details)]
    with pytest.raises(Refused, match=r"refused this prompt \(content\): Safety Filter") as caught:
        maker.poll(TASK, timeout=5)
    assert caught.value.code == "content_moderation"
    assert_readable(caught.value)


def test_a_moderated_input_may_be_the_image(fake_provider, maker):
    fake_provider.plan = [ordered(), state("Request Moderated")]
    accepted = maker.submit(smallest("flux-pro-1.1", "image"), timeout=5)
    with pytest.raises(Refused, match="the prompt or an image"):
        maker.poll(accepted.task, timeout=5)


@pytest.mark.parametrize("http", [200, 422])
def test_a_moderated_result_is_withheld(fake_provider, maker, http):
    fake_provider.plan = [state("Content Moderated", http)]
    done = maker.poll(TASK, timeout=5)
    assert (done.filtered, done.kept) == (True, ())


@pytest.mark.parametrize("http", [200, 422, 500, 503])
def test_a_task_that_failed_ends_whatever_the_status_of_the_answer(fake_provider, maker, http):
    fake_provider.plan = [state("Error", http, details="out of memory")]
    with pytest.raises(Refused, match="could not draw the picture: out of memory") as caught:
        maker.poll(TASK, timeout=5)
    assert_readable(caught.value)


@pytest.mark.parametrize(
    "sent",
    [state("Task not found"), state("Task not found", 404), error(404, {"detail": "x"}), response(202)],
)
def test_a_task_that_its_host_does_not_know_yet_is_asked_for_again(fake_provider, maker, sent):
    fake_provider.plan = [ordered(), sent]
    accepted = maker.submit(smallest(), timeout=5)
    assert isinstance(maker.poll(accepted.task, timeout=5), Accepted)


def test_a_task_that_is_still_unknown_after_a_minute_is_lost(fake_provider, maker):
    old = Task(ID, state={"ordered_at": time.time() - 61})
    fake_provider.plan = [state("Task not found")]
    with pytest.raises(Unknown) as caught:
        maker.poll(old, timeout=5)
    assert caught.value.code == "result_lost"
    fake_provider.plan = [error(404, {"detail": "Not Found"})]  # which may be of a server in between
    with pytest.raises(Unknown) as caught:
        maker.poll(old, timeout=5)
    assert caught.value.code != "result_lost"


NOT_LAST = [
    (response(404, b"<html>"), Unknown),
    (response(422, b"<html>"), Unknown),
    (error(422, {"detail": [{"loc": ["query", "id"], "msg": "bad", "type": "uuid_parsing"}]}), Unknown),
    (error(503, {"status": "error", "message": "upstream"}), Unknown),  # a gateway's own word
    (error(503, {"detail": "overloaded"}), Busy),
    (error(500, {"detail": "oops"}), Unknown),
    (error(429, {"detail": "slow down"}), Busy),
    (response(502, b"<html>"), Unknown),
    (response(524, b"<html>"), Unknown),
    (response(403, b"<html>"), Unknown),
    (error(403, {"detail": "Not authenticated"}), Unavailable),
    (error(402, {"detail": "Insufficient credits"}), Unavailable),
    (response(302, location="https://elsewhere.example/"), Unknown),
    (response(200, b"not json"), Unknown),
    (error(200, {"error": {"message": "no", "code": "do_request_failed"}}), Unknown),
    (state("Ready"), Unknown),
    (ready(sample=7), Unknown),
    (ready(sample="file:///etc/passwd"), Unknown),
    (ready(sample="https://a.example/" + "x" * 9_000), Unknown),
]


@pytest.mark.parametrize(("sent", "kind"), NOT_LAST)
def test_nothing_else_ends_a_task(fake_provider, maker, sent, kind):
    fake_provider.plan = [sent]
    with pytest.raises(ProviderError) as caught:
        maker.poll(TASK, timeout=5)
    assert type(caught.value) is kind
    assert caught.value.code != "result_lost"
    assert_readable(caught.value)


def test_huge_and_hostile_answers_end_no_task(fake_provider, maker):
    for body in (b'{"id": "%s", "status": "Error", "x": "%s"}' % (ID.encode(), b"y" * 70_000), b"[" * 60_000):
        fake_provider.plan = [response(200, body)]
        with pytest.raises(Unknown):
            maker.poll(TASK, timeout=5)


# Balance ---------------------------------------------------------------------------------


def test_the_balance_is_in_credits(fake_provider, maker):
    fake_provider.plan = [error(200, {"credits": 1234.5})]
    assert maker.balance(timeout=5) == 1234.5
    assert fake_provider.requests[-1].path == "/v1/credits"


def test_a_gateway_without_a_balance_has_its_key_tried_with_an_order_that_nobody_can_fulfil(
    fake_provider, gateway
):
    missing = error(422, {"detail": [{"loc": ["body", "image"], "msg": "Field required", "type": "missing"}]})
    no_channel = error(503, {"error": {"message": "no available channel", "code": "model_not_found"}})
    for answer in (missing, no_channel):
        fake_provider.plan = [response(404), answer]
        assert gateway.balance(timeout=5) is None
        asked = fake_provider.requests[-1]
        assert (asked.method, asked.json) == ("POST", {})
        assert asked.path == "/flux/v1/flux-pro-1.0-fill", "which cannot be drawn without an image"
    fake_provider.plan = [response(404), error(401, {"error": {"message": "no", "type": "new_api_error"}})]
    with pytest.raises(Unavailable):
        gateway.balance(timeout=5)


def test_a_wrong_key_is_said_by_the_free_question(fake_provider, maker):
    fake_provider.plan = [error(403, {"detail": "Not authenticated"})]
    with pytest.raises(Unavailable, match="Not authenticated"):
        maker.balance(timeout=5)


# The account -----------------------------------------------------------------------------


def test_results_come_from_the_makers_storage_or_the_accounts_own_host():
    hosts = Flux("https://relay.example/flux", KEY, at_gateway=True).result_hosts
    assert hosts == (".bfl.ai", ".blob.core.windows.net", "relay.example")


def test_the_key_is_in_no_text(maker):
    assert KEY not in repr(maker) + repr(vars(maker)["_api"])


def test_a_model_of_another_system_is_refused(maker):
    with pytest.raises(Refused):
        maker.submit(smallest().__class__("core", {"prompt": "x"}), timeout=5)


ERRORS = [
    (error(400, {"detail": "image over 16 megapixels"}), Refused, "image over 16 megapixels"),
    (
        error(422, {"detail": [{"loc": ["body", "width"], "msg": "Input should be less", "type": "x"}]}),
        Refused,
        "width: Input should be less",
    ),
    (error(401, {"error": "invalid_api_key", "message": "no"}), Unavailable, "does not accept the key"),
    (error(402, {"detail": "Insufficient credits"}), Unavailable, "no credits left"),
    (error(403, {"detail": "Not authenticated"}), Unavailable, "Not authenticated"),
    (response(403, b"<html>Forbidden</html>"), Refused, "HTTP 403"),
    (error(404, {"detail": "Not Found"}), ModelUnavailable, "nothing at this address"),
    (error(429, {"detail": "too many"}), Busy, "pause"),
    (error(500, {"detail": "Internal Server Error"}), Unknown, "HTTP 500"),
    (response(500, b"Internal Server Error"), Unknown, "HTTP 500"),
    (error(503, {"detail": "overloaded"}), Busy, "trouble"),
    (response(503, b"<html>"), Unknown, "lost"),
    (response(524, b"<html>"), Unknown, "lost"),
    (
        error(403, {"error": {"message": "no", "type": "new_api_error", "code": "insufficient_user_quota"}}),
        Unavailable,
        "cannot be used now",
    ),
    (
        error(503, {"error": {"message": "no", "type": "new_api_error", "code": "no_available_channel"}}),
        ModelUnavailable,
        "does not have this model",
    ),
    (error(404, {"error": {"message": "Invalid URL (POST /flux/v1/x)"}}), ModelUnavailable, "nothing at"),
    (response(302, location="https://elsewhere.example/"), ModelUnavailable, "redirect"),
]


@pytest.mark.parametrize(("sent", "kind", "words"), ERRORS)
def test_every_error_of_an_order_becomes_one_of_five(fake_provider, maker, gateway, sent, kind, words):
    for account in (maker, gateway):
        fake_provider.plan = [sent]
        with pytest.raises(ProviderError, match=words) as caught:
            account.submit(smallest(), timeout=5)
        assert type(caught.value) is kind
        assert_readable(caught.value)


def test_an_error_about_an_image_names_it_as_the_form_does(fake_provider, maker):
    fake_provider.plan = [error(422, {"detail": [{"loc": ["body", "input_image_2"], "msg": "too small"}]})]
    with pytest.raises(Refused, match="“More images”: too small"):
        maker.submit(smallest("flux-kontext-pro", "image", "reference"), timeout=5)


def test_too_many_tasks_are_tried_again_soon(fake_provider, maker):
    for headers, seconds in (({}, 10.0), ({"retry_after": "3"}, 3.0)):
        fake_provider.plan = [error(429, {"detail": "too many tasks"}, **headers)]
        with pytest.raises(Busy) as caught:
            maker.submit(smallest(), timeout=5)
        assert (caught.value.limited, caught.value.retry_after) == (True, seconds)


def test_an_order_is_sent_once_and_a_connection_that_was_refused_costs_nothing(fake_provider, maker):
    fake_provider.plan = [response(200, b'{"id"', content_length="900")]
    with pytest.raises(Unknown):
        maker.submit(smallest(), timeout=5)
    assert len(fake_provider.requests) == 1
    with pytest.raises(Busy):
        Flux("http://127.0.0.1:1", KEY).submit(smallest(), timeout=5)
