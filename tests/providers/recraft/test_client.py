"""Requests to Recraft and what its answers become."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image

from generations.providers import open_provider
from generations.providers.base import Done, ImageRequest, InputImage, OutputKind, Refused, Task, Unknown
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.recraft.client import Recraft
from tests.providers.fake_provider import KEY, error, make_image, response
from tests.providers.recraft.smallest import FROM_IMAGE, RASTER, SMALLEST, STYLE, STYLED, VECTOR
from tests.providers.smallest_requests import picture, smallest
from tests.providers.specification import read_multipart

URL = "https://img.recraft.ai/sIg/rs:fit:1024:1024:0/raw:1/plain/abs://external/images/5f2a"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="16"><path d="M0 0h9v9z"/></svg>'
GENERATED = {"created": 1, "credits": 40, "data": [{"image_id": "5f2a", "url": URL}]}
PROCESSED = {"created": 1, "credits": 10, "image": {"image_id": "5f2a", "url": URL}}
CALLS = {
    "recraft-inpaint": "inpaint",
    "recraft-erase-region": "eraseRegion",
    "recraft-replace-background": "replaceBackground",
    "recraft-generate-background": "generateBackground",
    "recraft-outpaint": "outpaint",
    "recraft-variate": "variateImage",
    "recraft-remove-background": "removeBackground",
    "recraft-vectorize": "vectorize",
    "recraft-crisp-upscale": "crispUpscale",
    "recraft-creative-upscale": "creativeUpscale",
}
PROCESSING = ("recraft-remove-background", "recraft-vectorize", "recraft-crisp-upscale")


def answer(data: object, status: int = 200, **headers: str) -> bytes:
    return response(status, json.dumps(data).encode(), content_type="application/json", **headers)


@pytest.fixture
def recraft(fake_provider):
    fake_provider.plan = [answer(GENERATED, x_request_id="r-1")]
    return open_provider("recraft", fake_provider.address, KEY)


@pytest.fixture
def at_gateway(fake_provider):
    fake_provider.plan = [answer(PROCESSED)]
    return Recraft(f"{fake_provider.address}/recraft", KEY, at_gateway=True)


@pytest.mark.parametrize("model", [*RASTER, *VECTOR])
def test_a_text_is_sent_as_json_with_the_model_and_a_size(fake_provider, recraft, model):
    done = recraft.submit(smallest(model), timeout=5)
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("POST", "/v1/images/generations")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    name = model.removesuffix("_vector") if model in ("recraftv3_vector", "recraftv2_vector") else model
    style = {"style": "vector_illustration"} if name != model else {}
    size = "2048x2048" if "pro" in model else "1024x1024"
    assert request.json == {"prompt": "a harbour", "model": name, "size": size, **style}
    assert done == Done(done.outputs, "r-1", 200, cost=400)
    assert [output.url for output in done.outputs] == [URL]


def test_fields_have_recrafts_names(fake_provider, recraft):
    fields = {"aspect_ratio": "16:9", "seed": 7, "output_format": "png", "artistic_level": 2, "no_text": True}
    recraft.submit(smallest("recraftv3", style="logo_raster", **fields), timeout=5)
    assert fake_provider.requests[0].json == {
        "prompt": "a harbour",
        "model": "recraftv3",
        "size": "1820x1024",
        "style": "logo_raster",
        "random_seed": 7,
        "image_format": "png",
        "controls": {"artistic_level": 2, "no_text": True},
    }


def test_colors_are_sent_as_numbers_in_the_controls(fake_provider, recraft):
    palette = {"colors": "#ff8e3c #50b46e", "background_color": "#000"}
    recraft.submit(smallest("recraftv4_1", **palette), timeout=5)
    assert fake_provider.requests[0].json["controls"] == {
        "colors": [{"rgb": [255, 142, 60]}, {"rgb": [80, 180, 110]}],
        "background_color": {"rgb": [0, 0, 0]},
    }


def test_sides_are_extended_by_pixels_up_to_what_recraft_draws(fake_provider, recraft):
    sides = {"left": 64, "right": 0, "up": 10, "down": 3_830}
    recraft.submit(smallest("recraft-outpaint", **sides), timeout=5)
    texts = {name: part.body for name, part in read_multipart(fake_provider.requests[0]).items()}
    assert {name: texts[name] for name in texts if name.startswith("expand")} == {
        "expand_left": b"64",
        "expand_top": b"10",
        "expand_bottom": b"3830",
    }
    with pytest.raises(Refused, match="384 x 4097 pixels"):
        recraft.submit(smallest("recraft-outpaint", up=10, down=3_831), timeout=5)
    with pytest.raises(Refused, match="at least one side"):
        recraft.submit(smallest("recraft-outpaint", left=0), timeout=5)
    assert len(fake_provider.requests) == 1


def test_another_version_has_a_shape_and_no_text(fake_provider, recraft):
    recraft.submit(smallest("recraft-variate", aspect_ratio="16:9", seed=3), timeout=5)
    texts = {name: part.body for name, part in read_multipart(fake_provider.requests[0]).items()}
    assert texts.pop("image")
    assert texts == {"size": b"16:9", "random_seed": b"3"}


@pytest.mark.parametrize("model", FROM_IMAGE)
def test_a_start_image_makes_it_an_image_to_image(fake_provider, recraft, model):
    recraft.submit(smallest(model, from_image=True, aspect_ratio="16:9"), timeout=5)
    [request] = fake_provider.requests
    parts = read_multipart(request)
    assert request.path == "/v1/images/imageToImage"
    assert parts["image"].body == picture("png", (320, 256))
    style = {"style": b"vector_illustration"} if "vector" in model else {}
    texts = {"prompt": b"a harbour", "model": b"recraftv3", "strength": b"0.5", **style}
    assert {name: part.body for name, part in parts.items() if part.filename is None} == texts


@pytest.mark.parametrize("model", CALLS)
def test_an_edit_is_a_form_with_its_images(fake_provider, recraft, model):
    fake_provider.plan = [answer(PROCESSED)]
    done = recraft.submit(smallest(model), timeout=5)
    [request] = fake_provider.requests
    assert request.path == f"/v1/images/{CALLS[model]}"
    files = {name for name, part in read_multipart(request).items() if part.filename}
    assert files == set(SMALLEST[model][1])
    assert ("model" in read_multipart(request)) == ("prompt" in SMALLEST[model][0])
    assert (done.outputs[0].url, done.cost) == (URL, 100)


def test_objects_in_a_form_are_json_and_numbers_are_plain(fake_provider, recraft):
    fields = {"seed": 4_294_967_295, "output_format": "png", "artistic_level": 2, "no_text": True}
    recraft.submit(smallest("recraftv3", from_image=True, **fields), timeout=5)
    parts = read_multipart(fake_provider.requests[0])
    assert parts["random_seed"].body == b"4294967295"
    assert parts["image_format"].body == b"png"
    assert json.loads(parts["controls"].body) == {"artistic_level": 2, "no_text": True}


def test_a_soft_mask_becomes_black_and_white(fake_provider, recraft):
    file = io.BytesIO()
    Image.linear_gradient("L").resize((320, 256)).save(file, "PNG")
    image = InputImage("image", make_image("png", (320, 256)), "image/png")
    mask = InputImage("mask", file.getvalue(), "image/png")
    recraft.submit(ImageRequest("recraft-inpaint", {"prompt": "a boat"}, (image, mask)), timeout=5)
    sent = Image.open(io.BytesIO(read_multipart(fake_provider.requests[0])["mask"].body))
    assert (sent.mode, sent.size) == ("L", (320, 256))
    assert set(sent.tobytes()) == {0, 255}
    assert (sent.getpixel((0, 0)), sent.getpixel((0, 255))) == (0, 255), "white is changed"


# Styles -------------------------------------------------------------------------------------

MADE = {
    "id": "229b2a75-05e4-4580-85f9-b47ee521a00d",
    "style": "digital_illustration",
    "creation_time": "2026-11-30T12:00:00Z",
    "is_private": True,
    "credits": 40,
}


def of_pictures(model: str, count: int) -> ImageRequest:
    request = smallest(model)
    sizes = [(320 + 16 * place, 256) for place in range(count)]
    pictures = [InputImage("reference", picture("png", size), "image/png") for size in sizes]
    return ImageRequest(model, request.parameters, tuple(pictures))


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("recraft-style", {"style": "digital_illustration"}),
        ("recraft-vector-style", {"style": "vector_illustration"}),
        ("recraft-v4-style", {"model": "recraftv4_styles"}),
        ("recraft-v4-vector-style", {"model": "recraftv4_styles_vector"}),
    ],
)
def test_a_style_is_made_of_pictures_without_its_name_here(fake_provider, recraft, model, base):
    fake_provider.plan = [answer(MADE, x_request_id="r-1")]
    done = recraft.submit(of_pictures(model, 2), timeout=5)
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("POST", "/v1/styles")
    urls = [
        f"data:image/png;base64,{base64.b64encode(picture('png', (side, 256))).decode()}"
        for side in (320, 336)
    ]
    assert request.json == {**base, "image_urls": urls}
    [output] = done.outputs
    assert (output.kind, output.text, output.url) == (OutputKind.STYLE, MADE["id"], "")
    assert (done.cost, done.request_id) == (400, "r-1")


def test_gateways_take_the_pictures_of_a_style_as_numbered_files(fake_provider, at_gateway):
    fake_provider.plan = [answer({"id": MADE["id"]})]
    done = at_gateway.submit(of_pictures("recraft-style", 5), timeout=5)
    [request] = fake_provider.requests
    assert request.path == "/recraft/v1/styles"
    parts = read_multipart(request)
    assert set(parts) == {"style", "file1", "file2", "file3", "file4", "file5"}
    assert parts["style"].body == b"digital_illustration"
    assert parts["file2"].body == picture("png", (336, 256))
    assert (done.outputs[0].text, done.cost) == (MADE["id"], None)


@pytest.mark.parametrize(
    ("model", "fixed"), [("recraftv3", {"model": "recraftv3"}), ("recraftv3_vector", {"model": "recraftv3"})]
)
def test_a_made_style_is_sent_by_its_id_alone(fake_provider, recraft, model, fixed):
    recraft.submit(smallest(model, style=MADE["id"]), timeout=5)
    expected = {"prompt": "a harbour", "size": "1024x1024", "style_id": MADE["id"], **fixed}
    assert fake_provider.requests[0].json == expected


@pytest.mark.parametrize("model", STYLED)
def test_v4_draws_in_a_made_style_or_not_at_all(fake_provider, recraft, model):
    recraft.submit(smallest(model, style_match="flexible"), timeout=5)
    size = "2048x2048" if "pro" in model else "1024x1024"
    expected = {
        "prompt": "a harbour",
        "model": model,
        "size": size,
        "style_id": STYLE,
        "style_match": "flexible",
    }
    assert fake_provider.requests[0].json == expected
    with pytest.raises(Refused, match="Fill in"):
        recraft.submit(ImageRequest(model, {"prompt": "a harbour"}), timeout=5)


@pytest.mark.parametrize(
    "model",
    ["recraft-inpaint", "recraft-replace-background", "recraft-generate-background", "recraft-outpaint"],
)
def test_edits_draw_in_a_made_style_too(fake_provider, recraft, model):
    recraft.submit(smallest(model, style=MADE["id"]), timeout=5)
    parts = read_multipart(fake_provider.requests[0])
    assert parts["style_id"].body == MADE["id"].encode()
    assert "style" not in parts


@pytest.mark.parametrize("style", [None, 7, "", "x" * 101, "../styles", "a b", "<b>"])
def test_an_answer_without_a_usable_id_may_have_been_charged(fake_provider, recraft, style):
    fake_provider.plan = [answer(MADE | {"id": style})]
    with pytest.raises(Unknown):
        recraft.submit(of_pictures("recraft-style", 1), timeout=5)


# At gateways --------------------------------------------------------------------------------


@pytest.mark.parametrize("model", PROCESSING)
def test_gateways_call_the_image_a_file(fake_provider, at_gateway, model):
    at_gateway.submit(smallest(model), timeout=5)
    [request] = fake_provider.requests
    assert request.path.startswith("/recraft/v1/images/")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert read_multipart(request)["file"].filename == "image.png"


@pytest.mark.parametrize(
    ("model", "new", "old"),
    [
        ("recraft-crisp-upscale", "crispUpscale", "clarityUpscale"),
        ("recraft-creative-upscale", "creativeUpscale", "generativeUpscale"),
    ],
)
def test_an_upscale_is_found_under_both_names(fake_provider, recraft, at_gateway, model, new, old):
    missing = response(404, b"404 page not found", content_type="text/plain")
    for provider, names in ((recraft, [new, old]), (at_gateway, [old, new])):
        fake_provider.requests.clear()
        fake_provider.plan = [missing, answer(PROCESSED)]
        assert provider.submit(smallest(model), timeout=5).cost == 100
        assert [request.path.rpartition("/")[2] for request in fake_provider.requests] == names


@pytest.mark.parametrize("status", [500, 502, 504, 429])
def test_an_upscale_is_not_ordered_twice(fake_provider, recraft, status):
    fake_provider.plan = [response(status, b"trouble", content_type="text/plain")]
    with pytest.raises(Exception, match=str(status)):
        recraft.submit(smallest("recraft-creative-upscale"), timeout=5)
    assert len(fake_provider.requests) == 1


def test_a_gateways_own_name_of_a_model_is_sent(fake_provider, at_gateway):
    at_gateway.submit(ImageRequest("recraftv3", {"prompt": "a boat"}, wire_name="recraft-v3"), timeout=5)
    assert fake_provider.requests[0].json["model"] == "recraft-v3"


def test_the_address_may_end_with_the_version(fake_provider):
    fake_provider.plan = [answer(GENERATED)]
    provider = open_provider("recraft", f"{fake_provider.address}/v1/", KEY)
    provider.submit(smallest("recraftv4_1"), timeout=5)
    assert fake_provider.requests[0].path == "/v1/images/generations"


def test_results_come_from_recrafts_host_of_images_or_the_accounts_own():
    assert Recraft("https://api.example/recraft", KEY).result_hosts == ("img.recraft.ai", "api.example")
    assert KEY not in repr(Recraft("https://api.example", KEY))


# Answers ------------------------------------------------------------------------------------


def test_bytes_in_the_answer_are_taken_too(fake_provider, recraft):
    text = base64.b64encode(make_image("webp")).decode()
    fake_provider.plan = [answer({"credits": 40, "data": [{"image_id": "1", "b64_json": text}]})]
    [output] = recraft.submit(smallest("recraftv4_1", seed=7), timeout=5).outputs
    assert (output.media_type, output.seed, output.data) == ("image/webp", 7, make_image("webp"))


def test_a_drawing_that_nobody_asked_for_is_a_drawing(fake_provider, recraft):
    text = base64.b64encode(SVG).decode()
    fake_provider.plan = [answer({"credits": 80, "data": [{"image_id": "1", "b64_json": text}]})]
    done = recraft.submit(smallest("recraftv3", style="5f2a"), timeout=5)
    [output] = done.outputs
    assert (output.kind, output.media_type) == (OutputKind.SVG, "image/svg+xml")
    assert (output.width, output.height, done.cost) == (32, 16, 800)


@pytest.mark.parametrize("units", [None, "many", True, -1, 10**9, [40]])
def test_units_that_are_no_number_are_no_cost(fake_provider, recraft, units):
    fake_provider.plan = [answer(GENERATED | {"credits": units})]
    assert recraft.submit(smallest("recraftv4_1"), timeout=5).cost is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"data": []},
        {"data": [{"image_id": "1"}]},
        {"data": [{"url": 7}, "x"]},
        {"data": [{"b64_json": "bm8gaW1hZ2U="}]},
        {"image": {}},
        {"image": "x"},
    ],
)
def test_an_answer_without_an_image_may_have_been_charged(fake_provider, recraft, data):
    fake_provider.plan = [answer(data)]
    with pytest.raises(Unknown, match="without an image"):
        recraft.submit(smallest("recraftv4_1"), timeout=5)


def test_what_cannot_be_used_is_counted(fake_provider, recraft):
    entries = [{"url": URL}, {"b64_json": "bm8gaW1hZ2U="}]
    fake_provider.plan = [answer({"credits": 80, "data": entries})]
    done = recraft.submit(smallest("recraftv4_1"), timeout=5)
    assert (len(done.outputs), done.broken) == (1, 1)


# The account --------------------------------------------------------------------------------


def test_the_balance_is_in_units(fake_provider, recraft):
    fake_provider.plan = [answer({"id": "1", "email": "a@b.example", "name": "A", "credits": 1234})]
    assert recraft.balance(timeout=5) == 1234
    assert fake_provider.requests[0].path == "/v1/users/me"
    fake_provider.plan = [error(404, {"error": {"message": "Invalid URL (GET /v1/users/me)"}})]
    assert recraft.balance(timeout=5) is None
    declared = catalogue_registry.system("recraft")
    assert (declared.unit, declared.unit_value) == ("unit", 10)


def test_there_are_no_tasks(recraft):
    with pytest.raises(Unknown):
        recraft.poll(Task("1"), timeout=5)


def test_invalid_parameters_are_not_sent(fake_provider, recraft):
    with pytest.raises(Refused, match="Choose one of"):
        recraft.submit(smallest("recraftv3", style="no style"), timeout=5)
    with pytest.raises(Refused, match="Choose one of"):  # own styles are drawn in by V3 alone
        recraft.submit(smallest("recraftv2", style="229b2a75-05e4-4580-85f9-b47ee521a00d"), timeout=5)
    with pytest.raises(Refused, match="does not have the model"):
        recraft.submit(ImageRequest("core", {"prompt": "a boat"}), timeout=5)
    assert not fake_provider.requests
