"""Kling's API in the sandbox: each model by the portal's client, and what a strict server refuses."""

from __future__ import annotations

import base64
import time
from dataclasses import replace

import pytest
import requests

from generations.providers import open_provider
from generations.providers.base import Accepted, Busy, InputImage, Refused, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.fetch_result import fetch
from generations.providers.kling import token as kling_token
from tests import sandboxes
from tests.providers.smallest_requests import picture, smallest
from tests.sandbox.conftest import OTHER_KEY
from tests.sandboxes import KEY

MODELS = catalogue_registry.names_of_system("kling")

IMAGE = base64.b64encode(picture("png", (400, 320))).decode()


PAIR = "access:secret-of-the-pair"


@pytest.fixture(scope="module")
def pair():
    with sandboxes.running("--latency", "0", "--task-latency", "0", "--key", PAIR) as sandbox:
        yield sandbox


@pytest.fixture
def account(client):
    client.sandbox.state(strict=True)
    return open_provider("kling", f"{client.sandbox.url}/kling", KEY)


def ended(account, request):
    """What an order brought."""
    answer = account.submit(request, timeout=30)
    assert isinstance(answer, Accepted)
    deadline = time.monotonic() + 30
    while isinstance(answer, Accepted) and time.monotonic() < deadline:
        time.sleep(0.02)
        answer = account.poll(answer.task, timeout=30)
    return answer


def finished(account, request):
    """The first result of an order, fetched from its address, and what it cost."""
    answer = ended(account, request)
    return fetch(answer.outputs[0], hosts=account.result_hosts, allow_private=True), answer.cost


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_drawn_paid_and_fetched_without_a_key(account, client, model):
    before = client.sandbox.state()["credits"]
    request = smallest(model)
    output, cost = finished(account, request)
    assert cost == catalogue_registry.get(model).cost(request.parameters)
    assert round((before - client.sandbox.state()["credits"]) * 100) == cost
    assert output.media_type == "image/png"
    if model == "kling-expand":
        assert (output.width, output.height) == (464, 320)
    assert client.sandbox.state()["keys_at_results"] == 0


@pytest.mark.parametrize("call", ["generations", "omni-image", "editing/expand"])
def test_an_order_of_several_draws_and_costs_as_many(client, call):
    path, before = f"{client.sandbox.url}/kling/v1/images/{call}", client.sandbox.state()["credits"]
    image = {"image": IMAGE, "left_expansion_ratio": 0.5} if call == "editing/expand" else {}
    headers = {"Authorization": f"Bearer {KEY}"}
    order = requests.post(path, json={"prompt": "a boat", "n": 3} | image, headers=headers, timeout=30).json()
    document: dict = {}
    deadline = time.monotonic() + 30
    while document.get("task_status") != "succeed" and time.monotonic() < deadline:
        address = f"{path}/{order['data']['task_id']}"
        document = requests.get(address, headers=headers, timeout=30).json()["data"]
    images = document["task_result"]["images"]
    assert [each["index"] for each in images] == [0, 1, 2]
    assert len({requests.get(each["url"], timeout=30).content for each in images}) == 3
    assert document["final_unit_deduction"] == "24"
    assert round(before - client.sandbox.state()["credits"], 2) == 8.4


def test_every_shape_and_resolution_is_taken(account):
    declared = catalogue_registry.get("kling-v3")
    for shape in declared.field("aspect_ratio").values:
        output, _ = finished(account, smallest("kling-v3", aspect_ratio=shape))
        assert (output.width, output.height) == declared.size(shape)
    output, _ = finished(account, smallest("kling-v3", aspect_ratio="1:1", resolution="2k"))
    assert (output.width, output.height) == (2_048, 2_048)
    finished(account, smallest("kling-v3-omni", aspect_ratio="auto"))
    output, cost = finished(account, smallest("kling-image-o1", aspect_ratio="1:1", resolution="4k"))
    assert (output.width, output.height, cost) == (4_096, 4_096, 560)


def test_a_series_is_as_many_pictures_as_it_says(account):
    answer = ended(account, smallest("kling-v3-omni-series", series_amount="3"))
    files = {fetch(output, hosts=account.result_hosts, allow_private=True).data for output in answer.outputs}
    assert (len(files), answer.cost) == (3, 840)


