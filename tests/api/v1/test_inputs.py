"""Models with their fields and inputs, uploads and masks, inputs by role, follow-ups, and what comes back."""

from __future__ import annotations

import io
import uuid

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image as Picture

from generations.api.v1.schemas.generations import DETAILS, GenerationIn, GenerationRequest
from generations.credits import ledger
from generations.credits.models import Account, Hold
from generations.jobs.models import Attempt, Batch, Generation, Status
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.providers.catalogue import fields as catalogue_fields
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Visibility
from tests.api.client import ApiClient, error
from tests.api.servers import poll_tasks
from tests.conftest import work
from tests.sandbox.conftest import encoded

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}
INPAINT = {"model": "inpaint", "prompt": "a red roof"}
SIZE = (96, 64)


@pytest.fixture
def member(make_member):
    return make_member("mei", granted=1_000)


def picture(size=SIZE):
    return Picture.linear_gradient("L").resize(size).convert("RGB")


def transparent(size=SIZE):
    """Opaque black with a transparent box."""
    made = Picture.new("RGBA", size, (0, 0, 0, 255))
    made.paste((0, 0, 0, 0), (10, 10, 40, 40))
    return made


def drawn(size=SIZE):
    """White strokes on a transparent layer."""
    made = Picture.new("RGBA", size, (0, 0, 0, 0))
    made.paste((255, 255, 255, 255), (10, 10, 40, 40))
    return made


def upload(api, file, **form):
    data = file if isinstance(file, bytes) else encoded(file)
    named = io.BytesIO(data)
    named.name = "file.png"
    headers = {"Authorization": f"Bearer {api.secret}"}
    return Client().post("/api/v1/uploads", {"image": named} | form, headers=headers)


def uploaded(api, file, **form):
    response = upload(api, file, **form)
    assert response.status_code == 201, response.content
    return response.json()["id"]


def field_of(response):
    return response.status_code, response.json()["error"].get("field")


def test_models_are_listed_with_the_names_of_the_contract(api, upstream):
    models = {model["name"]: model for model in api.get("/models").json()}
    assert set(models) == set(catalogue_registry.MODELS)
    for model in models.values():
        assert {"name", "title", "system", "operation", "output", "fields", "inputs", "price"} <= model.keys()
        assert model["output"] in {"image", "svg", "text", "file", "style"}
        for field in model["fields"]:
            assert {"name", "kind", "required", "default"} <= field.keys()
            assert field["kind"] == field["type"]
        for each in model["inputs"]:
            limits = {"max_pixels", "min_side", "max_ratio"}
            assert {"role", "minimum", "maximum", "media_types", "max_bytes"} | limits <= each.keys()
    inpaint = models["inpaint"]
    assert (inpaint["system"], inpaint["operation"], inpaint["output"]) == ("stability", "edit", "image")
    assert [(each["role"], each["minimum"], each["maximum"]) for each in inpaint["inputs"]] == [
        ("image", 1, 1),
        ("mask", 0, 1),
    ]
    fields = {field["name"]: field for field in inpaint["fields"]}
    assert fields["grow_mask"] == {
        "name": "grow_mask",
        "title": fields["grow_mask"]["title"],
        "help": fields["grow_mask"]["help"],
        "kind": "whole number",
        "type": "whole number",
        "required": False,
        "default": 5,
        "when": "always",
        "minimum": 0,
        "maximum": 100,
    }
    assert fields["prompt"]["max_length"] == fields["prompt"]["longest"] == 10_000
    assert fields["output_format"]["choices"] == ["png", "jpeg", "webp"]
    assert "minimum" not in fields["prompt"]
    assert fields["start_image"]["required"]  # for programs that do not know `inputs`
    assert models["replace-background-and-relight"]["operation"] == "relight"


