"""The requests of ComfyUI's Stability nodes (Comfy-Org/ComfyUI, comfy_api_nodes/nodes_stability.py, 2026).

The nodes send forms: each value as text, the image as a file `image` of application/octet-stream, also an
`output_format`, and no empty value. Their answers are JSON. A result is asked for again until its JSON has a
`finish_reason`; `name` or `errors` in it mean that it has failed.
"""

from __future__ import annotations

import base64
import io
import time

import pytest
import requests
from PIL import Image as Pillow

from generations.teams.models import Membership
from tests.sandbox.conftest import encoded

V2BETA = "/v2beta/stable-image/"


@pytest.fixture
def member(make_member):
    return make_member("mei", granted=1_000)


def image(size=(256, 192)):
    return encoded(Pillow.linear_gradient("L").resize(size).convert("RGB"))


def sync_op(address, path, headers, data, file=None):
    """Send what a node sends, and return the fields that it reads."""
    parts = [(name, (None, str(value))) for name, value in data.items() if value is not None]
    if file is not None:
        parts.append(("image", ("image", file, "application/octet-stream")))
    response = requests.post(
        address + V2BETA + path,
        headers=headers | {"accept": "application/json"},
        files=parts or {"none": ""},
        timeout=120,
    )
    assert response.status_code == 200, response.text
    return response.json()


def poll_op(address, name, headers):
    """Ask until it is finished or failed, by the node's own rule."""
    for _ in range(400):
        response = requests.get(
            f"{address}/v2beta/results/{name}", headers=headers | {"accept": "application/json"}, timeout=120
        )
        document = response.json()
        if document.get("name") is not None or document.get("errors") is not None:
            return "failed", document
        if document.get("finish_reason") is not None:
            return "finished", document
        assert response.ok
        time.sleep(0.05)
    raise AssertionError("the result did not come")


def opened(text):
    picture = Pillow.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture


ULTRA = {"prompt": "a lighthouse", "aspect_ratio": "16:9", "seed": 0, "output_format": "png"}
SD3 = {
    "model": "sd3.5-large",
    "mode": "text-to-image",
    "prompt": "a lighthouse",
    "aspect_ratio": "1:1",
    "seed": 4_294_967_294,
    "output_format": "png",
    "cfg_scale": 4.0,
}
FROM_IMAGE = {"mode": "image-to-image", "aspect_ratio": None, "strength": 0.5, "style_preset": "anime"}
UPSCALED = {"prompt": "a lighthouse", "seed": 0, "output_format": "png"}
NODES = [
    ("generate/ultra", ULTRA | {"negative_prompt": "people", "style_preset": "cinematic"}, False),
    ("generate/ultra", ULTRA | {"strength": 0.5}, True),
    ("generate/sd3", SD3, False),
    ("generate/sd3", SD3 | FROM_IMAGE, True),
    ("upscale/conservative", UPSCALED | {"creativity": 0.35}, True),
    ("upscale/fast", {}, True),
]


def test_each_node_that_waits_gets_its_image(portal, bearer):
    for path, data, has_image in NODES:
        document = sync_op(portal, path, bearer, data, image() if has_image else None)
        assert document["finish_reason"] == "SUCCESS", path
        assert opened(document["image"]).format == "PNG"


def test_the_creative_upscale_is_polled_until_it_is_finished(portal, bearer, member):
    data = UPSCALED | {"creativity": 0.3, "style_preset": "photographic", "negative_prompt": "people"}
    document = sync_op(portal, "upscale/creative", bearer, data, image())
    status, found = poll_op(portal, document["id"], bearer)
    assert (status, found["finish_reason"]) == ("finished", "SUCCESS")
    assert opened(found["result"]).width > 256
    assert Membership.objects.get(pk=member.pk).wallet.available == 1_000_00 - 60_00


def test_a_creative_upscale_that_was_moderated_ends_the_polling(portal, provider, bearer, member):
    provider.plan("task-moderated")
    document = sync_op(portal, "upscale/creative", bearer, UPSCALED | {"creativity": 0.3}, image())
    status, found = poll_op(portal, document["id"], bearer)
    assert (status, found["name"]) == ("failed", "content_moderation")
    assert Membership.objects.get(pk=member.pk).wallet.available == 1_000_00
