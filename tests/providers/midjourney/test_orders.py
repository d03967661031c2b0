"""What is sent for each request: paths, keys, JSON and the text of the prompt."""

from __future__ import annotations

import base64
import json

import pytest

from generations.providers import open_provider
from generations.providers.base import (
    Accepted,
    Action,
    Busy,
    ImageRequest,
    ModelUnavailable,
    Refused,
    Unavailable,
    Unknown,
)
from generations.providers.midjourney import prompt_text
from generations.providers.midjourney.client import Midjourney
from tests.providers.fake_provider import KEY, make_image, response
from tests.providers.midjourney.answers import (
    BUTTON,
    CHANGE,
    CUSTOM,
    ID,
    PNG,
    REROLL,
    SMALLEST,
    in_dialect,
    picture,
    refused,
    said,
)

TEXT = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
JPEG = f"data:image/jpeg;base64,{base64.b64encode(make_image('jpeg')).decode()}"


def body(request):
    assert request.headers["content-type"] == "application/json"
    return json.loads(request.body)


SENT = {
    "midjourney": ("/mj/submit/imagine", {"botType": "MID_JOURNEY", "prompt": "a boat"}),
    "niji-journey": ("/mj/submit/imagine", {"botType": "NIJI_JOURNEY", "prompt": "a boat"}),
    "midjourney-blend": ("/mj/submit/blend", {"base64Array": [TEXT, TEXT], "dimensions": "SQUARE"}),
    "midjourney-describe": ("/mj/submit/describe", {"base64": TEXT}),
    "midjourney-shorten": ("/mj/submit/shorten", {"botType": "MID_JOURNEY", "prompt": "a boat"}),
    "insight-face-swap": ("/mj/insight-face/swap", {"sourceBase64": JPEG, "targetBase64": TEXT}),
}


@pytest.mark.parametrize("model", SENT)
def test_each_model_is_ordered_once_and_is_a_task_then(fake_provider, relay, model):
    fake_provider.plan = [said(1, result=ID)]
    order = SMALLEST[model]
    if model == "insight-face-swap":
        face = picture("face", make_image("jpeg"))
        order = ImageRequest(model, {}, (picture(), type(face)("face", face.data, "image/jpeg")))
    accepted = relay.submit(order, timeout=5)
    assert isinstance(accepted, Accepted)
    assert accepted.task.remote_id == ID
    [sent] = fake_provider.requests
    assert (sent.method, sent.path, body(sent)) == ("POST", *SENT[model])


@pytest.mark.parametrize(
    ("dialect", "at_gateway", "header", "value"),
    [
        ("newapi", False, "authorization", f"Bearer {KEY}"),
        ("plus", False, "mj-api-secret", KEY),
        ("original", False, "mj-api-secret", KEY),
        ("newapi", True, "authorization", f"Bearer {KEY}"),
        ("plus", True, "authorization", f"Bearer {KEY}"),
    ],
)
def test_the_key_is_in_the_one_header_of_the_dialect(fake_provider, dialect, at_gateway, header, value):
    fake_provider.plan = [said(1, result=ID)]
    account = Midjourney(fake_provider.address, KEY, at_gateway=at_gateway, dialect=dialect)
    account.submit(SMALLEST["midjourney"], timeout=5)
    headers = fake_provider.requests[0].headers
    assert headers[header] == value
    assert len({"authorization", "mj-api-secret"} & headers.keys()) == 1
    assert KEY not in repr(account)


def test_a_proxy_behind_the_address_of_a_gateway_gets_the_key_as_it_compares_it(fake_provider):
    """The C# software does not take `Bearer` off: what it refused so has taken nothing."""
    fake_provider.plan = [response(401, b"no"), said(1, result=ID), said(1, result=ID)]
    account = Midjourney(fake_provider.address, KEY, at_gateway=True, dialect="plus")
    for _ in range(2):
        account.submit(SMALLEST["midjourney"], timeout=5)
    headers = [request.headers for request in fake_provider.requests]
    assert [each.get("mj-api-secret") for each in headers] == [None, KEY, KEY]
    assert "authorization" not in headers[1]


def test_a_wrong_key_is_wrong_in_both_headers(fake_provider):
    fake_provider.plan = [response(401, b"no"), response(401, b"no"), said(1, result=ID)]
    account = Midjourney(fake_provider.address, KEY, at_gateway=True, dialect="plus")
    with pytest.raises(Unavailable):
        account.submit(SMALLEST["midjourney"], timeout=5)
    account.submit(SMALLEST["midjourney"], timeout=5)
    assert fake_provider.requests[2].headers["authorization"] == f"Bearer {KEY}", "as before"


@pytest.mark.parametrize("base", ["", "/mj", "/mj/", "/mj-fast/mj"])
def test_a_base_url_may_already_end_with_the_path_of_the_interface(fake_provider, base):
    fake_provider.plan = [said(1, result=ID)]
    open_provider("midjourney", fake_provider.address + base, KEY).submit(SMALLEST["midjourney"], timeout=5)
    assert fake_provider.requests[0].path == "/mj/submit/imagine"


