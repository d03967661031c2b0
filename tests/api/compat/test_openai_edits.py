"""OpenAI's image edits, with OpenAI's own client and with what other clients send."""

from __future__ import annotations

import base64
import io

import openai
import pytest
import requests
from PIL import Image as Pillow

from generations.api.compat import openai_edits
from generations.credits.models import Hold
from generations.jobs.models import Batch, BatchInput, Generation
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.providers.base import Done, Output
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Text
from generations.providers.catalogue.inputs import Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership
from generations.upstreams import accounts
from tests.api.conftest import EDITS
from tests.jobs.create import any_model
from tests.sandbox.conftest import encoded

PROMPT = "a red roof"
SIZE = (160, 96)


def image(size=SIZE):
    return Pillow.linear_gradient("L").resize(size).convert("RGB")


def mask(size=SIZE):
    """Transparent where the image shall change, as OpenAI has it."""
    made = Pillow.new("RGBA", size, (0, 0, 0, 255))
    made.paste((0, 0, 0, 0), (20, 20, 60, 60))
    return made


@pytest.fixture
def client(portal, secret):
    return openai.OpenAI(base_url=f"{portal}/v1", api_key=secret, max_retries=0, timeout=120)


@pytest.fixture
def idle(idle_portal, secret):
    return openai.OpenAI(base_url=f"{idle_portal}/v1", api_key=secret, max_retries=0, timeout=120)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "house.png"
    image().save(path)
    return path


def sent(provider):
    return next(call for call in reversed(provider.calls()) if call["method"] == "POST")


def is_picture(entry):
    Pillow.open(io.BytesIO(base64.b64decode(entry.b64_json))).load()
    return True


def test_the_official_client_edits_under_a_mask(client, member, provider, file):
    with file.open("rb") as opened:
        done = client.images.edit(
            model="gpt-image-1",
            image=opened,
            mask=("mask.png", encoded(mask()), "image/png"),
            prompt=PROMPT,
            size="auto",
            quality="high",
            background="auto",
            input_fidelity="high",
            user="somebody",
        )
    assert is_picture(done.data[0])
    call = sent(provider)
    assert call["path"].endswith("edit/inpaint")
    assert set(call["files"]) == {"image", "mask"}
    white = BatchInput.objects.get(role="mask").upload
    drawn = Pillow.open(io.BytesIO(storage_client.read(white.key)))
    assert (drawn.mode, drawn.getpixel((40, 40)), drawn.getpixel((100, 80))) == ("L", 255, 0)
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00 - 5_00
    assert Image.objects.get().model == "inpaint"


def test_without_a_mask_the_image_is_redrawn_with_a_strength(client, provider, file):
    done = client.images.edit(image=file, prompt=PROMPT, n=2, response_format="b64_json")
    assert len([entry for entry in done.data if is_picture(entry)]) == 2
    call = sent(provider)
    assert call["path"].endswith("generate/sd3")
    assert (call["fields"]["mode"], call["fields"]["strength"]) == ("image-to-image", "0.6")
    assert Batch.objects.get().count == 2
    assert Batch.objects.get().parameters == {"prompt": PROMPT, "strength": 0.6}


def test_the_clients_kinds_of_files_are_all_accepted(client, file):
    kinds = [
        file,
        file.read_bytes(),
        io.BytesIO(file.read_bytes()),
        ("a/whole/path/unknown_file", file.read_bytes(), "application/octet-stream"),
        [file.read_bytes()],  # one under image[]
    ]
    for given in kinds:
        client.images.edit(image=given, prompt=PROMPT)
    assert Generation.objects.filter(status="succeeded").count() == len(kinds)
    assert Upload.objects.count() == 1


def test_a_model_that_takes_an_image_may_be_named_with_its_fields(client, provider):
    wide = encoded(image((320, 180)))
    client.images.edit(image=wide, prompt=PROMPT, model="ultra", extra_body={"strength": "0.4", "seed": "9"})
    parameters = Batch.objects.get().parameters
    assert parameters == {"prompt": PROMPT, "aspect_ratio": "16:9", "strength": 0.4, "seed": 9}
    client.images.edit(image=wide, prompt=PROMPT, model="ultra", size="1024x1536")
    assert Batch.objects.latest("created_at").parameters["aspect_ratio"] == "2:3"
    client.images.edit(image=wide, prompt="", model="upscale-fast")
    assert sent(provider)["path"].endswith("upscale/fast")


def data_url(made):
    return "data:image/png;base64," + base64.b64encode(encoded(made)).decode()


