"""Requests to Ideogram's three generations of calls, and what their answers become."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from generations.providers import open_provider
from generations.providers.base import ImageRequest, InputImage, OutputKind, Refused, Task, Unknown
from generations.providers.ideogram.client import Ideogram
from tests.providers.fake_provider import KEY, error, response
from tests.providers.ideogram.smallest import CHARACTERS, LEGACY, SMALLEST, V2, V3
from tests.providers.smallest_requests import picture, smallest
from tests.providers.specification import read_multipart

URL = "https://ideogram.ai/api/images/ephemeral/xtdZiqPwRxqY1Y7NExFmzB.png?exp=1743867804&sig=e13"
ENTRY = {"url": URL, "prompt": "rewritten", "resolution": "1024x1024", "is_image_safe": True, "seed": 12}
ANSWER = {"created": "2026-11-30T05:00:00+00:00", "data": [ENTRY]}
UNSAFE = ENTRY | {"url": None, "is_image_safe": False}
SPEEDS = {"ideogram-v3-quality": "QUALITY", "ideogram-v3-turbo": "TURBO", "ideogram-v3-flash": "FLASH"}
LEVELS = {
    "ideogram-4-5": ("ideogram-4-5", {"quality": "high", "size": "1024x1024"}),
    "ideogram-4-5-medium": ("ideogram-4-5", {"quality": "medium", "size": "1024x1024"}),
    "ideogram-4-5-low": ("ideogram-4-5", {"quality": "low", "size": "1024x1024"}),
    "ideogram-4": ("ideogram-4", {"rendering_speed": "default", "resolution": "1024x1024"}),
    "ideogram-4-quality": ("ideogram-4", {"rendering_speed": "quality", "resolution": "1024x1024"}),
    "ideogram-4-turbo": ("ideogram-4", {"rendering_speed": "turbo", "resolution": "1024x1024"}),
}
V3_EDITS = {
    "ideogram-v3-edit": "edit",
    "ideogram-v3-reframe": "reframe",
    "ideogram-v3-replace-background": "replace-background",
}


def answer(data: object, status: int = 200, **headers: str) -> bytes:
    return response(status, json.dumps(data).encode(), content_type="application/json", **headers)


@pytest.fixture
def ideogram(fake_provider):
    fake_provider.plan = [answer(ANSWER, x_request_id="r-1")]
    return open_provider("ideogram", fake_provider.address, KEY)


@pytest.fixture
def at_gateway(fake_provider):
    return Ideogram(f"{fake_provider.address}/ideogram", KEY, at_gateway=True)


def sent(fake_provider) -> tuple[str, dict[str, str], dict[str, bytes]]:
    """The path, the texts and the files of the only request, which is a form."""
    [request] = fake_provider.requests
    parts = read_multipart(request)
    texts = {name: part.body.decode() for name, part in parts.items() if part.filename is None}
    return request.path, texts, {name: part.body for name, part in parts.items() if part.filename}


# The three generations ----------------------------------------------------------------------


@pytest.mark.parametrize("model", V2)
def test_v2_is_json_with_an_exact_size(fake_provider, ideogram, model):
    done = ideogram.submit(smallest(model), timeout=5)
    [request] = fake_provider.requests
    path, fields = LEVELS[model]
    assert request.path == f"/v2/image/generate/{path}"
    assert request.json == {"prompt": "a harbour"} | fields
    assert [(output.url, output.seed) for output in done.outputs] == [(URL, 12)]
    assert (done.request_id, done.cost) == ("r-1", None)


@pytest.mark.parametrize(("model", "name"), [("ideogram-4-5", "size"), ("ideogram-4", "resolution")])
def test_v2_has_sizes_of_four_megapixels_and_words_in_lower_case(fake_provider, ideogram, model, name):
    ideogram.submit(
        smallest(model, aspect_ratio="16:9", resolution="2K", magic_prompt="OFF", seed=7), timeout=5
    )
    body = fake_provider.requests[0].json
    assert (body[name], body["magic_prompt"], body["seed"]) == ("2560x1440", "off", 7)
    assert "aspect_ratio" not in body


@pytest.mark.parametrize("model", V3)
def test_v3_is_a_form_with_flat_fields(fake_provider, ideogram, model):
    ideogram.submit(smallest(model, aspect_ratio="16:9", negative_prompt="fog", seed=7), timeout=5)
    path, texts, files = sent(fake_provider)
    assert path == "/v1/ideogram-v3/generate"
    assert texts == {
        "prompt": "a harbour",
        "negative_prompt": "fog",
        "aspect_ratio": "16x9",
        "seed": "7",
        "rendering_speed": SPEEDS.get(model, "DEFAULT"),
    }
    assert not files


def test_v3_remixes_a_start_image(fake_provider, ideogram):
    ideogram.submit(smallest("ideogram-v3", from_image=True, image_weight=80), timeout=5)
    path, texts, files = sent(fake_provider)
    assert path == "/v1/ideogram-v3/remix"
    assert (texts["image_weight"], files) == ("80", {"image": picture("png", (320, 256))})


def test_a_style_is_of_images_or_of_codes(fake_provider, ideogram):
    images = tuple(InputImage("style", picture("png", (side, 256)), "image/png") for side in (320, 336))
    fake_provider.plan = [answer(ANSWER), answer(ANSWER)]
    request = smallest("ideogram-v3", style_type="DESIGN")
    ideogram.submit(replace(request, inputs=images), timeout=5)
    [made] = fake_provider.requests
    assert made.path == "/v1/ideogram-v3/generate", "an image of a style is no start image"
    assert made.body.count(b'name="style_reference_images"') == 2
    ideogram.submit(smallest("ideogram-v3", style_codes="aaff5733, 0133FF57"), timeout=5)
    body = fake_provider.requests[1].body
    assert body.count(b'name="style_codes"') == 2
    assert b"AAFF5733" in body
    assert b"0133FF57" in body
    for wrong, words in (
        (smallest("ideogram-v3", style_codes="AAFF573"), "eight letters"),
        (smallest("ideogram-v3", style_codes="AAFF5733 1 2 3"), "eight letters"),
        (smallest("ideogram-v3", style_codes="AAFF5733", style_type="DESIGN"), "neither with"),
        (replace(smallest("ideogram-v3", style_codes="AAFF5733"), inputs=images), "neither with"),
    ):
        with pytest.raises(Refused, match=words):
            ideogram.submit(wrong, timeout=5)
    assert len(fake_provider.requests) == 2


@pytest.mark.parametrize(("model", "speed"), zip(CHARACTERS, ("DEFAULT", "QUALITY", "TURBO"), strict=True))
def test_a_character_is_generated_from_its_image(fake_provider, ideogram, model, speed):
    ideogram.submit(smallest(model, style_type="FICTION"), timeout=5)
    path, texts, files = sent(fake_provider)
    assert path == "/v1/ideogram-v3/generate"
    assert texts == {"prompt": "a harbour", "style_type": "FICTION", "rendering_speed": speed}
    assert files == {"character_reference_images": picture("png", (320, 256))}


def test_a_cut_out_is_asked_for_at_both_addresses(fake_provider, ideogram):
    fake_provider.plan = [error(404, {"error": "not found"}), answer(ANSWER)]
    ideogram.submit(smallest("ideogram-remove-background"), timeout=5)
    paths = [request.path for request in fake_provider.requests]
    assert paths == ["/v2/image/remove-background/ideogram-1", "/v1/remove-background"]
    assert read_multipart(fake_provider.requests[0]).keys() == {"image"}


@pytest.mark.parametrize("model", V3_EDITS)
def test_v3_edits_have_their_images(fake_provider, ideogram, model):
    ideogram.submit(smallest(model), timeout=5)
    path, texts, files = sent(fake_provider)
    assert path == f"/v1/ideogram-v3/{V3_EDITS[model]}"
    assert files.keys() == SMALLEST[model][1].keys()
    assert texts["rendering_speed"] == "DEFAULT"
    assert ("resolution" in texts) == (model == "ideogram-v3-reframe")


def test_reframing_asks_for_an_exact_size(fake_provider, ideogram):
    ideogram.submit(smallest("ideogram-v3-reframe", aspect_ratio="3:1"), timeout=5)
    assert sent(fake_provider)[1] == {"resolution": "1536x512", "rendering_speed": "DEFAULT"}


def test_in_a_mask_black_is_changed(fake_provider, ideogram):
    file = io.BytesIO()
    Image.linear_gradient("L").resize((320, 256)).save(file, "PNG")
    request = smallest("ideogram-v3-edit")
    image, mask = request.inputs
    ideogram.submit(replace(request, inputs=(image, replace(mask, data=file.getvalue()))), timeout=5)
    turned = Image.open(io.BytesIO(sent(fake_provider)[2]["mask"]))
    assert set(turned.tobytes()) == {0, 255}
    assert (turned.getpixel((0, 0)), turned.getpixel((0, 255))) == (255, 0)


def test_an_edit_is_found_under_its_newer_name(fake_provider, ideogram):
    fake_provider.plan = [error(404, {"error": "not found"}), answer(ANSWER)]
    ideogram.submit(smallest("ideogram-v3-edit"), timeout=5)
    names = [request.path.rpartition("/")[2] for request in fake_provider.requests]
    assert names == ["edit", "inpaint"]


@pytest.mark.parametrize("model", LEGACY)
def test_legacy_is_json_with_one_object(fake_provider, ideogram, model):
    ideogram.submit(smallest(model, aspect_ratio="9:16", magic_prompt="ON", seed=7), timeout=5)
    [request] = fake_provider.requests
    assert request.path == "/generate"
    assert request.json == {
        "image_request": {
            "prompt": "a harbour",
            "model": LEGACY[model],
            "aspect_ratio": "ASPECT_9_16",
            "magic_prompt_option": "ON",
            "seed": 7,
        }
    }


@pytest.mark.parametrize("model", LEGACY)
def test_legacy_remixes_with_the_object_as_text_in_a_form(fake_provider, ideogram, model):
    ideogram.submit(smallest(model, from_image=True, image_weight=80), timeout=5)
    path, texts, files = sent(fake_provider)
    assert path == "/remix"
    assert json.loads(texts["image_request"]) == {
        "prompt": "a harbour",
        "model": LEGACY[model],
        "image_weight": 80,
    }
    assert files == {"image_file": picture("png", (320, 256))}


def test_an_upscale_has_an_object_also_if_it_is_empty(fake_provider, ideogram):
    ideogram.submit(smallest("ideogram-upscale"), timeout=5)
    path, texts, files = sent(fake_provider)
    assert (path, texts, files.keys()) == ("/upscale", {"image_request": "{}"}, {"image_file"})


def test_a_description_is_a_text(fake_provider, ideogram):
    fake_provider.plan = [answer({"descriptions": [{"text": " A harbour at dawn. "}, {"text": "Boats."}]})]
    [output] = ideogram.submit(smallest("ideogram-describe"), timeout=5).outputs
    assert (output.kind, output.text) == (OutputKind.TEXT, "A harbour at dawn.")
    assert sent(fake_provider) == ("/describe", {}, {"image_file": picture("png", (320, 256))})


# Keys and gateways --------------------------------------------------------------------------


def test_the_maker_takes_its_own_header_and_no_bearer(fake_provider, ideogram):
    ideogram.submit(smallest("ideogram-v2"), timeout=5)
    headers = fake_provider.requests[0].headers
    assert headers["api-key"] == KEY
    assert "authorization" not in headers


def test_a_gateway_takes_a_bearer(fake_provider, at_gateway):
    fake_provider.plan = [answer(ANSWER | {"created": 1_732_000_000})]
    at_gateway.submit(replace(smallest("ideogram-v2"), wire_name="V_2_HD"), timeout=5)
    [request] = fake_provider.requests
    assert request.path == "/ideogram/generate"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "api-key" not in request.headers
    assert request.json["image_request"]["model"] == "V_2_HD"


def test_results_come_from_the_web_sites_host_or_the_accounts_own():
    assert Ideogram("https://api.example", KEY).result_hosts == ("ideogram.ai", ".ideogram.ai", "api.example")
    assert KEY not in repr(Ideogram("https://api.example", KEY))


@pytest.mark.parametrize("status", [404, 400, 405, 200])
def test_a_task_that_is_not_there_tries_the_key_and_there_is_no_balance(fake_provider, ideogram, status):
    fake_provider.plan = [answer({"error": "no such generation"}, status)]
    assert ideogram.balance(timeout=5) is None
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("GET", "/v2/generations/none")


# Answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [UNSAFE, UNSAFE | {"url": ""}, UNSAFE | {"url": URL}])
@pytest.mark.parametrize("model", ["ideogram-4-5", "ideogram-v3", "ideogram-v2"])
def test_a_picture_that_is_not_safe_was_filtered(fake_provider, ideogram, model, entry):
    fake_provider.plan = [answer(ANSWER | {"data": [entry]})]
    done = ideogram.submit(smallest(model), timeout=5)
    assert done.filtered
    assert done.outputs[0].url == ""


def test_of_several_the_safe_ones_are_kept_each_with_its_seed(fake_provider, ideogram):
    entries = [UNSAFE, ENTRY | {"seed": 13}, {"is_image_safe": True, "url": None}]
    fake_provider.plan = [answer(ANSWER | {"data": entries, "notice": "a newer call is there"})]
    done = ideogram.submit(smallest("ideogram-v3"), timeout=5)
    assert [(output.url, output.seed) for output in done.kept] == [(URL, 13)]
    assert (done.filtered, done.broken) == (False, 1)


@pytest.mark.parametrize(
    "data", [{}, [], {"data": []}, {"data": {}}, {"data": [{}]}, {"descriptions": [{}]}, {"request_id": "1"}]
)
def test_an_answer_without_an_image_may_have_been_charged(fake_provider, ideogram, data):
    fake_provider.plan = [answer(data)]
    with pytest.raises(Unknown, match="without an image"):
        ideogram.submit(smallest("ideogram-v3"), timeout=5)


def test_there_are_no_tasks(ideogram):
    with pytest.raises(Unknown):
        ideogram.poll(Task("1"), timeout=5)


def test_another_systems_model_is_refused(fake_provider, ideogram):
    with pytest.raises(Refused, match="does not have the model"):
        ideogram.submit(ImageRequest("core", {"prompt": "a boat"}), timeout=5)
    assert not fake_provider.requests
