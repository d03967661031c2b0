"""What proxies answer, as the documents show it, and requests for it."""

from __future__ import annotations

import json
from typing import Any

from generations.providers.base import Action, ImageRequest, InputImage
from generations.providers.registry import Switch
from tests.providers.fake_provider import make_image, response

ID = "1704870023487003"
CUSTOM = "MJ::JOB::upsample::2::3dbbd469-36af-4a0f-8f02-df6c579e7011"
ADDRESS = "https://cdn.discordapp.com/attachments/1/2/boat.webp?ex=65&is=64&hm=ab"
PNG = make_image()


def in_dialect(dialect: str) -> dict[str, Switch]:
    """The systems of an account that names its dialect."""
    return {"midjourney": Switch(dialect=dialect)}


def said(
    code: int, description: str = "提交成功", result: Any = None, http: int = 200, **properties: Any
) -> bytes:
    """An answer below `submit`."""
    body = {"code": code, "description": description, "result": result, "properties": properties}
    return response(http, json.dumps(body).encode(), content_type="application/json")


def refused(description: str, code: int = 4, status: int = 400) -> bytes:
    """A refusal of the relay itself."""
    body = {"description": f"{description} ", "type": "upstream_error", "code": code}
    return response(status, json.dumps(body).encode(), content_type="application/json")


def task(status: str, **fields: Any) -> bytes:
    """A task, as `fetch` answers it."""
    body = {
        "id": ID,
        "action": "IMAGINE",
        "status": status,
        "prompt": "a boat",
        "promptEn": "a boat",
        "description": "/imagine a boat",
        "state": "",
        "submitTime": 1704870023487,
        "startTime": 1704870026183,
        "finishTime": 0,
        "progress": "0%",
        "imageUrl": "",
        "failReason": None,
        "properties": {"finalPrompt": "a boat"},
        "buttons": [],
    }
    return response(200, json.dumps(body | fields).encode(), content_type="application/json")


def picture(role: str = "image", data: bytes = PNG) -> InputImage:
    return InputImage(role, data, "image/png")


# The smallest request of each model.
SMALLEST = {
    "midjourney": ImageRequest("midjourney", {"prompt": "a boat"}),
    "niji-journey": ImageRequest("niji-journey", {"prompt": "a boat"}),
    "midjourney-blend": ImageRequest("midjourney-blend", {}, (picture(), picture())),
    "midjourney-describe": ImageRequest("midjourney-describe", {}, (picture(),)),
    "midjourney-shorten": ImageRequest("midjourney-shorten", {"prompt": "a boat"}),
    "insight-face-swap": ImageRequest(
        "insight-face-swap", {}, (picture(), picture("face", make_image("jpeg")))
    ),
}
BUTTON = ImageRequest(
    "midjourney", {"prompt": "a boat"}, action=Action("u2", "U2", {"task": ID, "custom_id": CUSTOM})
)
CHANGE = ImageRequest(
    "midjourney",
    {"prompt": "a boat"},
    action=Action("v3", "V3", {"task": ID, "change": "VARIATION", "index": 3}),
)
REROLL = ImageRequest(
    "midjourney",
    {"prompt": "a boat"},
    action=Action("reroll", "Draw again", {"task": ID, "change": "REROLL", "index": 1}),
)