def test_every_field_and_kind_of_the_catalogue_is_in_the_schema(client):
    sent = {
        field.name for model in catalogue_registry.MODELS.values() for field in model.fields if field.kind
    }
    assert sent | set(GenerationRequest.model_fields) == set(GenerationIn.model_fields)
    assert not sent & set(GenerationRequest.model_fields)
    assert set(DETAILS) <= sent
    properties = client.get("/api/v1/openapi.json").json()["components"]["schemas"]["GenerationIn"][
        "properties"
    ]
    assert {"left", "creativity", "search_prompt", "inputs", "action"} <= properties.keys()
    for name, schema in properties.items():
        assert schema["description"], name
    assert {"type": "boolean"} in properties["keep_original_background"]["anyOf"]
    assert {"type": "integer"} in properties["left"]["anyOf"]
    kinds = catalogue_fields.Field.__subclasses__()
    assert {kind.__name__ for kind in kinds if kind.kind is catalogue_fields.Field.kind} == {"WeightedTexts"}


@pytest.mark.parametrize(("mask", "alpha"), [(transparent(), "edit"), (drawn(), "draw"), (drawn(), None)])
def test_a_mask_is_uploaded_and_sent_beside_its_image(api, member, upstream, provider, mask, alpha):
    form = {"role": "mask"} | ({"alpha": alpha} if alpha else {})
    inputs = {"image": [uploaded(api, picture())], "mask": [uploaded(api, mask, **form)]}
    batch = api.post("/generations", INPAINT | {"inputs": inputs, "grow_mask": 3})
    assert batch.status_code == 202, batch.content
    assert batch.json()["inputs"] == inputs
    assert batch.json()["start_image"] == inputs["image"][0]
    stored = Picture.open(io.BytesIO(storage_client.read(Upload.objects.get(pk=inputs["mask"][0]).key)))
    assert (stored.mode, stored.getpixel((20, 20)), stored.getpixel((80, 50))) == ("L", 255, 0)
    assert work() == 1
    assert set(provider.calls()[-1]["files"]) == {"image", "mask"}
    done = api.get(batch.json()["links"]["self"].removeprefix("/api/v1")).json()
    [generation] = done["generations"]
    assert generation["outputs"] == [
        {"kind": "image", "media_type": "image/png", "image": generation["image"], "text": None}
    ]
    assert generation["inputs"] == inputs
    assert (generation["progress"], generation["message"]) == (None, "")


def test_an_image_of_the_library_is_edited_and_remembered_as_the_parent(api, upstream):
    api.post("/generations", HARBOUR)
    work()
    source = api.get("/images").json()["items"][0]["id"]
    batch = api.post("/generations", {"model": "upscale-fast", "inputs": {"image": [source]}}).json()
    assert batch["parent"] == source
    assert batch["inputs"]["image"] != [source]  # a copy, as the model takes it
    work()
    made = api.get(f"/batches/{batch['id']}").json()["generations"][0]["image"]
    image = api.get(f"/images/{made}").json()
    assert (image["parent"], image["kind"], image["actions"]) == (source, "image", [])
    mask = api.post("/generations", INPAINT | {"inputs": {"image": [made], "mask": [made]}})
    assert mask.status_code == 202  # its grey is the mask
    again = api.post("/generations", {"model": "upscale-fast", "parent": source, "start_image": made}).json()
    assert again["parent"] == source


def test_without_credits_no_image_of_the_library_is_copied(api, upstream, member):
    api.post("/generations", HARBOUR)
    work()
    source = api.get("/images").json()["items"][0]["id"]
    ledger.take_back(
        member=member, amount=Account.objects.get(membership=member).available, reference=uuid.uuid4()
    )
    request = {"model": "upscale-fast", "inputs": {"image": [source]}}
    assert error(api.post("/generations", request)) == (402, "insufficient_credits")
    assert not Upload.objects.exists()


def test_a_task_says_that_it_is_submitted_its_progress_and_what_the_provider_says(api, upstream):
    request = {"model": "upscale-creative", "prompt": "x", "inputs": {"image": [uploaded(api, picture())]}}
    batch = api.post("/generations", request).json()
    work()
    Attempt.objects.update(progress=40, message="third in the queue")
    path = f"/generations/{batch['generations'][0]['id']}"
    shown = api.get(path).json()
    assert (shown["status"], shown["progress"]) == ("submitted", 40)
    assert shown["message"] == "third in the queue"
    assert api.get("/generations?status=submitted").json()["items"] == [shown]
    assert not api.get(f"/batches/{batch['id']}").json()["finished"]
    assert error(api.post(f"{path}/cancel")) == (409, "not_waiting")
    while poll_tasks():
        pass
    done = api.get(path).json()
    assert (done["status"], done["progress"], done["message"]) == ("succeeded", None, "")
    assert len(done["outputs"]) == 1


