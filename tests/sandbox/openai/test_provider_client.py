"""The portal's client against the sandbox: every model, and every value of its fields."""

from __future__ import annotations

import pytest

from generations.providers import open_provider
from generations.providers.base import ModelUnavailable, Refused, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Number
from generations.providers.openai.client import OpenAI
from tests.providers.smallest_requests import smallest
from tests.sandbox.conftest import opened
from tests.sandboxes import KEY

MODELS = catalogue_registry.names_of_system("openai")
COMPANIONS = {"output_compression": {"output_format": "webp"}}


@pytest.fixture
def account(client):
    return open_provider("openai", client.sandbox.url, KEY)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("from_image", [False, True])
def test_every_model_is_drawn_and_its_cost_is_what_was_paid(account, client, model, from_image):
    before = client.sandbox.state()["credits"]
    done = account.submit(smallest(model, from_image=from_image), timeout=30)
    [output] = done.outputs
    assert opened(output.data).size == (output.width, output.height)
    assert round((before - client.sandbox.state()["credits"]) * 100) == done.cost > 0


@pytest.mark.parametrize("model", MODELS)
def test_every_value_of_every_field_is_taken(account, model):
    declared = catalogue_registry.get(model)
    for field in declared.fields:
        values = list(field.values) if isinstance(field, Choice) else []
        values = [field.minimum, field.maximum - 1] if isinstance(field, Number) else values
        for value in values:
            request = smallest(model, **COMPANIONS.get(field.name, {}) | {field.name: value})
            [output] = account.submit(request, timeout=30).outputs
            if field.name == "aspect_ratio":
                assert (output.width, output.height) == declared.size(str(value))


def test_a_drawing_is_asked_for_as_svg(account):
    [output] = account.submit(smallest(MODELS[0], output_format="svg"), timeout=30).outputs
    assert (output.kind, output.media_type) == ("svg", "image/svg+xml")


def test_refusals_of_the_account_the_model_and_the_prompt_are_told_apart(account, client):
    with pytest.raises(Refused) as caught:
        account.submit(smallest(MODELS[0], prompt="a forbidden harbour"), timeout=30)
    assert caught.value.code == "moderation_blocked"
    client.sandbox.state(credits=0)
    with pytest.raises(Unavailable):
        account.submit(smallest(MODELS[0]), timeout=30)
    client.sandbox.state(credits=100)
    client.sandbox.plan("404-model")
    with pytest.raises(ModelUnavailable):
        account.submit(smallest(MODELS[0]), timeout=30)


def test_at_a_gateway_the_picture_is_at_an_address_unless_base64_is_asked_for(client):
    by_address = OpenAI(f"{client.sandbox.url}/openai", KEY, at_gateway=True)
    as_base64 = OpenAI(f"{client.sandbox.url}/openai", KEY, at_gateway=True, dialect="b64_json")
    [output] = by_address.submit(smallest(MODELS[0]), timeout=30).outputs
    assert output.url.startswith(client.sandbox.url)
    [output] = as_base64.submit(smallest(MODELS[0]), timeout=30).outputs
    assert opened(output.data).size == (1024, 1024)
