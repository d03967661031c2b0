"""The portal's client against the sandbox: every model, and every field at both ends of its range."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PIL import ImageChops, ImageStat

from generations.providers import open_provider
from generations.providers.base import Accepted, Done, Unknown
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Flag, Number, Text
from tests.providers.smallest_requests import smallest
from tests.sandbox.conftest import OTHER_KEY, opened
from tests.sandboxes import KEY

MODELS = catalogue_registry.names_of_system("stability")
COMPANIONS = {"light_source_strength": {"light_source_direction": "left"}}


@pytest.fixture(params=["", "/sd"])
def account(request, client):
    return open_provider("stability", client.sandbox.url + request.param, KEY)


def finished(account, request):
    """The result of an order; a task is drawn at once, without the seconds between polls."""
    result = account.submit(request, timeout=30)
    deadline = time.monotonic() + 30
    while isinstance(result, Accepted) and time.monotonic() < deadline:
        time.sleep(0.05)
        result = account.poll(result.task, timeout=30)
    assert isinstance(result, Done)
    return result


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_drawn_and_paid(account, client, model):
    before = account.balance(timeout=10)
    [output] = finished(account, smallest(model)).outputs
    assert opened(output.data).size == (output.width, output.height)
    paid = before - account.balance(timeout=10)
    assert round(paid * 100) == catalogue_registry.get(model).cost({})


@pytest.mark.parametrize("model", MODELS)
def test_every_value_of_every_field_is_taken(client, model):
    account = open_provider("stability", client.sandbox.url, KEY)
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
            case _:
                continue
        for value in values:
            beside = COMPANIONS.get(field.name, {})
            from_image = declared.input("image") is not None and field.name != "aspect_ratio"
            order = smallest(model, from_image=from_image, **beside | {field.name: value})
            account.submit(order, timeout=30)


@pytest.mark.parametrize("model", ["upscale-creative", "replace-background-and-relight"])
def test_a_task_is_under_way_then_done_and_belongs_to_its_key(artist, model):
    account = open_provider("stability", artist.sandbox.url, KEY)
    artist.sandbox.state(task_latency=600)
    accepted = account.submit(smallest(model), timeout=30)
    assert isinstance(accepted, Accepted)
    assert isinstance(account.poll(accepted.task, timeout=30), Accepted)
    with pytest.raises(Unknown):
        open_provider("stability", artist.sandbox.url, OTHER_KEY).poll(accepted.task, timeout=30)
    artist.sandbox.state(task_latency=0)


@pytest.mark.parametrize("model", ["sdxl", "sd-1.6"])
def test_v1_keeps_the_image_at_strength_0_and_what_is_black_in_a_mask(artist, model):
    account = open_provider("stability", artist.sandbox.url, KEY)
    request = smallest(model, from_image=True, strength=0.0)
    mask = replace(request.inputs[0], role="mask")
    for order in (request, replace(request, inputs=(*request.inputs, mask))):
        [output] = account.submit(order, timeout=30).outputs
        assert (output.width, output.height) == opened(request.inputs[0].data).size
    near = account.submit(request, timeout=30).outputs[0]
    far = account.submit(smallest(model, from_image=True, strength=1.0, seed=5), timeout=30).outputs[0]
    image = opened(request.inputs[0].data)
    assert distance(near, image) < distance(far, image)


def distance(output, image):
    """How far a result is from an image: the mean difference of their pixels."""
    difference = ImageChops.difference(opened(output.data).convert("RGB"), image.convert("RGB"))
    return sum(ImageStat.Stat(difference).mean)
