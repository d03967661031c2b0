"""OpenAI's own Python package against the sandbox: nothing in it may tell the difference."""

from __future__ import annotations

import base64

import openai
import pytest

from tests.sandbox.conftest import encoded, opened, picture
from tests.sandboxes import KEY

MODEL = "gpt-image-2.6-sunburst"
SIZE = (640, 480)


@pytest.fixture
def official(client):
    return openai.OpenAI(base_url=f"{client.sandbox.url}/v1", api_key=KEY, max_retries=0, timeout=30)


def image_of(entry):
    return opened(base64.b64decode(entry.b64_json))


def test_it_generates(official):
    answer = official.images.generate(
        model=MODEL, prompt="a harbour", n=2, size="1536x1024", quality="low", output_format="webp"
    )
    assert [image_of(entry).size for entry in answer.data] == [(1536, 1024)] * 2
    assert (answer.quality, answer.size, answer.output_format) == ("low", "1536x1024", "webp")
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_it_streams(official):
    events = list(
        official.images.generate(
            model=MODEL, prompt="a harbour", quality="low", stream=True, partial_images=1
        )
    )
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert image_of(events[-1]).size == (1024, 1024)


def test_it_edits_one_image_with_a_mask_and_several_without(official):
    mask = opened(picture(SIZE)).convert("RGBA")
    mask.putalpha(0)
    edited = official.images.edit(
        model=MODEL, prompt="a boat", image=picture(SIZE), mask=encoded(mask), quality="low"
    )
    assert image_of(edited.data[0]).size == (1536, 1024)
    combined = official.images.edit(
        model=MODEL, prompt="both", image=[picture(SIZE), picture(SIZE)], quality="low", size="1024x1024"
    )
    assert image_of(combined.data[0]).size == (1024, 1024)
    assert combined.usage.input_tokens_details.image_tokens > edited.usage.input_tokens_details.image_tokens


def test_it_lists_the_models(official):
    assert MODEL in {model.id for model in official.models.list()}


def test_its_exceptions_are_those_of_the_maker(official, client):
    with pytest.raises(openai.BadRequestError) as caught:
        official.images.generate(model=MODEL, prompt="a harbour", response_format="url")
    assert (caught.value.code, caught.value.param) == ("unknown_parameter", "response_format")
    with pytest.raises(openai.BadRequestError) as caught:
        official.images.generate(model=MODEL, prompt="a forbidden harbour")
    assert caught.value.code == "moderation_blocked"
    with pytest.raises(openai.NotFoundError):
        official.images.generate(model="dall-e-3", prompt="a harbour")
    with pytest.raises(openai.AuthenticationError):
        official.with_options(api_key="sk-wrong-key").images.generate(model=MODEL, prompt="a harbour")
    client.sandbox.state(credits=0)
    with pytest.raises(openai.RateLimitError) as caught:
        official.images.generate(model=MODEL, prompt="a harbour")
    assert caught.value.code == "insufficient_quota"
