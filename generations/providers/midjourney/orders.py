"""What is sent for a request: the path below the base URL and the JSON, in any dialect.

Sources: docs/providers/midjourney.md, "Addresses", "Modal", "Face swap" and "Traps".
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from generations.providers.base import ImageRequest, InputImage
from generations.providers.catalogue.inputs import IMAGE, REFERENCE
from generations.providers.midjourney import prompt_text
from generations.providers.midjourney.dialects import Dialect
from generations.providers.midjourney.models import FACE

SIMPLE_LETTERS = {"UPSCALE": "U", "VARIATION": "V", "REROLL": "R"}


@dataclass(frozen=True)
class Order:
    """One call: a path, its JSON, and the text of the prompt.

    `continues` is whether it is a next step of an earlier task, which the provider may have forgotten.
    """

    path: str
    body: Mapping[str, Any]
    prompt: str = ""
    continues: bool = False


def of_request(request: ImageRequest, dialect: Dialect) -> Order:
    """Return the order for a request that this dialect can do."""
    text = prompt_text.of_parameters(request.parameters, speed_word=not dialect.speed_paths)
    if request.action is not None:
        return _next_step(request.action.state, text)
    path, body_of = ORDERS[request.model]
    body = body_of(request, text)
    if not dialect.has_bots:
        body.pop("botType", None)
    return Order(path, body, text)


def prefix(request: ImageRequest, dialect: Dialect) -> str:
    """Return the first part of the path, which says the speed."""
    speed = request.parameters.get("speed")
    return f"/mj-{speed}/mj" if speed and dialect.speed_paths else "/mj"


def simple_change(order: Order) -> Order | None:
    """Return the same change in one text, for those that offer no other; None for another order."""
    if order.path != "/submit/change":
        return None
    letter, index = SIMPLE_LETTERS[order.body["action"]], order.body["index"]
    word = letter if letter == "R" else f"{letter}{index}"
    return Order(
        "/submit/simple-change", {"content": f"{order.body['taskId']} {word}"}, order.prompt, order.continues
    )


def confirmation(task_id: str, text: str, masks: Sequence[InputImage] = ()) -> Order:
    """Return the answer to a window that waits for the prompt, and for a mask if it is about a region."""
    mask = {"maskBase64": _data_url(masks[0])} if masks else {}
    return Order("/submit/modal", {"taskId": task_id, "prompt": text, **mask}, text, continues=True)


def _next_step(state: Mapping[str, Any], text: str) -> Order:
    """The order of a next step, by the button of its task, or by its id alone."""
    if custom_id := state.get("custom_id"):
        return Order("/submit/action", {"taskId": state["task"], "customId": custom_id}, text, continues=True)
    body = {"taskId": state["task"], "action": state["change"], "index": state.get("index", 1)}
    return Order("/submit/change", body, text, continues=True)


def _data_url(image: InputImage) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _data_urls(request: ImageRequest, role: str) -> list[str]:
    return [_data_url(image) for image in request.of_role(role)]


def _imagine(bot: str) -> Callable[[ImageRequest, str], dict[str, Any]]:
    def body(request: ImageRequest, text: str) -> dict[str, Any]:
        references = _data_urls(request, REFERENCE)
        named = {"botType": bot, "prompt": text}
        return named | ({"base64Array": references} if references else {})

    return body


def _blend(request: ImageRequest, _text: str) -> dict[str, Any]:
    dimensions = request.parameters.get("dimensions", "SQUARE")
    return {"base64Array": _data_urls(request, IMAGE), "dimensions": dimensions}


def _describe(request: ImageRequest, _text: str) -> dict[str, Any]:
    return {"base64": _data_urls(request, IMAGE)[0]}


def _shorten(_request: ImageRequest, text: str) -> dict[str, Any]:
    return {"botType": "MID_JOURNEY", "prompt": text}


def _swap(request: ImageRequest, _text: str) -> dict[str, Any]:
    face, target = _data_urls(request, FACE)[0], _data_urls(request, IMAGE)[0]
    return {"sourceBase64": face, "targetBase64": target}


# Where each model is ordered, and its JSON.
ORDERS: Mapping[str, tuple[str, Callable[[ImageRequest, str], dict[str, Any]]]] = MappingProxyType(
    {
        "midjourney": ("/submit/imagine", _imagine("MID_JOURNEY")),
        "niji-journey": ("/submit/imagine", _imagine("NIJI_JOURNEY")),
        "midjourney-blend": ("/submit/blend", _blend),
        "midjourney-describe": ("/submit/describe", _describe),
        "midjourney-shorten": ("/submit/shorten", _shorten),
        "insight-face-swap": ("/insight-face/swap", _swap),
    }
)
