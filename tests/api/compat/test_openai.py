"""OpenAI's format, with OpenAI's own client."""

from __future__ import annotations

import base64
import io
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import openai
import pytest
import requests
from django.utils import timezone
from PIL import Image as Pillow

from generations.api.compat import signed_urls as compat_signed_urls
from generations.jobs.models import Batch, Generation
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership
from generations.upstreams.models import Upstream


@pytest.fixture
def connect():
    def make(address, secret, **more):
        return openai.OpenAI(base_url=f"{address}/v1", api_key=secret, max_retries=0, timeout=120, **more)

    return make


@pytest.fixture
def client(portal, secret, connect):
    return connect(portal, secret)


@pytest.fixture
def idle(idle_portal, secret, connect):
    return connect(idle_portal, secret)


def available(member):
    return Membership.objects.get(pk=member.pk).wallet.available


OPENAI_MODELS = ["dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-1-mini", "gpt-image-2.6-flare"]


def test_every_model_of_the_catalogue_and_every_openai_model_name_generates(client, member):
    left = available(member)
    generate = [
        name
        for name in catalogue_registry.names_of_system("stability")
        if Operation.GENERATE in catalogue_registry.get(name).operations
    ]
    assert len(generate) >= 8
    for model in [*generate, *OPENAI_MODELS]:
        response = client.images.generate(model=model, prompt="a harbour", response_format="b64_json")
        Pillow.open(io.BytesIO(base64.b64decode(response.data[0].b64_json))).load()
        assert abs(response.created - time.time()) < 60
        ours = "core" if model in OPENAI_MODELS else model
        assert Image.objects.latest("created_at").model == ours
        left -= catalogue_registry.get(ours).base_cost
        assert available(member) == left


def test_a_model_of_openai_that_an_account_has_is_drawn_by_itself_with_its_own_fields(
    client, member, upstream
):
    Upstream.objects.filter(pk=upstream.pk).update(kind="openai")
    client.images.generate(
        model="gpt-image-2.6-flare", prompt="a harbour", size="1536x1024", quality="low", output_format="webp"
    )
    image = Image.objects.get()
    assert (image.model, image.width, image.height) == ("gpt-image-2.6-flare", 1536, 1024)
    assert (image.parameters["quality"], image.media_type) == ("low", "image/webp")
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="gpt-image-2.6-flare", prompt="a harbour", size="1000x1000")
    assert caught.value.param == "size"


def test_several_images_are_one_batch_and_charged_each(client, member):
    response = client.images.generate(prompt="a harbour", n=3, model="sdxl")
    assert len({entry.url for entry in response.data}) == 3
    assert Batch.objects.get().count == 3
    assert available(member) == 100_00 - 3 * 90


def test_a_signed_url_opens_the_image_without_a_session_until_it_expires(client, monkeypatch):
    [entry] = client.images.generate(prompt="a harbour").data
    image = Image.objects.get()
    response = requests.get(entry.url, timeout=120)
    assert response.status_code == 200
    assert response.headers["content-type"] == image.media_type
    assert "harbour" not in str(response.headers)
    assert Pillow.open(io.BytesIO(response.content)).size == (image.width, image.height)
    query = parse_qs(urlsplit(entry.url).query)
    until, seal = int(query["until"][0]), query["seal"][0]
    assert 3500 < until - time.time() <= 3600
    base = entry.url.partition("?")[0]
    for wrong in (
        f"until={until + 1}&seal={seal}",
        f"until={until}&seal=é",
        "until=9" * 40,
        "",
        f"seal={seal}",
    ):
        assert requests.get(f"{base}?{wrong}", timeout=120).status_code == 404
    other = base.replace(str(image.pk), str(uuid.uuid4()))
    assert requests.get(f"{other}?until={until}&seal={seal}", timeout=120).status_code == 404
    monkeypatch.setattr(compat_signed_urls.time, "time", lambda: until)
    assert requests.get(entry.url, timeout=120).status_code == 404


def test_a_signed_url_of_a_trashed_image_is_not_found(client):
    [entry] = client.images.generate(prompt="a harbour").data
    Image.objects.update(trashed_at=timezone.now())
    assert requests.get(entry.url, timeout=120).status_code == 404


SIZES = [
    ("1024x1024", "1:1"),
    ("512x512", "1:1"),
    ("auto", "1:1"),
    ("1792x1024", "16:9"),
    ("1024x1792", "9:16"),
    ("1536x1024", "3:2"),
    ("1024x1536", "2:3"),
    ("2048x512", "21:9"),
]


def test_a_size_becomes_the_nearest_aspect_ratio_of_the_model(client):
    for size, shape in SIZES:
        client.images.generate(prompt="a harbour", size=size)
        made = Generation.objects.latest("created_at")
        assert made.parameters.get("aspect_ratio", "1:1") == shape, size


def test_fields_that_only_openai_has_are_ignored(client):
    response = client.images.generate(
        prompt="a harbour",
        model="gpt-image-1",
        quality="high",
        style="vivid",
        background="opaque",
        moderation="low",
        output_compression=80,
        output_format="webp",
        user="somebody",
    )
    assert response.data[0].url is None
    assert base64.b64decode(response.data[0].b64_json)[8:12] == b"WEBP"


