"""Ideogram's API in the sandbox: each model by the portal's client, and what a strict server refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests
from PIL import Image, ImageChops

from generations.providers import open_provider
from generations.providers.base import Busy, InputImage, OutputKind, Refused, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice
from generations.providers.fetch_result import fetch
from generations.providers.ideogram.client import Ideogram
from tests.providers.ideogram.smallest import FROM_IMAGE
from tests.providers.smallest_requests import smallest
from tests.sandbox.conftest import encoded, opened, picture
from tests.sandboxes import KEY

MODELS = catalogue_registry.names_of_system("ideogram")
ENLARGED = ("ideogram-upscale",)


@pytest.fixture(params=[False, True], ids=["maker", "gateway"])
def account(client, request):
    client.sandbox.state(strict=True)
    prefix = "/ideogram" if request.param else ""
    return Ideogram(client.sandbox.url + prefix, KEY, at_gateway=request.param)


def result(account, request):
    """The result of a request, fetched from its address."""
    [output] = account.submit(request, timeout=30).outputs
    return fetch(output, hosts=account.result_hosts, allow_private=True) if output.url else output


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_drawn_paid_and_fetched_without_a_key(account, client, model):
    before = client.sandbox.state()["credits"]
    output = result(account, smallest(model))
    declared = catalogue_registry.get(model)
    assert output.kind is declared.output
    assert round((before - client.sandbox.state()["credits"]) * 100) == declared.cost({})
    assert client.sandbox.state()["keys_at_results"] == 0
    assert output.text if output.kind is OutputKind.TEXT else output.media_type == "image/png"


@pytest.mark.parametrize("model", ["ideogram-4-5", "ideogram-4", "ideogram-v3", "ideogram-v2"])
def test_every_value_of_every_choice_is_taken_and_a_shape_has_its_size(client, model):
    client.sandbox.state(strict=True)
    account = open_provider("ideogram", client.sandbox.url, KEY)
    declared = catalogue_registry.get(model)
    for field in declared.fields:
        for value in field.values if isinstance(field, Choice) else ():
            output = result(account, smallest(model, **{field.name: value}))
            if field.name == "aspect_ratio":
                assert (output.width, output.height) == declared.size(value)


def test_what_is_black_in_a_mask_is_drawn_anew(artist):
    account = open_provider("ideogram", artist.sandbox.url, KEY)
    image, mask = smallest("ideogram-v3-edit").inputs
    grey = Image.new("L", (320, 256))
    grey.paste(255, (0, 0, 160, 256))  # white is changed in the portal, black at Ideogram
    inputs = (replace(image, data=picture((320, 256))), replace(mask, data=encoded(grey)))
    output = result(account, replace(smallest("ideogram-v3-edit"), inputs=inputs))
    difference = ImageChops.difference(opened(output.data).convert("RGB"), opened(picture((320, 256))))
    assert difference.crop((0, 0, 150, 256)).getbbox()
    assert difference.crop((170, 0, 320, 240)).getbbox() is None


def test_a_large_one_has_four_megapixels(account):
    output = result(account, smallest("ideogram-4-5", resolution="2K", aspect_ratio="1:2"))
    assert (output.width, output.height) == (1_440, 2_880)


@pytest.mark.parametrize("model", FROM_IMAGE)
def test_a_start_image_is_remixed(account, model):
    assert result(account, smallest(model, from_image=True, image_weight=100, seed=2_147_483_647))


def test_images_and_codes_of_a_style_are_taken(account):
    images = tuple(InputImage("style", picture((320, 256)), "image/png") for _ in range(3))
    assert result(account, replace(smallest("ideogram-v3"), inputs=images))
    both = (*images, *smallest("ideogram-v3-reframe").inputs)
    assert result(account, replace(smallest("ideogram-v3"), inputs=both))
    assert result(account, smallest("ideogram-v3", style_codes="AAFF5733 0133FF57 DE3357FF"))


@pytest.mark.parametrize(
    ("files", "texts"),
    [
        ([], [("style_codes", "AAFF5733"), ("style_type", "DESIGN")]),
        ([], [("style_codes", "AAFF573")]),
        ([], [("color_palette", "[object Object]")]),
        ([], [("color_palette", "EMBER")]),
        ([], [("style_codes", "AAFF5733")] * 4),
        (["style_reference_images"] * 4, []),
        (["style_reference_images"], [("style_codes", "AAFF5733")]),
        (["character_reference_images"] * 2, []),
    ],
)
def test_references_that_do_not_go_together_are_refused(client, files, texts):
    client.sandbox.state(strict=True)
    url, headers = f"{client.sandbox.url}/v1/ideogram-v3/generate", {"api-key": KEY}
    parts = [(name, (None, text)) for name, text in [("prompt", "a boat"), *texts]]
    parts += [(name, ("a.png", picture((320, 256)), "image/png")) for name in files]
    answer = requests.post(url, headers=headers, files=parts, timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("path", "body", "size"),
    [
        ("generate", {"image_request": {"prompt": "a boat", "resolution": "RESOLUTION_832_960"}}, "832x960"),
        ("generate", {"image_request": {"prompt": "a boat", "style_type": "FICTION"}}, "1024x1024"),
        ("v1/ideogram-v3/generate", {"prompt": "a boat", "resolution": "1536x640"}, "1536x640"),
        ("v2/image/generate/ideogram-4-5", {"prompt": "a boat", "size": "auto"}, "1024x1024"),
    ],
)
def test_exact_sizes_and_all_styles_are_taken(client, path, body, size):
    client.sandbox.state(strict=True)
    answer = requests.post(f"{client.sandbox.url}/{path}", headers={"api-key": KEY}, json=body, timeout=10)
    assert answer.json()["data"][0]["resolution"] == size, answer.text


def test_several_pictures_are_drawn_and_charged_each_with_its_own_seed(client):
    before = client.sandbox.state()["credits"]
    body = {"prompt": "a boat", "num_images": 3, "seed": 7, "rendering_speed": "TURBO"}
    url = f"{client.sandbox.url}/v1/ideogram-v3/generate"
    entries = requests.post(url, headers={"api-key": KEY}, json=body, timeout=10).json()["data"]
    assert [entry["seed"] for entry in entries] == [7, 8, 9]
    assert len({entry["url"] for entry in entries}) == 3
    assert before - client.sandbox.state()["credits"] == 9


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("generate", {"prompt": "a boat"}),
        ("generate", {"image_request": {"prompt": "a boat", "resolution": "832x960"}}),
        ("v1/ideogram-v3/generate", {"prompt": "a boat", "resolution": "400x640"}),
        ("generate", {"image_request": {"model": "V_2"}}),
        ("generate", {"image_request": {"prompt": "a boat", "model": "V_9"}}),
        ("generate", {"image_request": {"prompt": "a boat", "aspect_ratio": "16x9"}}),
        ("generate", {"image_request": {"prompt": "a boat", "steps": 30}}),
        ("v2/image/generate/ideogram-4-5", {"prompt": "a boat", "quality": "very_low"}),
        ("v2/image/generate/ideogram-4-5", {"prompt": "a boat", "aspect_ratio": "1x1"}),
        ("v2/image/generate/ideogram-4-5", {"prompt": "a boat", "size": "512x1536"}),
        ("v2/image/generate/ideogram-4", {"prompt": "a boat", "rendering_speed": "FLASH"}),
    ],
)
def test_an_invalid_call_is_refused(client, path, body):
    client.sandbox.state(strict=True)
    url, headers = f"{client.sandbox.url}/{path}", {"api-key": KEY}
    answer = requests.post(url, headers=headers, json=body, timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_a_form_has_its_object_as_text_and_a_mask_is_black_and_white(client):
    headers, image = {"api-key": KEY}, picture((320, 256))
    files = {"image_file": image, "image_request": ("r.json", json.dumps({"prompt": "a boat"}))}
    answer = requests.post(f"{client.sandbox.url}/remix", headers=headers, files=files, timeout=10)
    assert answer.status_code == 400
    edit = f"{client.sandbox.url}/v1/ideogram-v3/edit"
    files = {"image": image, "mask": image}
    answer = requests.post(edit, headers=headers, data={"prompt": "a boat"}, files=files, timeout=10)
    assert "black and white" in answer.json()["error"]


@pytest.mark.parametrize(("path", "status"), [("/generate", 401), ("/remix", 403), ("/upscale", 403)])
def test_a_bearer_is_no_key_at_the_maker(client, path, status):
    answer = requests.post(client.sandbox.url + path, headers=client.headers, json={}, timeout=10)
    assert answer.status_code == status


@pytest.mark.parametrize(("outcome", "kind"), [("402", Unavailable), ("429:3", Busy), ("403", Refused)])
def test_a_planned_outcome_is_the_error_that_it_means(account, client, outcome, kind):
    client.sandbox.plan(outcome)
    with pytest.raises(kind):
        account.submit(smallest("ideogram-v3"), timeout=10)


def test_a_filtered_picture_comes_without_an_address(account, client):
    client.sandbox.plan("filtered")
    assert account.submit(smallest("ideogram-v3"), timeout=10).filtered
