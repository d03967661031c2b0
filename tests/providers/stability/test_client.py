"""Requests to the provider: all parameters in the right format, and nothing else."""

from __future__ import annotations

import pytest

from generations.providers import open_provider
from generations.providers.base import ImageRequest, ModelUnavailable, Refused
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Number
from tests.providers.fake_provider import KEY, FakeProvider, make_image, response
from tests.providers.specification import FORMATS, RATIOS, STYLES

MODELS = catalogue_registry.names_of_system("stability")
V2BETA = [name for name in MODELS if name != "sdxl"]
SD3 = [name for name in V2BETA if name.startswith("sd3")]
WITH_IMAGE = ["ultra", *SD3]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prefix", ["", "/", "/sd", "/sd/"])
def test_a_prompt_alone_is_enough_at_the_official_host_and_at_a_gateway(fake_provider, model, prefix):
    provider = open_provider("stability", fake_provider.address + prefix, KEY)
    done = provider.submit(ImageRequest(model, {"prompt": "a harbour"}), timeout=5)
    assert done.outputs[0].data == make_image()
    [request] = fake_provider.requests
    assert request.path.startswith(prefix.rstrip("/") + "/v")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["stability-client-id"] == "sdweb"


@pytest.mark.parametrize("model", V2BETA)
def test_v2beta_receives_exactly_the_given_fields(fake_provider, draw, model):
    draw(model)
    sd3 = {"mode": "text-to-image", "model": model} if model in SD3 else {}
    assert fake_provider.requests[0].texts == {"prompt": "a harbour"} | sd3


@pytest.mark.parametrize("model", MODELS)
def test_every_shape_style_and_format_is_accepted(fake_provider, draw, model):
    for shape in sorted(RATIOS):
        draw(model, aspect_ratio=shape)
    for style in sorted(STYLES):
        draw(model, style_preset=style)
    for kind in catalogue_registry.get(model).formats:
        options = {"output_format": kind} if model != "sdxl" else {}
        done = draw(model, **options)
        assert done.outputs[0].media_type == f"image/{kind}"
    assert len(fake_provider.requests) == 9 + 17 + (1 if model == "sdxl" else len(FORMATS))
    assert not fake_provider.problems


@pytest.mark.parametrize("model", MODELS)
def test_both_ends_of_every_range_are_sent(fake_provider, draw, model):
    declared = catalogue_registry.get(model)
    image = make_image() if declared.input("image") else None
    base = {"strength": 0.5} if image else {}
    numbers = [field for field in declared.fields if isinstance(field, Number)]
    for field in numbers:
        for value in (field.minimum or field.step * (field.name != "strength"), field.maximum):
            draw(model, image, **base | {field.name: value})
            request = fake_provider.requests[-1]
            sent = request.json[field.name] if model == "sdxl" else request.texts[field.name]
            assert float(sent) == value
    for name in ("prompt", "negative_prompt"):
        for text in ("x", "é" * declared.field(name).max_length):
            draw(model, image, **base | {name: text})
    assert not fake_provider.problems


@pytest.mark.parametrize("model", WITH_IMAGE)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_start_image_is_sent_with_its_strength(fake_provider, draw, model, kind):
    draw(model, make_image(kind), strength=0.0, aspect_ratio="16:9")
    request = fake_provider.requests[0]
    assert request.parts["image"].body == make_image(kind)
    assert request.texts["strength"] == "0"
    assert ("aspect_ratio" in request.texts) == (model == "ultra")


def test_small_numbers_have_no_exponent(fake_provider, draw):
    draw("ultra", make_image(), strength=0.00001)
    assert fake_provider.requests[0].texts["strength"] == "0.00001"


def test_sdxl_gets_its_negative_prompt_as_a_negative_weight_and_its_shape_in_pixels(fake_provider, draw):
    draw("sdxl", negative_prompt="people", aspect_ratio="4:5", steps=50, seed=4_294_967_295, cfg_scale=0.0)
    assert fake_provider.requests[0].json == {
        "text_prompts": [{"text": "a harbour", "weight": 1}, {"text": "people", "weight": -1}],
        "width": 896,
        "height": 1152,
        "steps": 50,
        "seed": 4_294_967_295,
        "cfg_scale": 0,
    }


def test_unusual_texts_arrive_unchanged(fake_provider, draw):
    words = (
        'a "quoted"\nline — naïve 🌊\r\n--boundary\r\nContent-Disposition: form-data; name="seed"\r\n\r\n5'
    )
    draw("core", prompt=words)
    draw("sdxl", prompt=words)
    assert fake_provider.requests[0].texts == {"prompt": words.replace("\r\n", "\n")}
    assert fake_provider.requests[1].json["text_prompts"][0]["text"] == words.replace("\r\n", "\n")


def test_an_invalid_value_is_never_sent(fake_provider, draw):
    for model, image, values in [
        ("core", make_image(), {}),
        ("core", None, {"cfg_scale": 3}),
        ("ultra", make_image(), {}),
        ("dall-e", None, {}),
        ("sd3.5-", None, {}),
    ]:
        with pytest.raises(Refused):
            draw(model, image, **values)
    assert not fake_provider.requests


def test_every_call_opens_a_new_connection(fake_provider, draw):
    for _ in range(3):
        draw()
    assert fake_provider.connections == 3


def test_the_balance_is_requested_with_the_key(fake_provider, provider):
    fake_provider.plan = [b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"credits": 0.41}']
    assert provider.balance(timeout=2) == 0.41
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("GET", "/v1/user/balance")
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_neither_the_environment_nor_cookies_reach_the_provider(fake_provider, draw, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    draw()
    draw()
    assert {request.headers["authorization"] for request in fake_provider.requests} == {f"Bearer {KEY}"}
    assert not any("cookie" in request.headers for request in fake_provider.requests)


def test_a_redirect_is_not_followed(fake_provider, draw):
    elsewhere = FakeProvider()
    fake_provider.plan = [response(307, location=f"{elsewhere.address}/v2beta/stable-image/generate/core")]
    with pytest.raises(ModelUnavailable, match="redirect"):
        draw()
    elsewhere.close()
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.stability.ai",
        "ftp://host",
        "https://",
        "https://user:word@host",
        "https://@host",
        "https://host?x=1",
        "https://host/#x",
        "https://ho st",
        "https://host:99999",
        "https://host/a\nb",
        "file:///etc/passwd",
        "https://.",
    ],
)
def test_an_invalid_base_url_is_refused(address):
    with pytest.raises(ValueError, match=r"^(Give|The) .+\.$"):
        open_provider("stability", address, KEY)


@pytest.mark.parametrize("key", ["", "  ", "sk-a b", "sk-a\r\nX: y", "sk-é"])
def test_an_invalid_key_is_refused_and_not_in_the_error(key):
    with pytest.raises(ValueError, match="key") as caught:
        open_provider("stability", "https://host", key)
    assert not key.strip() or key not in str(caught.value)


def test_an_unknown_kind_of_provider_is_refused():
    with pytest.raises(ValueError, match="stability"):
        open_provider("magic", "https://host", KEY)


def test_repr_has_the_base_url_and_not_the_key(provider):
    assert KEY not in repr(provider) + str(provider)
    assert "127.0.0.1" in repr(provider)