def test_fields_of_the_catalogue_are_accepted_beside_openais(client):
    ours = {"negative_prompt": "people", "seed": 9, "style_preset": "anime", "aspect_ratio": "4:5"}
    client.images.generate(prompt="a harbour", model="ultra", size="1024x1024", extra_body=ours)
    assert Generation.objects.get().parameters == {"prompt": "a harbour"} | ours


@pytest.mark.parametrize(("number", "count"), [("2", 2), (2.0, 2), ("2.0", 2), ("1", 1), (1.0, 1)])
def test_a_number_may_be_text_or_have_a_point(client, number, count):
    more = {"n": number, "seed": "7", "steps": "30.0", "cfg_scale": "7"}
    made = client.images.generate(prompt="a harbour", model="sdxl", extra_body=more)
    assert len(made.data) == count
    first = Generation.objects.get(position=0)
    assert first.parameters == {
        "prompt": "a harbour",
        "aspect_ratio": "1:1",
        "seed": 7,
        "steps": 30,
        "cfg_scale": 7,
    }


@pytest.mark.parametrize("seed", [-1, "-1", -1.0, 0, "0", "", None])
def test_a_random_seed_may_be_asked_for_in_the_ways_of_other_programs(client, seed):
    client.images.generate(prompt="a harbour", extra_body={"seed": seed})
    assert "seed" not in Generation.objects.get().parameters


REFUSED = [
    ({"prompt": ""}, "prompt"),
    ({"prompt": "x" * 10_001}, "prompt"),
    ({"n": 11}, "n"),
    ({"n": 0}, "n"),
    ({"size": "large"}, "size"),
    ({"size": "0x0"}, "size"),
    ({"response_format": "file"}, "response_format"),
    ({"stream": True}, "stream"),
    ({"extra_body": {"seed": -2}}, "seed"),
    ({"extra_body": {"n": "1.5"}}, "n"),
    ({"extra_body": {"n": True}}, "n"),
    ({"extra_body": {"aspect_ratio": "4:3"}}, "size"),
    ({"extra_body": {"prompt": ["x"]}}, "prompt"),
    ({"extra_body": {"n": {}}}, "n"),
    ({"extra_body": {"model": ["x"]}}, "model"),
]


def test_an_invalid_value_is_named_by_openais_field_name(idle):
    for values, field in REFUSED:
        with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as refused:
            idle.images.generate(**{"prompt": "a harbour"} | values)
        assert refused.value.body["type"] == "invalid_request_error"
        assert refused.value.body["param"] == field
    assert not Generation.objects.exists()


def test_errors_are_the_exceptions_of_openais_client(idle, idle_portal, connect, issue, make_member):
    with pytest.raises(openai.NotFoundError) as refused:
        idle.images.generate(prompt="a harbour", model="nano-banana")
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError) as refused:
        connect(idle_portal, "sk-wrong").images.generate(prompt="a harbour")
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError):
        connect(idle_portal, issue(scopes=["read"])).images.generate(prompt="a harbour")
    with pytest.raises(openai.PermissionDeniedError):
        connect(idle_portal, issue(models=["ultra"])).images.generate(prompt="a harbour", model="core")
    poor = issue(by=make_member("poor", granted=1))
    with pytest.raises(openai.RateLimitError) as refused:
        connect(idle_portal, poor).images.generate(prompt="a harbour")
    assert refused.value.code == "insufficient_quota"
    with pytest.raises(openai.NotFoundError):
        idle.chat.completions.create(model="core", messages=[{"role": "user", "content": "x"}])


@pytest.mark.parametrize("planned", ["403", "filtered"])
def test_a_moderation_refusal_is_a_policy_violation_and_free(client, provider, member, planned):
    provider.plan(planned)
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="a harbour")
    assert refused.value.code == "content_policy_violation"
    assert available(member) == 100_00


def test_of_several_images_those_that_succeeded_are_returned(client, provider, member):
    provider.plan("403")
    assert len(client.images.generate(prompt="a harbour", n=3).data) == 2
    assert available(member) == 100_00 - 2 * catalogue_registry.get("core").base_cost


def test_a_failure_is_not_retried_by_openais_client(portal, secret, provider, monkeypatch):
    monkeypatch.setattr("generations.jobs.engine.outcomes.MAX_BUSY_CALLS", 1)
    provider.plan("500")
    with pytest.raises(openai.InternalServerError):
        openai.OpenAI(base_url=f"{portal}/v1", api_key=secret).images.generate(prompt="a harbour")
    assert Generation.objects.count() == 1


def test_only_models_that_the_token_may_use_are_listed_and_found(idle, idle_portal, connect, issue):
    assert [model.id for model in idle.models.list()] == list(catalogue_registry.names_of_system("stability"))
    assert idle.models.retrieve("ultra").object == "model"
    narrow = connect(idle_portal, issue(models=["core"]))
    assert [model.id for model in narrow.models.list()] == ["core"]
    with pytest.raises(openai.NotFoundError):
        narrow.models.retrieve("ultra")
    with pytest.raises(openai.AuthenticationError):
        connect(idle_portal, "sk-wrong").models.list()
