"""Requests in OpenAI's format: what was chosen, and nothing else."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from generations.providers import open_provider
from generations.providers.base import ImageRequest, InputImage, Refused, Task, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import InvalidParameters
from generations.providers.openai.client import RESPONSE_FORMATS, OpenAI
from tests.providers.fake_provider import KEY, error, make_image
from tests.providers.openai.conftest import MODEL, PICTURE, answer, body_of, parts_of, refusal, texts_of

MODELS = catalogue_registry.names_of_system("openai")
FREE = ["2048x1152", "3840x2160", "1008x1008", "3072x1024", "auto"]
NOT_DRAWN = [
    "1000x1000",
    "3856x1024",
    "3088x1024",
    "512x512",
    "1024",
    "1024x1024x3",
    "x",
    "0x1024",
    "4096x2160",
]


def painted(size=(64, 48)):
    """A mask of ours: its left half is white."""
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    mask.save(file, "PNG")
    return InputImage("mask", file.getvalue(), "image/png")


IMAGE = InputImage("image", PICTURE, "image/png")
PHOTO = InputImage("image", make_image("jpeg"), "image/jpeg")


@pytest.mark.parametrize("model", MODELS)
def test_the_smallest_request_has_model_prompt_and_a_square(fake_provider, draw, model):
    assert draw(model).outputs[0].data == PICTURE
    [request] = fake_provider.requests
    assert (request.method, request.path) == ("POST", "/v1/images/generations")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert body_of(request) == {"model": model, "prompt": "a harbour", "size": "1024x1024"}


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_the_address_may_be_given_with_its_version(fake_provider, draw, suffix):
    draw(by=open_provider("openai", fake_provider.address + suffix, KEY))
    assert fake_provider.requests[0].path == "/v1/images/generations"


def test_what_is_usual_is_not_sent_so_that_gateways_need_not_know_it(fake_provider, draw):
    usual = {"quality": "auto", "background": "auto", "moderation": "auto", "output_format": "png"}
    draw(**usual, output_compression="")
    assert body_of(fake_provider.requests[0]).keys() == {"model", "prompt", "size"}


def test_everything_else_that_was_chosen_is_sent(fake_provider, draw):
    chosen = {
        "quality": "max",
        "background": "transparent",
        "moderation": "low",
        "output_format": "webp",
        "output_compression": 40,
    }
    draw(**chosen)
    assert body_of(fake_provider.requests[0]).items() >= chosen.items()


@pytest.mark.parametrize(("shape", "size"), catalogue_registry.get(MODEL).sizes.items())
def test_a_shape_is_sent_as_a_size_that_the_models_draw(fake_provider, draw, shape, size):
    draw(aspect_ratio=shape)
    assert body_of(fake_provider.requests[0])["size"] == f"{size[0]}x{size[1]}"
    assert catalogue_registry.validate(
        catalogue_registry.get(MODEL), {"prompt": "a", "size": f"{size[0]}x{size[1]}"}
    )
    across, down = map(int, shape.split(":"))
    assert size[0] / size[1] == pytest.approx(across / down, rel=0.01)


@pytest.mark.parametrize("size", FREE)
def test_an_exact_size_goes_before_the_shape(fake_provider, draw, size):
    draw(size=size, aspect_ratio="1:1")
    assert body_of(fake_provider.requests[0])["size"] == ("1024x1024" if size == "auto" else size)


@pytest.mark.parametrize("size", NOT_DRAWN)
def test_a_size_that_is_not_drawn_is_refused_before_anything_is_sent(fake_provider, draw, size):
    with pytest.raises(Refused, match="size"):
        draw(size=size)
    assert not fake_provider.requests


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"background": "transparent", "output_format": "jpeg"}, "output_format"),
        ({"output_compression": 50}, "output_compression"),
        ({"output_format": "svg", "output_compression": 50}, "output_compression"),
        ({"output_format": "svg", "background": "transparent"}, "output_format"),
        ({"output_format": "gif"}, "output_format"),
        ({"quality": "hd"}, "quality"),
        ({"prompt": "x" * 32_001}, "prompt"),
    ],
)
def test_what_does_not_go_together_is_said_at_its_field(wrong, field):
    with pytest.raises(InvalidParameters) as caught:
        catalogue_registry.validate(catalogue_registry.get(MODEL), {"prompt": "a"} | wrong)
    assert set(caught.value.errors) == {field}


def test_an_svg_is_drawn_from_a_prompt_alone():
    model, fields = catalogue_registry.get(MODEL), {"prompt": "a", "output_format": "svg"}
    assert catalogue_registry.validate(model, fields) == fields
    with pytest.raises(InvalidParameters) as caught:
        catalogue_registry.validate(model, fields, roles={"image"})
    assert set(caught.value.errors) == {"output_format"}


def test_an_svg_that_comes_as_base64_is_a_drawing(fake_provider, draw):
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6"><path d="M0 0h1"/></svg>'
    entry = {"b64_json": base64.b64encode(drawing).decode()}
    answered = error(200, {"data": [entry], "output_format": "svg"})
    [output] = draw(answered=answered, output_format="svg").outputs
    assert (output.kind, output.media_type, output.data) == ("svg", "image/svg+xml", drawing)
    assert (output.width, output.height) == (8, 6)
    assert body_of(fake_provider.requests[0])["output_format"] == "svg"


def test_only_newer_models_have_the_two_highest_qualities():
    qualities = {name: catalogue_registry.get(name).field("quality").values for name in MODELS}
    assert {name for name, values in qualities.items() if "max" not in values} == {"gpt-image-2"}


def test_one_image_is_sent_as_image(fake_provider, draw):
    draw(inputs=(PHOTO,), quality="low")
    [request] = fake_provider.requests
    assert request.path == "/v1/images/edits"
    [sent] = [part for part in parts_of(request) if part.file_name]
    assert (sent.name, sent.data) == ("image", PHOTO.data)
    assert texts_of(request) == {"model": MODEL, "prompt": "a harbour", "quality": "low"}


def test_several_images_are_sent_in_their_order(fake_provider, draw):
    draw(inputs=(PHOTO, IMAGE, PHOTO))
    sent = [(part.name, part.data) for part in parts_of(fake_provider.requests[0]) if part.file_name]
    assert sent == [("image[]", PHOTO.data), ("image[]", IMAGE.data), ("image[]", PHOTO.data)]


def test_the_size_of_an_edit_is_only_sent_if_it_is_asked_for(fake_provider, draw):
    draw(inputs=(IMAGE,), size="1536x1024", aspect_ratio="9:16")
    assert texts_of(fake_provider.requests[0])["size"] == "1536x1024"


def test_what_is_white_in_a_mask_is_transparent_in_the_one_that_is_sent(fake_provider, draw):
    draw(inputs=(IMAGE, painted()))
    [sent] = [part for part in parts_of(fake_provider.requests[0]) if part.name == "mask"]
    with Image.open(io.BytesIO(sent.data)) as mask:
        assert (mask.format, mask.mode, mask.size) == ("PNG", "RGBA", (64, 48))
        alpha = mask.getchannel("A")
    assert alpha.crop((0, 0, 32, 48)).getextrema() == (0, 0)
    assert alpha.crop((32, 0, 64, 48)).getextrema() == (255, 255)


@pytest.mark.parametrize("kind", ["url", "b64_json"])
def test_response_format_is_only_sent_where_the_account_says_so(fake_provider, draw, kind):
    draw(by=OpenAI(fake_provider.address, KEY, at_gateway=True))
    asking = OpenAI(fake_provider.address, KEY, at_gateway=True, dialect=kind)
    draw(by=asking)
    draw(by=asking, inputs=(IMAGE,))
    silent, asked, edit = fake_provider.requests
    assert "response_format" not in body_of(silent)
    assert body_of(asked)["response_format"] == texts_of(edit)["response_format"] == kind


@pytest.mark.parametrize("inputs", [(), (IMAGE,)])
def test_a_gateway_is_asked_for_its_own_name_of_a_model(fake_provider, gateway, inputs):
    fake_provider.plan = [answer()]
    request = ImageRequest(MODEL, {"prompt": "a harbour"}, inputs, wire_name="dall-e-3")
    gateway.submit(request, timeout=5)
    [sent] = fake_provider.requests
    assert (texts_of(sent) if inputs else body_of(sent))["model"] == "dall-e-3"


def test_every_dialect_of_the_system_is_one_of_the_client():
    assert set(catalogue_registry.system("openai").dialects) == {"", *RESPONSE_FORMATS}


def test_the_free_question_shows_whether_the_key_is_taken(fake_provider, openai):
    fake_provider.plan = [
        error(200, {"object": "list", "data": []}),
        error(404, {}),
        refusal(401, "invalid_api_key"),
    ]
    assert openai.balance(timeout=5) is None
    assert openai.balance(timeout=5) is None
    with pytest.raises(Unavailable):
        openai.balance(timeout=5)
    assert {request.path for request in fake_provider.requests} == {"/v1/models"}


def test_there_are_no_tasks(openai):
    with pytest.raises(Refused):
        openai.poll(Task("1"), timeout=5)


def test_the_key_is_not_in_the_representation(openai):
    assert KEY not in repr(openai)