def test_images_go_with_an_order(account, client):
    finished(account, smallest("kling-v3", from_image=True, image_fidelity=1.0))
    references = tuple(InputImage("reference", picture("png", (400, 320)), "image/png") for _ in range(10))
    finished(account, replace(smallest("kling-image-o1"), inputs=references))
    ordered = [call for call in client.sandbox.calls() if call["method"] == "POST"]
    assert [len(call["files"]) for call in ordered] == [1, 10]


def test_a_task_belongs_to_its_key(artist):
    address = f"{artist.sandbox.url}/kling"
    task = open_provider("kling", address, KEY).submit(smallest("kling-v3"), timeout=10).task
    headers = {"authorization": f"Bearer {OTHER_KEY}"}
    answer = requests.get(f"{address}/v1/images/generations/{task.remote_id}", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (404, 1203)


@pytest.mark.parametrize(
    ("call", "values"),
    [
        ("generations", {"model_name": "kling-v3"}),
        ("generations", {"prompt": "a boat", "model_name": "kling-v3-omni"}),
        ("generations", {"prompt": "x" * 2_501}),
        ("generations", {"prompt": "a boat", "aspect_ratio": "7:1"}),
        ("generations", {"prompt": "a boat", "resolution": "4k"}),
        ("generations", {"prompt": "a boat", "image": "data:image/png;base64,AAAA"}),
        ("generations", {"prompt": "a boat", "seed": 7}),
        ("omni-image", {"prompt": "a boat", "negative_prompt": "fog"}),
        ("omni-image", {"prompt": "a boat", "result_type": "series", "series_amount": 10}),
        ("omni-image", {"prompt": "a boat", "series_amount": 3}),
        ("omni-image", {"prompt": "a boat", "resolution": "8k"}),
        ("editing/expand", {"left_expansion_ratio": 0.5}),
        ("editing/expand", {"image": IMAGE}),
        ("editing/expand", {"image": IMAGE, "left_expansion_ratio": 2.1}),
        ("editing/expand", {"image": IMAGE, "left_expansion_ratio": 1.5, "up_expansion_ratio": 0.5}),
    ],
)
def test_an_invalid_order_is_refused_with_a_code(account, client, call, values):
    url = f"{client.sandbox.url}/kling/v1/images/{call}"
    answer = requests.post(url, headers=client.headers, json=values, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (400, 1201)


def test_an_image_is_expanded_to_three_times_its_area(client):
    url = f"{client.sandbox.url}/kling/v1/images/editing/expand"
    image = base64.b64encode(picture("png", (400, 320))).decode()
    for up, status in ((1, 200), (1.01, 400)):
        values = {"image": image, "up_expansion_ratio": up, "left_expansion_ratio": 0.5}
        answer = requests.post(url, headers=client.headers, json=values, timeout=10)
        assert answer.status_code == status, answer.text
    assert "three times the area" in answer.json()["message"]


@pytest.mark.parametrize(("outcome", "kind"), [("402", Unavailable), ("429:3", Busy), ("403", Refused)])
def test_a_planned_outcome_is_the_error_that_it_means(account, client, outcome, kind):
    client.sandbox.plan(outcome)
    with pytest.raises(kind):
        account.submit(smallest("kling-v3"), timeout=10)


@pytest.mark.parametrize(
    ("outcome", "code"), [("task-moderated", "content_moderation"), ("task-failed", "task_failed")]
)
def test_a_task_may_be_moderated_late_or_fail(account, client, outcome, code):
    client.sandbox.plan(outcome)
    with pytest.raises(Refused) as caught:
        finished(account, smallest("kling-v3"))
    assert caught.value.code == code


def test_a_key_is_tried_without_an_order(account, client):
    assert account.balance(timeout=10) is None
    with pytest.raises(Unavailable):
        open_provider("kling", f"{client.sandbox.url}/kling", "wrong").balance(timeout=10)
    assert client.sandbox.orders() == 0


def test_a_pair_of_keys_signs_a_token_for_every_call(pair, monkeypatch):
    address = f"{pair.url}/kling"
    account = open_provider("kling", address, PAIR)
    assert account.balance(timeout=10) is None
    assert finished(account, smallest("kling-v3"))
    for wrong in ("access:other", "other:secret-of-the-pair", PAIR.partition(":")[2]):
        with pytest.raises(Unavailable):
            open_provider("kling", address, wrong).balance(timeout=10)
    monkeypatch.setattr(kling_token, "LIFETIME", -1)
    with pytest.raises(Unavailable):
        account.balance(timeout=10)
