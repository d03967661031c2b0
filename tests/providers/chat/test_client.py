"""Requests of pictures through chat completions."""

from __future__ import annotations

import base64
import json

import pytest

from generations.providers import open_provider
from generations.providers.base import ImageRequest, InputImage, Refused, Task
from generations.providers.catalogue import registry as catalogue_registry
from tests.providers.chat.test_answers import LINK, whole
from tests.providers.fake_provider import KEY, make_image

MODELS = catalogue_registry.names_of_system("chat")
PHOTO = InputImage("image", make_image("jpeg"), "image/jpeg")


@pytest.fixture
def sent(fake_provider):
    """What is sent for a request: sent(model, inputs=(...), prompt="...")."""

    def sent(model=MODELS[0], *, inputs=(), prefix="", **parameters):
        fake_provider.plan = [whole(f"![x]({LINK})")]
        provider = open_provider("chat", fake_provider.address + prefix, KEY)
        provider.submit(ImageRequest(model, {"prompt": "a harbour"} | parameters, tuple(inputs)), timeout=5)
        request = fake_provider.requests[-1]
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert (request.method, request.path) == ("POST", "/v1/chat/completions")
        return json.loads(request.body)

    return sent


@pytest.mark.parametrize("model", MODELS)
def test_the_prompt_is_the_message(sent, model):
    message = {"role": "user", "content": "a harbour"}
    assert sent(model) == {"model": model, "messages": [message], "stream": True}


def test_the_address_may_be_given_with_its_version(sent):
    assert sent(prefix="/v1")


def test_a_shape_is_asked_for_in_words(sent):
    assert sent(aspect_ratio="16:9")["messages"][0]["content"] == "a harbour\n\nAspect ratio: 16:9"


def test_pictures_are_parts_of_the_message_in_their_order(sent):
    picture = InputImage("image", make_image(), "image/png")
    [text, first, second] = sent(inputs=(PHOTO, picture))["messages"][0]["content"]
    assert text == {"type": "text", "text": "a harbour"}
    for part, image in ((first, PHOTO), (second, picture)):
        head, data = part["image_url"]["url"].split(",")
        assert (head, base64.b64decode(data)) == (f"data:{image.media_type};base64", image.data)


def test_a_gateway_is_asked_for_its_own_name_of_a_model(fake_provider):
    fake_provider.plan = [whole(f"![x]({LINK})")]
    request = ImageRequest(MODELS[0], {"prompt": "a harbour"}, wire_name="sora_image")
    open_provider("chat", fake_provider.address, KEY).submit(request, timeout=5)
    assert json.loads(fake_provider.requests[-1].body)["model"] == "sora_image"


def test_there_are_no_tasks_and_no_key_in_the_representation():
    chat = open_provider("chat", "https://gateway.example", KEY)
    with pytest.raises(Refused):
        chat.poll(Task("1"), timeout=5)
    assert KEY not in repr(chat)