def test_the_json_form_takes_data_addresses(portal, bearer, provider):
    body = {
        "prompt": PROMPT,
        "images": [{"image_url": data_url(image())}],
        "mask": {"image_url": data_url(mask())},
        "response_format": "b64_json",
    }
    response = requests.post(portal + EDITS, headers=bearer, json=body, timeout=120)
    assert response.status_code == 200, response.text
    assert response.json()["data"][0]["b64_json"]
    assert set(sent(provider)["files"]) == {"image", "mask"}


def post(address, headers, parts, **fields):
    """Send parts as (name, bytes), in this order, with a mask or a prompt first."""
    files = [(name, ("blob", data, "text/plain")) for name, data in parts]
    return requests.post(
        address + EDITS, headers=headers, files=files, data={"prompt": PROMPT} | fields, timeout=120
    )


@pytest.mark.parametrize("name", ["image", "image[]", "image[0]"])
def test_an_image_is_found_under_each_name_whatever_its_content_type(portal, bearer, name):
    parts = [("mask", encoded(mask())), (name, encoded(image()))]
    response = post(portal, bearer, parts, stream="false", n="1", response_format="url")
    assert response.status_code == 200, response.text
    assert Batch.objects.get().model == "inpaint"
    assert requests.get(response.json()["data"][0]["url"], timeout=120).status_code == 200


def test_a_body_that_comes_in_chunks_without_a_length_is_read(portal, bearer):
    boundary = "boundary-of-the-parts"

    def chunks():
        for name, value in (("prompt", PROMPT.encode()), ("image[]", encoded(image()))):
            file = '; filename="upload"' if name != "prompt" else ""
            yield (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
                + value
                + b"\r\n"
            )
        yield f"--{boundary}--\r\n".encode()

    headers = bearer | {"content-type": f"multipart/form-data; boundary={boundary}"}
    response = requests.post(portal + EDITS, headers=headers, data=chunks(), timeout=120)
    assert response.status_code == 200, response.text


def error(response):
    return response.status_code, response.json()["error"]["param"], response.json()["error"]["message"]


def refusals(address, headers):
    """Requests that are refused, each with the field and words of its error."""
    good, blank = ("image", encoded(image())), Pillow.new("RGB", (7_000, 5_800))
    yield post(address, headers, [("picture", b"x")]), "image", "toFile"
    buffer = [(f"image[{index}]", b"7") for index in range(150)]
    yield post(address, headers, buffer), "image", "not a Buffer"
    yield post(address, headers, [("image[]", encoded(image())) for _ in range(17)]), "image", "16 images"
    yield post(address, headers, [("image[]", encoded(image())) for _ in range(2)]), "image", "takes 1 image"
    yield post(address, headers, [("image", b"house.png")]), "image", "not a PNG"
    yield post(address, headers, [("image", encoded(blank))]), "image", "too many pixels"
    yield post(address, headers, [good, ("mask", encoded(mask((80, 96))))]), "mask", "must be the same"
    jpeg = io.BytesIO()
    image().save(jpeg, "JPEG")
    yield post(address, headers, [good, ("mask", jpeg.getvalue())]), "mask", "PNG"
    yield post(address, headers, [good, ("mask", encoded(image()))]), "mask", "no transparent part"
    yield post(address, headers, [good, ("mask", encoded(mask()))], model="ultra"), "mask", "does not take"
    yield post(address, headers, [good], model="core"), "image", "start image"
    yield post(address, headers, [good], stream="true"), "stream", "not supported"
    yield post(address, headers, [good], size="large"), "size", "auto"
    yield post(address, headers, [good], prompt=""), "prompt", "Fill in"
    yield post(address, headers, [good], n="11"), "n", "between 1 and 10"
    for link in ({"file_id": "file-1"}, {"image_url": "https://host.example/a.png"}, {"image_url": 7}, 7):
        body = {"prompt": PROMPT, "images": [link]}
        yield requests.post(address + EDITS, headers=headers, json=body, timeout=120), "images", "data:image"
    empty = {"prompt": PROMPT, "images": [{"image_url": "data:image/png;base64,%%%"}]}
    yield requests.post(address + EDITS, headers=headers, json=empty, timeout=120), "images", "base64"


def test_wrong_input_names_the_field_and_nothing_is_held(idle_portal, bearer, member):
    for response, field, words in refusals(idle_portal, bearer):
        status, param, message = error(response)
        assert (status, param) == (400, field), response.text
        assert words in message
    assert not Generation.objects.exists()
    assert not Hold.objects.exists()
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00


