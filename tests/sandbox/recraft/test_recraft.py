"""Recraft's API in the sandbox: each model by the portal's client, and what a strict server refuses."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from generations.providers import open_provider
from generations.providers.base import (
    Busy,
    ImageRequest,
    InputImage,
    ModelUnavailable,
    OutputKind,
    Refused,
    Unavailable,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.fetch_result import fetch
from generations.providers.recraft.client import Recraft
from tests.providers.recraft.smallest import STYLED
from tests.providers.smallest_requests import smallest
from tests.sandbox.conftest import encoded, opened, picture
from tests.sandboxes import KEY


def solid(colour: tuple[int, int, int]) -> bytes:
    """A picture of one colour."""
    return encoded(Image.new("RGB", (320, 320), colour))


MODELS = catalogue_registry.names_of_system("recraft")


@pytest.fixture
def account(client):
    client.sandbox.state(strict=True)
    return open_provider("recraft", f"{client.sandbox.url}/recraft/v1", KEY)


@pytest.fixture
def post(client):
    client.sandbox.state(strict=True)

    def post(call: str, files: dict[str, bytes] | None = None, **values: Any) -> requests.Response:
        url, headers = f"{client.sandbox.url}/recraft/v1/images/{call}", client.headers
        if files:
            return requests.post(url, headers=headers, data=values, files=files, timeout=20)
        return requests.post(url, headers=headers, json=values, timeout=20)

    return post


def fetched(account, request):
    """The result of a request, from its address, and what it cost."""
    done = account.submit(request, timeout=30)
    [output] = done.outputs
    if output.url:
        output = fetch(output, hosts=account.result_hosts, allow_private=True)
    return output, done.cost


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_drawn_paid_and_fetched_without_a_key(account, client, model):
    request = smallest(model)
    if model in STYLED:
        kind = "recraft-v4-vector-style" if "vector" in model else "recraft-v4-style"
        request = smallest(model, style=made(account, kind))
    before = account.balance(timeout=10)
    output, cost = fetched(account, request)
    declared = catalogue_registry.get(model)
    assert output.kind is declared.output
    assert cost == declared.cost({})
    assert before - account.balance(timeout=10) == cost / 10
    assert client.sandbox.state()["keys_at_results"] == 0


@pytest.mark.parametrize("model", ["recraftv4_1", "recraftv3", "recraftv3_vector"])
def test_every_value_of_every_field_is_taken(account, model):
    declared = catalogue_registry.get(model)
    for shape in declared.field("aspect_ratio").values:
        output, _ = fetched(account, smallest(model, aspect_ratio=shape, seed=4_294_967_295))
        assert (output.width, output.height) == declared.size(shape)
    if model == "recraftv3":
        for value in declared.field("style").values:
            fetched(account, smallest(model, style=value, artistic_level=5, no_text=True))
    palette = {"colors": " ".join(["#102030"] * 10), "background_color": "#fff"}
    fetched(account, smallest(model, **palette))


@pytest.mark.parametrize("model", ["recraftv3", "recraftv3_vector"])
def test_a_start_image_keeps_its_size(account, model):
    output, _ = fetched(account, smallest(model, from_image=True))
    assert (output.width, output.height) == (320, 256)


@pytest.mark.parametrize(
    "model", ["recraft-crisp-upscale", "recraft-creative-upscale", "recraft-remove-background"]
)
def test_a_gateways_names_are_served_too(client, account, model):
    at_gateway = Recraft(f"{client.sandbox.url}/recraft", KEY, at_gateway=True)
    assert fetched(at_gateway, smallest(model))[1] == catalogue_registry.get(model).cost({})


def made(account, model: str) -> str:
    """The id of a new style."""
    [output] = account.submit(smallest(model), timeout=30).outputs
    assert output.kind is OutputKind.STYLE
    return output.text


def test_a_made_style_is_drawn_in_and_brings_what_it_was_made_from(account):
    photo, drawing = made(account, "recraft-style"), made(account, "recraft-vector-style")
    output, cost = fetched(account, smallest("recraftv3", style=photo))
    assert (output.kind, output.media_type, cost) == (OutputKind.IMAGE, "image/webp", 400)
    output, cost = fetched(account, smallest("recraftv3_vector", style=drawing))
    assert (output.kind, output.media_type, cost) == (OutputKind.SVG, "image/svg+xml", 800)
    output, cost = fetched(account, smallest("recraftv3", style=drawing))
    assert (output.kind, output.media_type, cost) == (OutputKind.SVG, "image/svg+xml", 800), "unasked"


def test_a_style_colours_what_is_drawn_in_it(artist):
    account = open_provider("recraft", f"{artist.sandbox.url}/recraft/v1", KEY)
    red = InputImage("reference", solid((200, 10, 10)), "image/png")
    blue = InputImage("reference", solid((10, 10, 200)), "image/png")
    parameters = {"style_name": "Ink", "style": "realistic_image"}
    colours = []
    for picture_of in (red, blue):
        style = account.submit(ImageRequest("recraft-style", parameters, (picture_of,)), timeout=30)
        output, _ = fetched(account, smallest("recraftv3", style=style.outputs[0].text, seed=3))
        colours.append(ImageStat.Stat(opened(output.data).convert("RGB")).mean)
    assert colours[0][0] > colours[1][0] + 30
    assert colours[1][2] > colours[0][2] + 30


def test_v4_and_v3_do_not_draw_in_each_others_styles(account):
    of_v3, of_v4 = made(account, "recraft-style"), made(account, "recraft-v4-style")
    for model, style in (("recraftv3", of_v4), ("recraftv4_styles", of_v3)):
        with pytest.raises(Refused, match="does not draw in it"):
            account.submit(smallest(model, style=style), timeout=10)


def test_an_extended_picture_is_larger_and_keeps_what_there_was(account):
    output, _ = fetched(account, smallest("recraft-outpaint", right=64, up=32, down=16, output_format="png"))
    assert (output.width, output.height) == (320 + 128, 256 + 48)
    kept = opened(output.data).convert("RGB").crop((64, 32, 64 + 320, 32 + 256))
    assert ImageChops.difference(kept, opened(picture((320, 256))).convert("RGB")).getbbox() is None


def test_another_version_has_the_shape_that_was_asked_for(account):
    output, _ = fetched(account, smallest("recraft-variate", aspect_ratio="2:1"))
    assert output.width == 2 * output.height


@pytest.mark.parametrize("style", ["229b2a75-05e4-4580-85f9-b47ee521a00d", "vector", "0" * 32])
def test_a_style_that_the_account_did_not_make_is_refused(account, client, style):
    before = client.sandbox.state()["credits"]
    with pytest.raises(Refused, match="belongs to another account"):
        account.submit(smallest("recraftv3", style=style), timeout=10)
    assert client.sandbox.state()["credits"] == before


@pytest.mark.parametrize(
    ("files", "values"),
    [
        ({}, {"style": "any"}),
        ({"file1": picture((320, 256))}, {}),
        ({"file1": picture((320, 256))}, {"style": "kitsch"}),
        ({"file1": picture((320, 256))}, {"style": "any", "name": "House"}),
        ({"image": picture((320, 256))}, {"style": "any"}),
        ({"file1": picture((320, 200))}, {"style": "any"}),
        ({"file1": b"no image"}, {"style": "any"}),
        ({f"file{place}": picture((320, 256)) for place in range(1, 7)}, {"style": "any"}),
        ({f"file{place}": picture((320, 256)) for place in range(11)}, {"model": "recraftv4_styles"}),
        ({"file1": picture((320, 256))}, {"model": "recraftv4"}),
        ({}, {"style": "any", "image_urls": ["https://example.com/a.png"]}),
        ({}, {"style": "any", "image_urls": "data:image/png;base64,AAAA"}),
    ],
)
def test_an_invalid_style_is_refused_and_costs_nothing(client, files, values):
    client.sandbox.state(strict=True)
    before = client.sandbox.state()["credits"]
    url, sent = f"{client.sandbox.url}/recraft/v1/styles", {"data": values, "files": files}
    answer = requests.post(url, headers=client.headers, timeout=20, **(sent if files else {"json": values}))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert client.sandbox.state()["credits"] == before


def test_results_have_no_suffix_and_come_in_text_if_asked_for(post):
    body = post("generations", prompt="a harbour", model="recraftv4_1").json()
    assert body["data"][0]["url"].partition("?")[0].rpartition("/")[2].count(".") == 0
    body = post("vectorize", {"file": picture()}, response_format="b64_json").json()
    assert body["image"].keys() == {"image_id", "b64_json"}


def test_a_picture_is_of_the_format_that_was_asked_for(account):
    for value, kind in (("png", "PNG"), ("webp", "WEBP")):
        output, _ = fetched(account, smallest("recraftv4_1", output_format=value))
        assert opened(output.data).format == kind


@pytest.mark.parametrize(
    ("call", "files", "values"),
    [
        ("generations", (), {"model": "recraftv4_1"}),
        ("generations", (), {"prompt": "x" * 1_001, "model": "recraftv3"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv9"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv4", "style": "logo_raster"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv4", "negative_prompt": "x"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv3", "size": "1344x768"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv3", "style": "any", "style_id": "1"}),
        ("generations", (), {"prompt": "a boat", "random_seed": -1}),
        ("generations", (), {"prompt": "a boat", "seed": 1}),
        ("generations", (), {"prompt": "a boat", "controls": {"artistic_level": 6}}),
        ("generations", (), {"prompt": "a boat", "controls": {"colors": [{"rgb": [0, 0, 256]}]}}),
        ("generations", (), {"prompt": "a boat", "controls": {"colors": [{"rgb": [0, 0]}]}}),
        ("generations", (), {"prompt": "a boat", "controls": {"background_color": "#000000"}}),
        ("generations", (), {"prompt": "a boat", "controls": {"no_text": True}}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv2", "style_id": "1"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv4_styles"}),
        ("generations", (), {"prompt": "a boat", "model": "recraftv3", "style_match": "precise"}),
        ("outpaint", ("image",), {"prompt": "a boat", "model": "recraftv3"}),
        ("outpaint", ("image",), {"prompt": "a boat", "model": "recraftv3", "expand_left": -1}),
        ("outpaint", ("image",), {"prompt": "a boat", "model": "recraftv3", "expand_left": 3_900}),
        ("outpaint", ("image",), {"model": "recraftv3", "expand_left": 64}),
        ("variateImage", ("image",), {}),
        ("variateImage", ("image",), {"size": "large"}),
        ("variateImage", ("image",), {"size": "1:1", "prompt": "a boat"}),
        ("generateBackground", ("image",), {"prompt": "a boat", "model": "recraftv3"}),
        ("imageToImage", ("image",), {"prompt": "a boat", "model": "recraftv3"}),
        ("inpaint", ("image",), {"prompt": "a boat", "model": "recraftv3"}),
        ("vectorize", (), {}),
        ("vectorize", ("image", "mask"), {}),
        ("crispUpscale", ("image",), {"prompt": "a boat"}),
    ],
)
def test_an_invalid_call_is_refused_and_costs_nothing(client, post, call, files, values):
    before = client.sandbox.state()["credits"]
    answer = post(call, {name: picture((320, 256)) for name in files}, **values)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert client.sandbox.state()["credits"] == before


def test_a_mask_must_be_black_and_white(post):
    soft = picture((320, 256))
    answer = post("eraseRegion", {"image": soft, "mask": soft})
    assert "black and white" in answer.json()["message"]


def test_errors_are_in_plain_text_or_json(client, post):
    answer = requests.get(f"{client.sandbox.url}/recraft/v1/users/me", timeout=10)
    assert (answer.status_code, answer.text) == (401, "request unauthorized")
    answer = post("nothing", prompt="a boat")
    assert (answer.status_code, answer.text) == (404, "404 page not found")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("402", Unavailable),
        ("429:3", Busy),
        ("403", Refused),
        ("filtered", Refused),
        ("404", ModelUnavailable),
    ],
)
def test_a_planned_outcome_is_the_error_that_it_means(account, client, outcome, kind):
    client.sandbox.plan({"outcome": outcome, "times": 2})
    with pytest.raises(kind):
        account.submit(smallest("recraft-crisp-upscale"), timeout=10)


def test_several_pictures_are_drawn_and_charged(post, account):
    before = account.balance(timeout=10)
    answer = post("generations", prompt="a boat", n=3, size="16:9").json()
    assert len({entry["url"] for entry in answer["data"]}) == 3
    assert answer["credits"] == before - account.balance(timeout=10) == 3 * 35


@pytest.mark.parametrize(
    ("size", "model", "pixels"),
    [
        ("16:9", "recraftv4_1", (1344, 768)),
        ("1:2", "recraftv4_1_pro", (1536, 3072)),
        ("4:3", "recraftv3", (1365, 1024)),
    ],
)
def test_a_ratio_is_a_size(post, size, model, pixels):
    [entry] = post("generations", prompt="a boat", size=size, model=model, response_format="b64_json").json()[
        "data"
    ]
    assert Image.open(io.BytesIO(base64.b64decode(entry["b64_json"]))).size == pixels


def test_an_image_may_come_as_an_address(post):
    picture_url = "data:image/png;base64," + base64.b64encode(picture((300, 300))).decode()
    answer = post("removeBackground", image_url=picture_url)
    assert answer.status_code == 200, answer.text
    assert post("imageToImage", image_url=picture_url, prompt="a boat", strength=0.2).status_code == 200
    assert post("removeBackground", image_url="https://example.com/boat.png").status_code == 400