def test_all_results_are_listed_in_order_and_a_text_as_text(api, upstream, member):
    batch = api.post("/generations", HARBOUR).json()
    work()
    row = Generation.objects.get()
    text = "a harbour, “dawn”"
    facts = {"team": member.team, "owner": member, "generation": row.pk, "width": 0, "height": 0}
    facts |= {"media_type": "text/plain", "key": "images/text", "bytes": 20, "sha256": "0"}
    Image.objects.create(**facts, position=1, kind="text", text=text)
    shown = api.get(f"/batches/{batch['id']}").json()["generations"][0]
    assert [(each["kind"], each["text"]) for each in shown["outputs"]] == [("image", None), ("text", text)]
    assert shown["image"] == shown["outputs"][0]["image"]
    Image.objects.update(trashed_at=timezone.now())
    gone = api.get(f"/batches/{batch['id']}").json()["generations"][0]
    assert (gone["image"], gone["outputs"]) == (None, [])


def test_a_next_step_continues_an_image_by_the_account_that_made_it(api, upstream):
    api.post("/generations", HARBOUR)
    work()
    image = Image.objects.get()
    image.actions = [{"name": "zoom", "title": "Zoom out", "state": {"index": 2}}]
    image.save()
    shown = api.get(f"/images/{image.pk}").json()
    assert shown["actions"] == [{"name": "zoom", "title": "Zoom out"}]  # the state is the provider's
    batch = api.post("/generations", {"model": "core", "parent": str(image.pk), "action": "zoom"})
    assert batch.status_code == 202, batch.content
    assert (batch.json()["parent"], batch.json()["action"]) == (str(image.pk), "zoom")
    assert batch.json()["parameters"] == image.parameters | {"next_step": batch.json()["action"]}
    assert Generation.objects.latest("created_at").pinned_to == upstream
    wrong = {"model": "core", "parent": str(image.pk), "action": "pan"}
    assert field_of(api.post("/generations", wrong)) == (422, "action")
    assert field_of(api.post("/generations", HARBOUR | {"action": "zoom"})) == (422, "action")
    assert field_of(api.post("/generations", HARBOUR | {"parent": str(uuid.uuid4())})) == (404, "parent")


def test_wrong_inputs_name_their_role_and_nothing_is_held_or_copied(api, upstream, make_member):
    other = ApiClient(make_member("tom"))
    other.post("/generations", HARBOUR | {"visibility": "private"})
    work()
    foreign = str(Image.objects.get().pk)
    api.post("/generations", HARBOUR)
    work()
    own = str(Image.objects.exclude(pk=foreign).get().pk)
    image, large = uploaded(api, picture()), uploaded(api, picture((640, 64)))
    mask, small = (uploaded(api, drawn(size), role="mask") for size in (SIZE, (80, 64)))
    jpeg = io.BytesIO()
    picture((90, 64)).save(jpeg, "JPEG")
    photo = uploaded(api, jpeg.getvalue())
    given = {"image": [image], "mask": [mask]}
    cases = [
        (INPAINT | {"inputs": given | {"mask": [small]}}, "mask", 422),
        (INPAINT | {"inputs": given | {"mask": [photo]}}, "mask", 422),
        (INPAINT | {"inputs": {"mask": [mask]}}, "image", 422),
        (INPAINT | {"inputs": {"image": [image]}}, "mask", 422),
        (INPAINT | {"inputs": given | {"style": [image]}}, "style", 422),
        (INPAINT | {"inputs": given | {"image": [image] * 17}}, "image", 422),
        (INPAINT | {"inputs": given | {"image": [image] * 101}}, "inputs.image", 422),
        (INPAINT | {"inputs": given, "start_image": image}, "start_image", 422),
        (INPAINT | {"inputs": given, "left": 5}, "left", 422),
        (INPAINT | {"inputs": {"image": ["cat.png"]}}, "inputs.image.0", 422),
        (INPAINT | {"inputs": "cat.png"}, "inputs", 422),
        (INPAINT | {"inputs": given | {"mask": [str(uuid.uuid4())]}}, "mask", 404),
        (INPAINT | {"inputs": given | {"image": [foreign]}}, "image", 404),
        (INPAINT | {"inputs": given | {"image": [uploaded(other, picture((70, 70)))]}}, "image", 404),
        (HARBOUR | {"inputs": {"image": [image]}}, "image", 422),
        (HARBOUR | {"left": 5}, "left", 422),
        ({"model": "outpaint", "inputs": {"image": [large]}, "left": 5}, "image", 422),
        ({"model": "outpaint", "inputs": {"image": [image]}}, "left", 422),
        ({"model": "outpaint", "inputs": {"image": [image]}, "left": 2_001}, "left", 422),
        ({"model": "upscale-creative", "inputs": {"image": [own]}}, "prompt", 422),
        ({"model": "upscale-fast", "inputs": {"image": [own, own]}}, "image", 422),
        ({"model": "vectorize", "inputs": {"image": [image]}}, "model", 422),
        ({"model": "sdxl", "prompt": "x", "text_prompts": [{"text": "y", "weight": 1}]}, "text_prompts", 422),
    ]
    before = Upload.objects.count(), Batch.objects.count()
    for payload, field, status in cases:
        assert field_of(api.post("/generations", payload)) == (status, field), payload
    assert (Upload.objects.count(), Batch.objects.count()) == before
    assert not Hold.objects.filter(state="open").exists()