@pytest.mark.parametrize("speed", ["relax", "fast", "turbo"])
def test_the_speed_is_the_path_of_the_order_and_of_its_polls(fake_provider, relay, speed):
    fake_provider.plan = [said(1, result=ID), response(200)]
    accepted = relay.submit(ImageRequest("midjourney", {"prompt": "a boat", "speed": speed}), timeout=5)
    with pytest.raises(Unknown):
        relay.poll(accepted.task, timeout=5)
    paths = [request.path for request in fake_provider.requests]
    assert paths == [f"/mj-{speed}/mj/submit/imagine", f"/mj-{speed}/mj/task/{ID}/fetch"]
    assert "--" not in body(fake_provider.requests[0])["prompt"]


def test_the_original_has_no_paths_of_speed_and_reads_it_in_the_prompt(fake_provider):
    fake_provider.plan = [said(1, result=ID)]
    account = open_provider("midjourney", fake_provider.address, KEY, systems=in_dialect("original"))
    account.submit(ImageRequest("midjourney", {"prompt": "a boat", "speed": "fast"}), timeout=5)
    [sent] = fake_provider.requests
    assert (sent.path, body(sent)) == ("/mj/submit/imagine", {"prompt": "a boat --fast"}), "it knows no bots"


@pytest.mark.parametrize("model", ["niji-journey", "midjourney-shorten", "insight-face-swap"])
def test_what_the_original_does_not_have_is_not_sent(fake_provider, model):
    account = open_provider("midjourney", fake_provider.address, KEY, systems=in_dialect("original"))
    with pytest.raises(ModelUnavailable):
        account.submit(SMALLEST[model], timeout=5)
    assert not fake_provider.requests


def test_references_go_with_the_prompt_in_their_order(fake_provider, relay):
    fake_provider.plan = [said(1, result=ID)]
    images = picture("reference"), picture("reference", make_image("png", (80, 80)))
    relay.submit(ImageRequest("midjourney", {"prompt": "a boat", "image_weight": 1.5}, images), timeout=5)
    sent = body(fake_provider.requests[0])
    assert [base64.b64decode(text.partition(",")[2]) for text in sent["base64Array"]] == [
        image.data for image in images
    ]
    assert sent["prompt"] == "a boat --iw 1.5"


def test_the_parameters_stand_behind_the_prompt_as_midjourney_writes_them():
    parameters = {
        "prompt": "a boat\nin a harbour",
        "negative_prompt": "people, birds",
        "aspect_ratio": "3:2",
        "stylize": 250,
        "chaos": 20,
        "weird": 500,
        "raw": True,
        "tile": True,
        "seed": 77,
        "speed": "fast",
    }
    assert prompt_text.of_parameters(parameters) == (
        "a boat in a harbour --no people, birds --ar 3:2 --stylize 250 --chaos 20 --weird 500 --seed 77"
        " --style raw --tile"
    )


@pytest.mark.parametrize("written", ["--ar 1:1", "--aspect 1:1"])
def test_what_a_member_has_written_into_the_prompt_is_not_sent_twice(written):
    text = prompt_text.of_parameters(
        {"prompt": f"a boat {written} --s 50", "aspect_ratio": "3:2", "stylize": 9}
    )
    assert text == f"a boat {written} --s 50"


def test_a_button_is_pressed_and_a_grid_without_buttons_is_changed(fake_provider, relay):
    fake_provider.plan = [said(1, result="1704870023487777")] * 3
    for order in (BUTTON, CHANGE, REROLL):
        assert relay.submit(order, timeout=5).task.remote_id == "1704870023487777"
    sent = [(request.path, body(request)) for request in fake_provider.requests]
    assert sent == [
        ("/mj/submit/action", {"taskId": ID, "customId": CUSTOM}),
        ("/mj/submit/change", {"taskId": ID, "action": "VARIATION", "index": 3}),
        ("/mj/submit/change", {"taskId": ID, "action": "REROLL", "index": 1}),  # the relay wants an index
    ]


@pytest.mark.parametrize(("order", "content"), [(CHANGE, f"{ID} V3"), (REROLL, f"{ID} R")])
def test_where_change_is_not_served_the_simple_change_is(fake_provider, relay, order, content):
    fake_provider.plan = [response(404), said(1, result=ID)]
    relay.submit(order, timeout=5)
    [_, sent] = fake_provider.requests
    assert (sent.path, body(sent)) == ("/mj/submit/simple-change", {"content": content})


def test_a_change_of_an_unknown_task_is_not_tried_in_the_other_form(fake_provider, relay):
    fake_provider.plan = [said(3, "not found", http=404)]
    with pytest.raises(Refused, match="know any more"):
        relay.submit(CHANGE, timeout=5)
    assert len(fake_provider.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        said(21, "Waiting for window confirm", ID, finalPrompt="a boat", remix=True),
        said(1, "Waiting for window confirm", ID),  # as the relay rewrites it
        said(1, "Success", ID, remix=True),
    ],
)
def test_a_window_that_opens_is_answered_with_the_prompt(fake_provider, relay, answer):
    fake_provider.plan = [answer, said(1, result=ID)]
    assert relay.submit(BUTTON, timeout=5).task.remote_id == ID
    sent = fake_provider.requests[1]
    assert (sent.path, body(sent)) == ("/mj/submit/modal", {"taskId": ID, "prompt": "a boat"})


