"""OpenAI's images API: generations, edits and the list of models.

Below a gateway's prefix it answers as resellers do: with `response_format`, and with addresses.
Formats: docs/providers/openai.md, "Generations", "Edits" and "Answers".
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.drawings import generate as drawings
from generations.sandbox.generate import Drawn
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import FLAGGED_WORDS, ImageRequest, pick_seed
from generations.sandbox.openai import fields as openai_fields
from generations.sandbox.openai import pictures, usage
from generations.sandbox.openai.pictures import Sent
from generations.sandbox.openai.usage import Usage
from generations.sandbox.openai_errors import RequestError, model_not_found
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response, as_json
from generations.sandbox.state import Request, Sandbox

GENERATIONS, EDITS, MODELS = "/v1/images/generations", "/v1/images/edits", "/v1/models"
USUAL_SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))
STRENGTH = 0.6  # how far an edit without a mask goes from its image
DRAW_PARTS = {GENERATIONS: "image_generation", EDITS: "image_edit"}  # names of events


@dataclass(frozen=True)
class _Call:
    """A checked call: its values, the request that is drawn, and its tokens."""

    values: Mapping[str, Any]
    request: ImageRequest
    usage: Usage


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if request.method == "GET" and request.path.startswith(MODELS):
        return _models(request.path.removeprefix(MODELS).strip("/"))
    if request.method == "POST" and request.path in DRAW_PARTS:
        return await _images(sandbox, request, entry)
    raise sandbox_responses.not_found()


def _models(name: str) -> Response:
    entries = [
        {"id": each, "object": "model", "created": 1_776_729_600, "owned_by": "system", "shutdown_date": None}
        for each in openai_fields.MODELS
    ]
    if not name:
        return as_json({"object": "list", "data": entries})
    found = next((entry for entry in entries if entry["id"] == name), None)
    if found is None:
        raise model_not_found(name)
    return as_json(found)


async def _images(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    sent = _read(request)
    _log(entry, sent)
    checked: list[_Call] = []

    def validate() -> ImageRequest:
        checked.append(_checked(sent, at_gateway=bool(request.prefix), is_edit=request.path == EDITS))
        return checked[0].request

    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=str(sent.fields.get("prompt", "")),
        validate=validate,
        respond=lambda drawn: _answer(sandbox, request, checked[0], drawn),
        moderates=False,  # any language is taken
    )


def _read(request: Request) -> Sent:
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        if request.path == GENERATIONS:
            raise RequestError("Unsupported content type: 'application/json' is needed.", status=415)
        return pictures.read_form(request.content_type, request.body)
    try:
        values = json.loads(request.body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise RequestError("We could not parse the JSON body of your request.")
    return Sent(values) if request.path == GENERATIONS else pictures.read_object(values)


def _checked(sent: Sent, *, at_gateway: bool, is_edit: bool) -> _Call:
    values = openai_fields.read(sent.fields, at_gateway=at_gateway)
    files = pictures.checked(sent) if is_edit else {}
    if FLAGGED_WORDS.search(values["prompt"]):
        raise sandbox_responses.moderated()
    size = _size(values["size"], files)
    tokens = usage.of_call(
        values["prompt"], len(sent.images), quality=values["quality"], size=size, count=values["n"]
    )
    image_request = ImageRequest(
        model=values["model"],
        prompt=values["prompt"],
        seed=pick_seed(),
        cost=tokens.cost,
        draw=_drawing(values, files),
        width=size[0],
        height=size[1],
        output_format=values["output_format"],
        samples=values["n"],
        strength=STRENGTH if files else 1.0,
        files=files,
    )
    return _Call(values, image_request, tokens)


def _drawing(values: Mapping[str, Any], files: Mapping[str, bytes]) -> Any:
    if "mask" in files:
        return drawings.masked
    if "image-2" in files:
        return drawings.combined
    return drawings.cut_out if values["background"] == "transparent" else drawings.picture


def _size(text: str, files: Mapping[str, bytes]) -> tuple[int, int]:
    """The size that is asked for; else the usual one that is nearest to the first image."""
    if text != "auto":
        width, height = text.split("x")
        return int(width), int(height)
    if not files:
        return USUAL_SIZES[0]
    image = open_image(files["image"])
    ratio = math.log(image.width / image.height)
    return min(USUAL_SIZES, key=lambda size: abs(math.log(size[0] / size[1]) - ratio))


def _answer(sandbox: Sandbox, request: Request, call: _Call, drawn: Drawn) -> Response:
    if call.values["stream"]:
        return _stream(request, call, drawn)
    document = _about(call) | {"usage": call.usage.as_json()}
    entries = [_entry(sandbox, request, call, image) for image in drawn.images]
    return as_json({"created": int(time.time()), "data": entries, **document})


def _about(call: _Call) -> dict[str, Any]:
    values, image = call.values, call.request
    return {
        "background": "transparent" if values["background"] == "transparent" else "opaque",
        "output_format": values["output_format"],
        "quality": usage.AUTO if values["quality"] == "auto" else values["quality"],
        "size": f"{image.width}x{image.height}",
    }


def _entry(sandbox: Sandbox, request: Request, call: _Call, image: bytes) -> dict[str, Any]:
    text = base64.b64encode(image).decode()
    if not request.prefix:
        return {"b64_json": text}
    if call.values["response_format"] == "b64_json":
        return {"b64_json": text, "url": "", "revised_prompt": call.values["prompt"]}
    kind = call.values["output_format"]
    address = sandbox.delivery.address(
        f"{hashlib.sha256(image).hexdigest()}.{kind}",
        image,
        "image/svg+xml" if kind == "svg" else f"image/{kind}",
        host=request.host,
        lifetime=sandbox.options.result_lifetime,
    )
    return {"url": address, "b64_json": None, "revised_prompt": call.values["prompt"]}


def _stream(request: Request, call: _Call, drawn: Drawn) -> Response:
    """Return the events of a stream, all at once: the partial images are the whole one."""
    name, text = DRAW_PARTS[request.path], base64.b64encode(drawn.images[0]).decode()
    common = {"b64_json": text, "created_at": int(time.time()), **_about(call)}
    events = [
        {"type": f"{name}.partial_image", "partial_image_index": index, **common}
        for index in range(call.values["partial_images"])
    ]
    events.append({"type": f"{name}.completed", **common, "usage": call.usage.as_json()})
    lines = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return Response(200, lines.encode(), "text/event-stream; charset=utf-8")


def _log(entry: LogEntry, sent: Sent) -> None:
    entry.model = str(sent.fields.get("model", ""))
    entry.fields = {name: shortened(value) for name, value in sent.fields.items()}
    files = {f"image-{number}": data for number, data in enumerate(sent.images, 1)}
    files |= {"mask": sent.mask} if sent.mask else {}
    entry.files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
