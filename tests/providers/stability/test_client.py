"""Requests to the provider: all parameters in the right format, and nothing else."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
from PIL import Image

from generations.providers import open_provider
from generations.providers.base import Accepted, ImageRequest, InputImage, ModelUnavailable, Refused
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Number, Text, When
from tests.providers.fake_provider import KEY, FakeProvider, make_image, response
from tests.providers.smallest_requests import SMALLEST, picture, smallest
from tests.providers.specification import ENDPOINTS, FORMATS, SD16, SDXL

MODELS = catalogue_registry.names_of_system("stability")
V1 = ("sdxl", "sd-1.6")
V2BETA = [name for name in MODELS if name not in V1]
SD3 = [name for name in V2BETA if name.startswith("sd3")]
WITH_IMAGE = ["ultra", *SD3]
TASKS = ("replace-background-and-relight", "upscale-creative")
PATHS = {
    "inpaint": "edit/inpaint",
    "outpaint": "edit/outpaint",
    "erase": "edit/erase",
    "remove-background": "edit/remove-background",
    "replace-background-and-relight": "edit/replace-background-and-relight",
    "search-and-replace": "edit/search-and-replace",
    "search-and-recolor": "edit/search-and-recolor",
    "upscale-fast": "upscale/fast",
    "upscale-conservative": "upscale/conservative",
    "upscale-creative": "upscale/creative",
    "sketch": "control/sketch",
    "structure": "control/structure",
    "style": "control/style",
    "style-transfer": "control/style-transfer",
    "core": "generate/core",
    "ultra": "generate/ultra",
} | dict.fromkeys(SD3, "generate/sd3")
PARTS = {
    ("replace-background-and-relight", "image"): "subject_image",
    ("style-transfer", "image"): "init_image",
    ("style-transfer", "style"): "style_image",
}
# Fields that need another one beside them.
COMPANIONS = {
    "light_source_strength": {"light_source_direction": "left"},
    "prompt": {"left": 1},
    "creativity": {"left": 1},
}


def submit(provider, model, **options):
    return provider.submit(smallest(model, **options), timeout=5)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prefix", ["", "/", "/sd", "/sd/"])
def test_the_smallest_request_is_enough_at_the_official_host_and_at_a_gateway(fake_provider, model, prefix):
    provider = open_provider("stability", fake_provider.address + prefix, KEY)
    done = submit(provider, model)
    assert isinstance(done, Accepted) if model in TASKS else done.outputs[0].data == make_image()
    [request] = fake_provider.requests
    assert request.path.startswith(prefix.rstrip("/") + "/v")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["stability-client-id"] == "sdweb"


@pytest.mark.parametrize("model", V2BETA)
def test_v2beta_receives_exactly_the_given_fields_and_files(fake_provider, provider, model):
    submit(provider, model)
    [request] = fake_provider.requests
    sd3 = {"mode": "text-to-image", "model": model} if model in SD3 else {}
    parameters, images = SMALLEST[model]
    assert request.path == f"/v2beta/stable-image/{PATHS[model]}"
    assert request.texts == {name: str(value) for name, value in parameters.items()} | sd3
    sent = {name: part.body for name, part in request.parts.items() if part.filename}
    assert sent == {PARTS.get((model, role), role): picture("png", size) for role, size in images.items()}


@pytest.mark.parametrize("model", V2BETA)
def test_every_documented_field_and_file_is_declared_with_its_range_and_default(model):
    declared, endpoint = catalogue_registry.get(model), ENDPOINTS[PATHS[model]]
    names = {PARTS.get((model, each.role), each.role): each for each in declared.inputs}
    assert names.keys() == endpoint.files.keys()
    assert {field.name for field in declared.fields} == endpoint.fields.keys() - {"mode", "model"}
    for field in declared.fields:
        specified = endpoint.fields[field.name]
        if isinstance(field, Number):
            assert (max(field.minimum, specified.least), field.maximum) == (specified.least, specified.most)
            assert field.minimum in (specified.least, *field.absent)
            assert field.whole == specified.whole
            assert specified.default in (field.default, None)
        elif isinstance(field, Choice):
            assert set(field.values) == specified.values
        elif isinstance(field, Text):
            assert (field.max_length, field.required) == (specified.most, specified.least > 0)
    required = {field.name for field in declared.fields if field.required and field.when is When.ALWAYS}
    required |= {name for name, each in names.items() if each.minimum}
    assert required == endpoint.required - {"mode", "model"}


@pytest.mark.parametrize("model", MODELS)
def test_every_choice_is_accepted(fake_provider, provider, model):
    choices = [field for field in catalogue_registry.get(model).fields if isinstance(field, Choice)]
    for field in choices:
        for value in field.values:
            done = submit(provider, model, **{field.name: value})
            if field.name == "output_format" and model not in TASKS:
                assert done.outputs[0].media_type == f"image/{value}"
    assert len(fake_provider.requests) == sum(len(field.values) for field in choices)
    assert not fake_provider.problems


@pytest.mark.parametrize("model", MODELS)
def test_both_ends_of_every_range_are_sent(fake_provider, provider, model):
    declared = catalogue_registry.get(model)
    for field in declared.fields:
        if not isinstance(field, Number | Text):
            continue
        values = (
            ("x", "é" * field.max_length)
            if isinstance(field, Text)
            else (field.step if field.minimum in field.absent else field.minimum, field.maximum)
        )
        beside = {
            name: value for name, value in COMPANIONS.get(field.name, {}).items() if declared.takes(name)
        }
        for value in values:
            submit(provider, model, from_image=True, **beside | {field.name: value})
            request = fake_provider.requests[-1]
            if model in V1:
                continue  # their names are others: see below
            sent = request.texts[field.name]
            assert (sent if isinstance(field, Text) else float(sent)) == value
    assert not fake_provider.problems


@pytest.mark.parametrize("model", MODELS)
def test_both_ends_of_the_limits_of_every_image_are_accepted(fake_provider, provider, model):
    declared = catalogue_registry.get(model)
    base = smallest(model, from_image=True)
    for each in declared.inputs:
        if each.is_mask or each.sizes:
            continue
        for size in sizes_at_the_limits(each):
            each.check(*each.fit(*size))
            others = [image for image in base.inputs if image.role != each.role]
            image = InputImage(each.role, flat(each.fit(*size)), "image/png")
            provider.submit(ImageRequest(model, base.parameters, (*others, image)), timeout=20)
    assert not fake_provider.problems


def sizes_at_the_limits(declared):
    """Sizes at the smallest and the largest that an input takes, and one that is far too large."""
    side, ratio = declared.min_side, declared.max_ratio or 2.0
    least = max(side, math.ceil(math.sqrt(declared.min_pixels)))
    return [(least, least), (int(least * ratio), least), (least, int(least * ratio)), (5_000, 4_000)]


def flat(size):
    file = io.BytesIO()
    Image.new("L", size, 128).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("model", WITH_IMAGE)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_start_image_is_sent_with_its_strength(fake_provider, draw, model, kind):
    image = make_image(kind, (80, 64))
    draw(model, image, strength=0.0, aspect_ratio="16:9")
    request = fake_provider.requests[0]
    assert request.parts["image"].body == image
    assert request.texts["strength"] == "0"
    assert ("aspect_ratio" in request.texts) == (model == "ultra")


@pytest.mark.parametrize("model", [name for name in MODELS if SMALLEST[name][1]])
@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_is_sent_as_a_file_of_its_type(fake_provider, provider, model, kind):
    request = smallest(model)
    inputs = tuple(
        replace(each, data=make_image(kind, (80, 64)), media_type=f"image/{kind}")
        if each.role == "image"
        else each
        for each in request.inputs
    )
    provider.submit(replace(request, inputs=inputs), timeout=5)
    part = fake_provider.requests[0].parts[PARTS.get((model, "image"), "image")]
    assert (part.media_type, part.filename.rpartition(".")[2]) == (f"image/{kind}", kind)
    assert part.body == make_image(kind, (80, 64))


@pytest.mark.parametrize("model", ["erase", "inpaint"])
def test_an_image_with_transparency_needs_no_mask(fake_provider, provider, model):
    file = io.BytesIO()
    Image.new("RGBA", (80, 64), (10, 20, 30, 0)).save(file, "PNG")
    image = InputImage("image", file.getvalue(), "image/png")
    provider.submit(ImageRequest(model, SMALLEST[model][0], (image,)), timeout=5)
    assert set(fake_provider.requests[0].parts) == {"image", *SMALLEST[model][0]}


def test_relight_takes_images_of_background_and_light(fake_provider, provider):
    request = smallest("replace-background-and-relight", keep_original_background=True)
    image = request.inputs[0]
    more = (replace(image, role="background_reference"), replace(image, role="light_reference"))
    parameters = {"light_source_strength": 0.25, "keep_original_background": True}
    provider.submit(ImageRequest(request.model, parameters, (image, *more)), timeout=5)
    [sent] = fake_provider.requests
    assert sent.texts == {"light_source_strength": "0.25", "keep_original_background": "true"}
    assert set(sent.parts) == {
        "subject_image",
        "background_reference",
        "light_reference",
        "light_source_strength",
        "keep_original_background",
    }


@pytest.mark.parametrize(("model", "engine"), [("sdxl", SDXL), ("sd-1.6", SD16)])
@pytest.mark.parametrize(("strength", "sent"), [(0, "1"), (0.25, "0.75"), (0.65, "0.35"), (1, "0")])
def test_v1_counts_strength_the_other_way(fake_provider, provider, model, engine, strength, sent):
    submit(provider, model, from_image=True, strength=strength, negative_prompt="people", seed=7)
    [request] = fake_provider.requests
    assert request.path == f"/v1/generation/{engine}/image-to-image"
    assert request.texts == {
        "text_prompts[0][text]": "a harbour",
        "text_prompts[0][weight]": "1",
        "text_prompts[1][text]": "people",
        "text_prompts[1][weight]": "-1",
        "init_image_mode": "IMAGE_STRENGTH",
        "image_strength": sent,
        "seed": "7",
    }


@pytest.mark.parametrize("model", V1)
def test_v1_redraws_what_is_white_in_a_mask(fake_provider, provider, model):
    request = smallest(model, from_image=True, strength=0.5, steps=50, cfg_scale=35.0, aspect_ratio="16:9")
    mask = replace(request.inputs[0], role="mask")
    provider.submit(replace(request, inputs=(*request.inputs, mask)), timeout=5)
    [sent] = fake_provider.requests
    assert sent.path.endswith("/image-to-image/masking")
    assert set(sent.parts) == {
        "init_image",
        "mask_image",
        "mask_source",
        "text_prompts[0][text]",
        "text_prompts[0][weight]",
        "steps",
        "cfg_scale",
    }
    assert sent.texts["mask_source"] == "MASK_IMAGE_WHITE"


def test_v1_takes_weighted_texts_beside_an_image(fake_provider, provider):
    texts = [{"text": "a boat", "weight": 0.5}, {"text": "fog", "weight": -0.25}]
    submit(provider, "sdxl", from_image=True, text_prompts=texts)
    sent = fake_provider.requests[0].texts
    assert [sent[f"text_prompts[{at}][text]"] for at in (0, 1)] == ["a boat", "fog"]
    assert [sent[f"text_prompts[{at}][weight]"] for at in (0, 1)] == ["0.5", "-0.25"]
    assert "text_prompts[2][text]" not in sent


def test_small_numbers_have_no_exponent(fake_provider, draw):
    draw("ultra", make_image(size=(80, 64)), strength=0.00001)
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
        ("erase", None, {}),
        ("outpaint", make_image(size=(80, 64)), {}),
        ("upscale-creative", make_image(size=(80, 64)), {"creativity": 0.6}),
        ("replace-background-and-relight", make_image(size=(80, 64)), {"light_source_strength": 0.5}),
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
