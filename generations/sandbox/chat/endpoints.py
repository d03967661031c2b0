"""Pictures through chat completions, as gateways answer: in the text, at once or piece by piece.

Formats: docs/providers/chat-completions.md, "Request" and "Answers".
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox import responses as sandbox_responses
from generations.sandbox.chat import texts
from generations.sandbox.chat.completion import completion
from generations.sandbox.drawings import generate as drawings
from generations.sandbox.generate import Drawn
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import FLAGGED_WORDS, ImageRequest, pick_seed
from generations.sandbox.openai_errors import (
    InvalidImage,
    RequestError,
    invalid_value,
    missing_field,
    model_not_found,
    unknown_field,
)
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response
from generations.sandbox.state import Request, Sandbox

COMPLETIONS = "/v1/chat/completions"
COSTS = {  # hundredths of a US cent, of a call
    "gpt-4o-image": 400,
    "gpt-4-all": 400,
    "gpt-image-2-all": 300,
    "gpt-image-2.5-all": 300,
    "gpt-image-2.6-all": 250,
}
FIELDS = frozenset(
    {"model", "messages", "stream", "n", "temperature", "max_tokens", "user", "stream_options"}
)
SHAPE = re.compile(r"\b([1-9][0-9]?):([1-9][0-9]?)\b")
DATA_URL = re.compile(r"data:image/[a-z]{1,9};base64,")
REFUSAL = (
    "I can't draw this picture, since it may go against our content policies. Shall I try another scene?"
)
PROGRESS = "> 进度 **34%**\n\n> 生成中\n\n"
SIDE = 1024
STRENGTH = 0.6  # how far a picture goes from one that came with the prompt


@dataclass
class _Sent:
    """What a call asks for."""

    model: str
    streams: bool
    text: str = ""
    images: list[bytes] = field(default_factory=list)


async def respond(sandbox: Sandbox, request: Request, entry: LogEntry) -> Response:
    """Respond to a call with a valid key; raises ApiError."""
    if request.method != "POST" or request.path != COMPLETIONS:
        raise sandbox_responses.not_found()
    values = _values(request.body)
    if values.get("model") in texts.COSTS:
        return await texts.respond(sandbox, entry, values)
    sent = _read(values)
    entry.model = sent.model
    entry.fields = {"prompt": shortened(sent.text), "stream": sent.streams}
    entry.files = {
        f"image-{number}": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for number, data in enumerate(sent.images, 1)
    }
    if FLAGGED_WORDS.search(sent.text):
        return _answer(sent, [REFUSAL])  # with status 200, as any other text
    return await sandbox_generate.run(
        sandbox,
        request,
        entry,
        prompt=sent.text,
        validate=lambda: _image_request(sent),
        respond=lambda drawn: _drawn(sandbox, request, sent, drawn),
        moderates=False,
    )


def _values(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise RequestError("We could not parse the JSON body of your request.")
    for name in values.keys() - FIELDS:
        raise unknown_field(name)
    return values


def _read(values: dict[str, Any]) -> _Sent:
    if values.get("model") not in COSTS:
        raise model_not_found(str(values.get("model")))
    messages = values.get("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], Mapping):
        raise missing_field("messages")
    sent = _Sent(values["model"], values.get("stream") is True)
    content = messages[-1].get("content")
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or []:
        _add(sent, part)
    if not sent.text.strip():
        raise missing_field("messages[0].content")
    return sent


def _add(sent: _Sent, part: Mapping[str, Any]) -> None:
    if part.get("type") == "text":
        sent.text += str(part.get("text", ""))
    elif part.get("type") == "image_url":
        sent.images.append(_linked((part.get("image_url") or {}).get("url")))
    else:
        raise invalid_value("messages", f"Invalid value: '{part.get('type')}'.")


def _linked(url: Any) -> bytes:
    found = DATA_URL.match(url) if isinstance(url, str) else None
    if found is None:
        raise invalid_value("messages", "The sandbox fetches nothing; send a data: URL.")
    try:
        data = base64.b64decode(str(url)[found.end() :], validate=True)
        open_image(data)
    except ValueError:
        raise InvalidImage("messages") from None
    return data


def _image_request(sent: _Sent) -> ImageRequest:
    names = ["image", *(f"image-{number}" for number in range(2, len(sent.images) + 1))]
    width, height = _size(sent.text)
    return ImageRequest(
        model=sent.model,
        prompt=sent.text,
        seed=pick_seed(),
        cost=COSTS[sent.model],
        draw=drawings.combined if len(sent.images) > 1 else drawings.picture,
        width=width,
        height=height,
        strength=STRENGTH if sent.images else 1.0,
        files=dict(zip(names, sent.images, strict=False)),
    )


def _size(text: str) -> tuple[int, int]:
    """About a megapixel, in the shape that the text names last."""
    shapes = [found for found in SHAPE.findall(text) if 1 / 3 <= int(found[0]) / int(found[1]) <= 3]
    across, down = map(int, shapes[-1]) if shapes else (1, 1)
    return round(SIDE * math.sqrt(across / down)), round(SIDE * math.sqrt(down / across))


def _drawn(sandbox: Sandbox, request: Request, sent: _Sent, drawn: Drawn) -> Response:
    if drawn.filtered:
        return _answer(sent, [REFUSAL])
    image = drawn.images[0]
    address = sandbox.delivery.address(
        f"{hashlib.sha256(image).hexdigest()}.png",
        image,
        "image/png",
        host=request.host,
        lifetime=sandbox.options.result_lifetime,
    )
    told = json.dumps({"prompt": sent.text[:200], "n": 1}, ensure_ascii=False)
    link = f"![gen_{drawn.request.seed}]({address})"
    return _answer(
        sent,
        [
            f"```json\n{told}\n```\n\n",
            f"> ID: `task_{drawn.request.seed}`\n\n",
            PROGRESS,
            link[: len(link) // 2],  # cut anywhere
            link[len(link) // 2 :],
            f"\n\n[点击下载]({address})\n",
        ],
    )


def _answer(sent: _Sent, pieces: list[str]) -> Response:
    if not sent.streams:
        return completion(sent.model, sent.text, "".join(pieces))
    about = {"id": "chatcmpl-sandbox", "created": int(time.time()), "model": sent.model}
    lines = "".join(f"{line}\n\n" for line in _events(about, pieces))
    return Response(200, lines.encode(), "text/event-stream; charset=utf-8")


def _events(about: Mapping[str, Any], pieces: list[str]) -> Iterator[str]:
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces]
    deltas.append(({}, "stop"))
    yield ": keep-alive"
    for delta, end in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}
        chunk = {**about, "object": "chat.completion.chunk", "choices": [choice]}
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}"
    yield "data: [DONE]"
