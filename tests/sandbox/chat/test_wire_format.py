"""Pictures through chat completions as gateways send them: to OpenAI's package and to the client.

Source: docs/providers/chat-completions.md, "Answers".
"""

from __future__ import annotations

import re

import openai
import pytest
import requests

from generations.providers import open_provider
from generations.providers.base import ModelUnavailable, Refused
from generations.providers.catalogue import registry as catalogue_registry
from tests.providers.smallest_requests import smallest
from tests.sandbox.conftest import opened
from tests.sandboxes import KEY

MODELS = catalogue_registry.names_of_system("chat")
IMAGE = re.compile(r"!\[[^\]]*\]\((http[^)]+)\)")


@pytest.fixture
def official(client):
    return openai.OpenAI(base_url=f"{client.sandbox.url}/v1", api_key=KEY, max_retries=0, timeout=30)


def messages(text="a harbour, 16:9"):
    return [{"role": "user", "content": text}]


def fetched(url):
    return opened(requests.get(url, timeout=10).content)


def test_the_official_package_reads_the_link_at_once(official):
    answer = official.chat.completions.create(model=MODELS[0], messages=messages())
    [url] = IMAGE.findall(answer.choices[0].message.content)
    assert fetched(url).width > fetched(url).height


def test_the_official_package_reads_a_stream_in_which_the_link_is_cut(official):
    chunks = list(official.chat.completions.create(model=MODELS[0], messages=messages(), stream=True))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert not any(IMAGE.search(piece) for piece in pieces)
    assert len(IMAGE.findall("".join(pieces))) == 1
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("model", MODELS)
def test_the_client_finds_one_picture_and_the_call_is_paid(client, model):
    account = open_provider("chat", client.sandbox.url, KEY)
    before = client.sandbox.state()["credits"]
    [output] = account.submit(smallest(model, from_image=True), timeout=30).outputs
    assert fetched(output.url).size == (1024, 1024)
    paid = before - client.sandbox.state()["credits"]
    assert round(paid * 100) == catalogue_registry.get(model).cost({})


def test_a_flagged_prompt_is_refused_in_words_with_status_200(client):
    account = open_provider("chat", client.sandbox.url, KEY)
    with pytest.raises(Refused) as caught:
        account.submit(smallest(MODELS[0], prompt="a forbidden harbour"), timeout=30)
    assert "content policies" in caught.value.reason
    assert client.sandbox.calls(1)[0]["status"] == 200


def test_what_the_gateway_does_not_know_is_refused(official, client):
    with pytest.raises(openai.NotFoundError):
        official.chat.completions.create(model="gpt-image-2", messages=messages())
    with pytest.raises(openai.BadRequestError):
        official.chat.completions.create(model=MODELS[0], messages=messages(), extra_body={"size": "1x1"})
    content = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    with pytest.raises(openai.BadRequestError):
        official.chat.completions.create(model=MODELS[0], messages=[{"role": "user", "content": content}])
    client.sandbox.plan("404-model")
    with pytest.raises(ModelUnavailable):
        open_provider("chat", client.sandbox.url, KEY).submit(smallest(MODELS[0]), timeout=30)
