"""The portal's client against the sandbox: every model of Flux, and every field at both ends of its range."""

from __future__ import annotations

import time

import pytest
import requests

from generations.providers import fetch_result
from generations.providers.base import Accepted, Busy, Done, Refused, Unavailable, Unknown
from generations.providers.bfl.client import Flux
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Flag, Number, Text
from tests.providers.bfl.requests import smallest
from tests.sandbox.conftest import opened
from tests.sandboxes import KEY

MODELS = catalogue_registry.names_of_system("bfl")
PLACES = {"": False, "/flux": True, "/bfl": True}  # whether it is a gateway's


@pytest.fixture(params=PLACES)
def account(request, client):
    return Flux(client.sandbox.url + request.param, KEY, at_gateway=PLACES[request.param])


@pytest.fixture
def maker(client):
    return Flux(client.sandbox.url, KEY)


def finished(account, request):
    """The result of an order; a task is drawn at once, without the seconds between polls."""
    result = account.submit(request, timeout=30)
    deadline = time.monotonic() + 30
    while isinstance(result, Accepted) and time.monotonic() < deadline:
        time.sleep(0.02)
        result = account.poll(result.task, timeout=30)
    assert isinstance(result, Done)
    return result


def fetched(account, done):
    return fetch_result.fetch(done.outputs[0], hosts=account.result_hosts, allow_private=True)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_drawn_fetched_and_paid(account, client, model):
    client.sandbox.state(strict=True)
    before = account.balance(timeout=10)
    done = finished(account, smallest(model))
    output = fetched(account, done)
    assert opened(output.data).size == (output.width, output.height)
    paid = round((before - account.balance(timeout=10)) * 100)
    assert paid == catalogue_registry.get(model).cost({})
    assert done.cost in (paid, None)
    assert client.sandbox.state()["keys_at_results"] == 0


@pytest.mark.parametrize("model", MODELS)
def test_every_value_of_every_field_is_taken(maker, client, model):
    client.sandbox.state(strict=True, task_latency=0)
    declared = catalogue_registry.get(model)
    for field in declared.fields:
        match field:
            case Number():
                values = [max(field.minimum, 1) if field.absent else field.minimum, field.maximum]
            case Choice():
                values = list(field.values)
            case Flag():
                values = [True]
            case Text():
                values = ["x", "word " * (field.max_length // 5)]
        for value in values:
            images = ["image"] if field.name == "image_prompt_strength" else []
            finished(maker, smallest(model, *images, **{field.name: value}))


def test_a_size_that_the_form_shows_is_that_of_the_picture(maker):
    for shape in ("16:9", "9:21"):
        output = fetched(maker, finished(maker, smallest(aspect_ratio=shape)))
        assert (output.width, output.height) == catalogue_registry.get("flux-pro-1.1").size(shape)


def test_only_the_key_of_its_own_header_is_taken(client):
    at_maker, at_gateway = client.sandbox.url, f"{client.sandbox.url}/flux"
    for base, is_gateway in ((at_maker, True), (at_gateway, False)):
        with pytest.raises(Unavailable):
            Flux(base, KEY, at_gateway=is_gateway).balance(timeout=10)
    with pytest.raises(Unavailable, match="Not authenticated"):
        Flux(at_maker, "another", at_gateway=False).submit(smallest(), timeout=10)


def test_what_is_out_of_range_is_refused_in_the_makers_words(client):
    headers = {"x-key": KEY}
    for body, field, kind in (
        ({"width": 1000}, "width", "multiple_of"),
        ({"height": 2048}, "height", "less_than_equal"),
        ({"safety_tolerance": 7}, "safety_tolerance", "less_than_equal"),
        ({"seed": "7"}, "seed", "integer_type"),
        ({"image_prompt": "????"}, "image_prompt", "value_error"),
    ):
        answer = requests.post(
            f"{client.sandbox.url}/v1/flux-pro-1.1", json=body, headers=headers, timeout=10
        )
        assert answer.status_code == 422
        [problem] = answer.json()["detail"]
        assert (problem["loc"], problem["type"]) == (["body", field], kind)


def test_a_key_at_the_address_of_a_result_is_refused_and_counted(client, maker):
    [output] = finished(maker, smallest()).outputs
    for headers in ({"x-key": KEY}, {"authorization": f"Bearer {KEY}"}):
        assert requests.get(output.url, headers=headers, timeout=10).status_code == 403
    assert client.sandbox.state()["keys_at_results"] == 2
    assert requests.get(output.url, timeout=10).status_code == 200


def test_an_address_expires(client, maker):
    client.sandbox.state(result_lifetime=0)
    done = finished(maker, smallest())
    client.sandbox.state(result_lifetime=600)
    with pytest.raises(fetch_result.FetchFailed, match="expired") as caught:
        fetched(maker, done)
    assert not caught.value.again


@pytest.mark.parametrize(
    ("outcome", "kind", "words"),
    [
        ("task-moderated", Refused, "content"),
        ("task-failed", Refused, "could not draw"),
        ("task-failed:422", Refused, "could not draw"),
        ("task-failed:503", Refused, "could not draw"),
        ("402", Unavailable, "no credits"),
        ("429:7", Busy, "pause"),
        ("500", Unknown, "HTTP 500"),
        ("drop", Unknown, "broke"),
        ("poll-500", Unknown, "HTTP 500"),
        ("poll-502-html", Unknown, "HTTP 502"),
    ],
)
def test_what_is_planned_is_what_the_client_says(client, maker, outcome, kind, words):
    client.sandbox.plan(outcome)
    with pytest.raises(kind, match=words):
        finished(maker, smallest())


def test_a_flagged_prompt_is_refused_by_its_task_and_not_paid(client, maker):
    before = maker.balance(timeout=10)
    with pytest.raises(Refused, match="Safety Filter"):
        finished(maker, smallest(prompt="a forbidden thing"))
    assert maker.balance(timeout=10) == before


def test_a_filtered_result_is_withheld(client, maker):
    client.sandbox.plan("filtered")
    assert finished(maker, smallest()).filtered


@pytest.mark.parametrize("outcome", ["poll-404", "poll-202"])
def test_a_task_that_is_not_known_yet_comes_nevertheless(client, maker, outcome):
    client.sandbox.plan(outcome)
    assert finished(maker, smallest()).kept


def test_so_many_tasks_are_under_way_at_most(client, maker):
    client.sandbox.state(task_latency=600)
    for _ in range(6):
        maker.submit(smallest("flux-kontext-max"), timeout=10)
    with pytest.raises(Busy) as caught:
        maker.submit(smallest("flux-kontext-max"), timeout=10)
    assert caught.value.limited
    for _ in range(18):
        maker.submit(smallest(), timeout=10)
    with pytest.raises(Busy):
        maker.submit(smallest(), timeout=10)