def test_an_image_that_a_token_may_not_see_is_no_input(api, upstream, member):
    api.post("/generations", HARBOUR)
    work()
    made = str(Image.objects.get().pk)
    narrow = ApiClient(member, "generate")
    request = {"model": "upscale-fast", "inputs": {"image": [made]}}
    assert field_of(narrow.post("/generations", request)) == (404, "image")
    Image.objects.update(visibility=Visibility.PRIVATE)
    assert api.post("/generations", request).status_code == 202


def test_what_is_no_picture_cannot_be_an_input(api, upstream, member):
    storage_client.put("images/text", b"a harbour", media_type="text/plain")
    text = Image.objects.create(
        team=member.team, owner=member, kind="text", media_type="text/plain", key="images/text",
        bytes=9, sha256="0", width=0, height=0,
    )  # fmt: skip
    request = {"model": "upscale-fast", "inputs": {"image": [str(text.pk)]}}
    assert field_of(api.post("/generations", request)) == (422, "image")


BAD_UPLOADS = [
    (Picture.new("1", (7_000, 5_800)), {}, "image"),  # over 40 million pixels
    (b"a picture", {}, "image"),
    (b"", {}, "image"),
    (picture(), {"role": "mask", "alpha": "edit"}, "image"),  # nothing is transparent
    (picture(), {"role": "mask", "alpha": "keep"}, "alpha"),
    (picture(), {"role": "sword"}, "role"),
]


def test_a_bad_upload_names_the_field_and_is_not_stored(api, upstream):
    for file, form, field in BAD_UPLOADS:
        assert field_of(upload(api, file, **form)) == (422, field), form
    jpeg = io.BytesIO()
    picture().save(jpeg, "JPEG")
    refused = upload(api, jpeg.getvalue(), role="mask")
    assert field_of(refused) == (422, "image")
    assert "PNG" in refused.json()["error"]["message"]
    assert not Upload.objects.exists()


def test_a_list_of_generations_takes_as_many_queries_as_one(api, upstream, django_assert_max_num_queries):
    image = uploaded(api, picture())
    for count in (1, 4):
        request = {"model": "ultra", "prompt": "x", "strength": 0.5, "start_image": image, "count": count}
        api.post("/generations", request)
    work()
    with django_assert_max_num_queries(14) as counted:
        assert len(api.get("/generations?limit=1").json()["items"]) == 1
    one = len(counted)
    with django_assert_max_num_queries(one):
        assert len(api.get("/generations").json()["items"]) == 5
    assert Generation.objects.filter(status=Status.SUCCEEDED).count() == 5