def test_the_client_gets_its_exceptions(idle):
    with pytest.raises(openai.BadRequestError, match="not supported"):
        idle.images.edit(image=encoded(image()), prompt=PROMPT, stream=True)
    with pytest.raises(openai.NotFoundError) as refused:
        idle.images.edit(image=encoded(image()), prompt=PROMPT, model="nano-banana")
    assert refused.value.code == "model_not_found"


def test_without_credits_nothing_of_a_call_is_stored(idle_portal, issue, make_member):
    headers = {"authorization": f"Bearer {issue(by=make_member('poor', granted=1))}"}
    for key in ({}, {"idempotency-key": "once"}):
        response = post(idle_portal, headers | key, [("image", encoded(image()))])
        assert (response.status_code, response.json()["error"]["code"]) == (429, "insufficient_quota")
    assert not Upload.objects.exists()


def test_a_body_may_have_fifty_megabytes_and_no_more(idle_portal, bearer):
    headers = bearer | {"content-type": "application/json"}
    large = b'{"prompt": "' + b"x" * (50 * 1024 * 1024) + b'"}'
    response = requests.post(idle_portal + EDITS, headers=headers, data=large, timeout=120)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")
    response = requests.post(idle_portal + EDITS, headers=headers, data=large[:-200] + b'"}', timeout=120)
    assert error(response)[:2] == (400, "image")  # it was read whole


@pytest.fixture
def collage(monkeypatch):
    """A model for one image and three references, and a provider that draws whatever it is asked for."""
    fields = (Text(name="prompt", title="Prompt", required=True, max_length=500),)
    inputs = (Input(role="image", title="Image"), Input(role="reference", title="Reference", maximum=3))
    model = Model(
        "collage",
        "Collage",
        "Several images",
        150,
        5,
        {},
        fields,
        operations=(Operation.EDIT,),
        inputs=inputs,
    )
    any_model.add(monkeypatch, model)
    drawing = Drawing()
    monkeypatch.setattr(accounts, "provider", lambda _upstream: drawing)
    return drawing


class Drawing:
    """A provider that draws at once; `orders` are what it was asked for."""

    polls_count_as_calls, result_hosts = True, ()

    def __init__(self):
        self.orders = []

    def submit(self, request, *, timeout):
        self.orders.append(request)
        return Done((Output(encoded(image()), "image/png", *SIZE),))


def colors(request):
    return [Pillow.open(io.BytesIO(each.data)).convert("RGB").getpixel((9, 9)) for each in request.inputs]


@pytest.mark.parametrize("model", ["collage", "gpt-image-1", None])
def test_several_images_go_to_a_model_that_takes_several_in_their_order(client, collage, model):
    names = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
    files = [encoded(Pillow.new("RGB", SIZE, name)) for name in names]
    done = client.images.edit(
        image=files, prompt=PROMPT, response_format="b64_json", **({"model": model} if model else {})
    )
    assert is_picture(done.data[0])
    [order] = collage.orders
    assert order.model == "collage"
    assert [each.role for each in order.inputs] == ["image", "reference", "reference"]
    assert colors(order) == list(names.values())
    assert Batch.objects.get().model == "collage"


def test_more_images_than_a_model_takes_name_its_number_and_models_that_take_as_many(idle, collage):
    for model, count, words in (
        ("sd3.5-large", 2, r"sd3\.5-large takes 1 image; these are 2\. Models that take as many: collage\."),
        ("collage", 5, r"collage takes at most 4 images; these are 5\. No model here takes as many\."),
        ("gpt-image-1", 5, "No model here takes as many"),
    ):
        with pytest.raises(openai.BadRequestError, match=words) as refused:
            idle.images.edit(image=[encoded(image())] * count, prompt=PROMPT, model=model)
        assert (refused.value.param, refused.value.type) == ("image", "invalid_request_error")
    assert not Upload.objects.exists()


def test_a_repeated_key_returns_the_same_edit_and_another_mask_is_a_conflict(portal, bearer):
    headers = bearer | {"idempotency-key": "k"}
    parts = [("image", encoded(image())), ("mask", encoded(mask()))]
    first, again = (post(portal, headers, parts, response_format="b64_json") for _ in range(2))
    assert first.json()["data"] == again.json()["data"]
    assert Generation.objects.count() == 1
    whole = Pillow.new("RGBA", SIZE, (0, 0, 0, 0))
    other = post(portal, headers, [parts[0], ("mask", encoded(whole))])
    assert error(other)[0] == 409


def test_the_models_that_serve_openais_names_take_what_is_sent_to_them():
    masked, plain = map(catalogue_registry.get, (openai_edits.MASK_MODEL, openai_edits.IMAGE_MODEL))
    assert masked.input("image")
    assert masked.input("mask")
    assert plain.input("image")
    assert plain.field("strength").suggested