@pytest.mark.parametrize("code", [21, 1])
def test_a_region_is_varied_by_a_window_with_its_mask(fake_provider, relay, code):
    """The relay may say neither by its code nor in words that a window is open."""
    fake_provider.plan = [said(code, "Success", ID), said(1, result=ID)]
    step = Action("vary-region", "Vary a region", {"task": ID, "custom_id": "MJ::Inpaint::1::3dbb::SOLO"})
    inputs = picture(), picture("mask")
    relay.submit(ImageRequest("midjourney-region", {"prompt": "a gull"}, inputs, step), timeout=5)
    sent = fake_provider.requests[1]
    assert sent.path == "/mj/submit/modal"
    assert body(sent) == {"taskId": ID, "prompt": "a gull", "maskBase64": TEXT}


def test_a_picture_is_zoomed_out_by_what_its_window_reads(fake_provider, relay):
    fake_provider.plan = [said(21, "Waiting for window confirm", ID), said(1, result=ID)]
    step = Action("zoom-out", "Zoom out", {"task": ID, "custom_id": "MJ::CustomZoom::3dbb"})
    request = ImageRequest("midjourney-zoom", {"prompt": "a harbour", "zoom": 1.5}, (picture(),), step)
    relay.submit(request, timeout=5)
    assert body(fake_provider.requests[1])["prompt"] == "a harbour --zoom 1.5"


def test_a_window_whose_answer_is_refused_is_refused(fake_provider, relay):
    fake_provider.plan = [said(21, "Waiting for window confirm", ID), said(24, "banned", bannedWord="boat")]
    with pytest.raises(Refused) as caught:
        relay.submit(BUTTON, timeout=5)
    assert caught.value.code == "content_moderation"


def test_a_queued_order_is_taken_and_says_how_many_come_first(fake_provider, relay):
    fake_provider.plan = [said(22, "排队中，前面还有2个任务", ID, numberOfQueues=2)]
    accepted = relay.submit(SMALLEST["midjourney"], timeout=5)
    assert (accepted.task.remote_id, accepted.message) == (ID, "In Midjourney's queue: 2 before it")


def test_a_change_that_was_ordered_before_is_that_task(fake_provider, relay):
    fake_provider.plan = [said(21, "任务已存在", ID, status="SUCCESS", imageUrl="https://example.com/a.png")]
    assert relay.submit(CHANGE, timeout=5).task.remote_id == ID
    assert len(fake_provider.requests) == 1


@pytest.mark.parametrize("prompt", ["a boat", "船" * 3_000, "x" * 6_000])
def test_what_is_kept_of_a_task_fits_whatever_the_prompt(fake_provider, relay, prompt):
    fake_provider.plan = [said(1, result=ID)]
    accepted = relay.submit(ImageRequest("midjourney", {"prompt": prompt}), timeout=5)
    assert len(json.dumps(accepted.task.state)) < 4_000


@pytest.mark.parametrize("result", [ID, int(ID), "d9a3-Kx_77", "0741798445574458"])
def test_an_id_is_kept_as_a_text_whatever_it_looks_like(fake_provider, relay, result):
    fake_provider.plan = [said(1, result=result), response(200)]
    accepted = relay.submit(SMALLEST["midjourney"], timeout=5)
    assert accepted.task.remote_id == str(result)


@pytest.mark.parametrize("result", [None, "", "..", "../../v1/models", "a/b", "a b", True, [ID], "x" * 200])
def test_an_order_without_a_usable_id_may_have_been_bought(fake_provider, relay, result):
    fake_provider.plan = [said(1, result=result)]
    with pytest.raises(Unknown):
        relay.submit(SMALLEST["midjourney"], timeout=5)


@pytest.mark.parametrize(("dialect", "seconds"), [("newapi", 15), ("plus", 5), ("original", 5)])
def test_a_task_is_polled_no_faster_than_its_dialect_asks(fake_provider, dialect, seconds):
    fake_provider.plan = [said(1, result=ID)]
    account = open_provider("midjourney", fake_provider.address, KEY, systems=in_dialect(dialect))
    assert account.submit(SMALLEST["midjourney"], timeout=5).poll_after == seconds


def test_a_dialect_that_is_none_is_the_usual_one(fake_provider):
    fake_provider.plan = [refused("quota_not_enough")]
    with pytest.raises(Unavailable):
        open_provider("midjourney", fake_provider.address, KEY).submit(SMALLEST["midjourney"], timeout=5)
    assert fake_provider.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_connection_that_is_refused_has_ordered_nothing():
    with pytest.raises(Busy):
        open_provider("midjourney", "http://127.0.0.1:1", KEY).submit(SMALLEST["midjourney"], timeout=5)


def test_results_come_from_discord_or_from_the_account_itself():
    hosts = open_provider("midjourney", "https://gateway.example/mj", KEY).result_hosts
    assert hosts == ("cdn.discordapp.com", "media.discordapp.net", "gateway.example")
