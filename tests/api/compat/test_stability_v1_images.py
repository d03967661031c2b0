"""Stability's v1 image to image and masking, and SD 1.6."""

from __future__ import annotations

import base64
import io

import pytest
import requests
from PIL import Image as Pillow

from generations.credits.models import Hold
from generations.jobs.models import Batch, BatchInput, Generation
from generations.library.storage import client as storage_client
from generations.teams.models import Membership
from tests.sandbox.conftest import encoded

SDXL, SD16 = "stable-diffusion-xl-1024-v1-0", "stable-diffusion-v1-6"
PROMPT = {"text_prompts[0][text]": "a lighthouse on a cliff"}
SIZE = (512, 512)


def image():
    return Pillow.linear_gradient("L").resize(SIZE).convert("RGB")


def mask(fill=255, ground=0):
    made = Pillow.new("L", SIZE, ground)
    made.paste(fill, (100, 100, 200, 200))
    return made


def ask(address, headers, files, data=None, engine=SD16, masking=False, prefix=""):
    parts = {name: (f"{name}.png", encoded(file)) for name, file in files.items()}
    return requests.post(
        f"{address}{prefix}/v1/generation/{engine}/image-to-image{'/masking' if masking else ''}",
        headers=headers,
        files=parts or {"none": ""},
        data=PROMPT if data is None else PROMPT | data,
        timeout=120,
    )


def sent(provider):
    return next(call for call in reversed(provider.calls()) if call["method"] == "POST")


@pytest.mark.parametrize("engine", [SDXL, SD16])
def test_an_image_is_drawn_from_another_and_each_sample_is_charged(portal, bearer, member, provider, engine):
    more = {"samples": "2", "seed": "10", "image_strength": "0.3", "text_prompts[0][weight]": "1"}
    prefix = "/sd" if engine == SDXL else ""
    response = ask(portal, bearer, {"init_image": image()}, more, engine, prefix=prefix)
    assert response.status_code == 200, response.text
    artifacts = response.json()["artifacts"]
    assert [artifact["seed"] for artifact in artifacts] == [10, 11]
    for artifact in artifacts:
        Pillow.open(io.BytesIO(base64.b64decode(artifact["base64"]))).load()
    call = sent(provider)
    assert f"/{engine}/image-to-image" in call["path"]
    assert set(call["files"]) == {"init_image"}
    assert float(call["fields"]["image_strength"]) == pytest.approx(0.3)
    assert Batch.objects.get().parameters["strength"] == 0.7  # v2beta's sense is the other one
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00 - 2 * 90


STRENGTHS = [
    ({}, None),
    ({"image_strength": "1"}, 0),
    ({"init_image_mode": "IMAGE_STRENGTH", "image_strength": "0.35"}, 0.65),
    ({"init_image_mode": "STEP_SCHEDULE"}, 0.65),
    ({"init_image_mode": "STEP_SCHEDULE", "step_schedule_start": "0.2", "step_schedule_end": "1"}, 0.2),
]


def test_both_ways_to_say_how_far_to_go_from_the_image_are_understood(portal, bearer):
    for more, strength in STRENGTHS:
        assert ask(portal, bearer, {"init_image": image()}, more).status_code == 200, more
        assert Batch.objects.latest("created_at").parameters.get("strength") == strength, more


def stored_mask():
    upload = BatchInput.objects.select_related("upload").get(role="mask").upload
    return Pillow.open(io.BytesIO(storage_client.read(upload.key)))


@pytest.mark.parametrize("source", ["MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK", "INIT_IMAGE_ALPHA"])
def test_each_source_of_a_mask_becomes_white_where_the_image_changes(portal, bearer, provider, source):
    files = {"init_image": image()}
    if source == "MASK_IMAGE_WHITE":
        files["mask_image"] = mask()
    elif source == "MASK_IMAGE_BLACK":
        files["mask_image"] = mask(fill=0, ground=255)
    else:
        files["init_image"].putalpha(mask(fill=0, ground=255))
    response = ask(portal, bearer, files, {"mask_source": source}, masking=True)
    assert response.status_code == 200, response.text
    drawn = stored_mask()
    assert drawn.mode == "L"
    assert (drawn.getpixel((150, 150)), drawn.getpixel((20, 20))) == (255, 0)
    assert set(sent(provider)["files"]) == {"init_image", "mask_image"}


WRONG = [
    ({}, {}, False, "init_image: is required"),
    ({"init_image": image()}, {"image_strength": "1.5"}, False, "image_strength: "),
    ({"init_image": image()}, {"init_image_mode": "ALL"}, False, "init_image_mode: "),
    (
        {"init_image": image()},
        {"init_image_mode": "STEP_SCHEDULE", "step_schedule_end": "0.5"},
        False,
        "step_schedule_end: is not supported",
    ),
    ({"init_image": image()}, {"text_prompts[0][text]": ""}, False, "text_prompts[0]: "),
    ({"init_image": image()}, {"text_prompts[0][weight]": "much"}, False, "text_prompts[0]: "),
    ({"init_image": image()}, {"samples": "11"}, False, "samples: "),
    ({"init_image": image()}, {}, True, "mask_source: must be one of"),
    ({"init_image": image()}, {"mask_source": "MASK_IMAGE_WHITE"}, True, "mask_image: is required"),
    ({"init_image": image()}, {"mask_source": "INIT_IMAGE_ALPHA"}, True, "mask_image: This mask has no"),
    (
        {"init_image": image(), "mask_image": mask().resize((400, 512))},
        {"mask_source": "MASK_IMAGE_WHITE"},
        True,
        "mask_image: The mask has",
    ),
]


def test_wrong_parts_are_named_in_one_message_and_nothing_is_held(idle_portal, bearer):
    for files, more, masking, said in WRONG:
        response = ask(idle_portal, bearer, files, more, masking=masking)
        assert response.status_code == 400, (said, response.text)
        assert response.json().keys() == {"id", "name", "message"}
        assert said in response.json()["message"]
    other = ask(idle_portal, bearer, {"init_image": image()}, engine="stable-diffusion-2")
    assert (other.status_code, other.json()["name"]) == (404, "not_found")
    assert not Generation.objects.exists()
    assert not Hold.objects.exists()


def test_sd_1_6_draws_from_text_in_its_own_sizes(portal, bearer, provider):
    def draw(**more):
        return requests.post(
            f"{portal}/v1/generation/{SD16}/text-to-image",
            headers=bearer,
            json={"text_prompts": [{"text": "a lighthouse"}]} | more,
            timeout=120,
        )

    assert draw().status_code == 200
    assert (sent(provider)["fields"]["width"], sent(provider)["fields"]["height"]) == (512, 512)
    assert draw(width=768, height=512).status_code == 200
    assert Generation.objects.latest("created_at").parameters["aspect_ratio"] == "3:2"
    refused = draw(width=1024, height=1024)
    assert refused.status_code == 400
    assert "width, height: must be one of" in refused.json()["message"]
