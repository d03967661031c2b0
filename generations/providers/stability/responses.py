"""Images out of Stability's answers: bytes with headers or JSON, v2beta or v1.

The wire: docs/providers/stability.md, "Answers" and "v1 text to image".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generations.providers.base import Done, ReceivedImage, Unavailable, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.stability import errors as stability_errors
from generations.providers.transport import error_text
from generations.providers.transport.http import Reply
from generations.providers.transport.media_check import NoPicture, received

FILTERED, FAILED = "CONTENT_FILTERED", "ERROR"
LARGEST_SEED = 4_294_967_295
MOST_JSON = 24 * 1024 * 1024  # bytes; an image of 18 MB
MOST_IMAGES = 10


@dataclass(frozen=True)
class _Drawn:
    """One picture as it was sent, unchecked."""

    data: bytes
    finish_reason: str
    seed: int | None


def read_answer(reply: Reply, key: str, asked_seed: int | None) -> Done:
    """The images of a reply of status 200, checked; Unknown where they were sent but cannot be used.

    `asked_seed` is the seed of the request: it holds where the answer names none.
    """
    request_id = stability_errors.request_id(reply.headers, key)
    drawn = _from_json(reply, key) if _is_json(reply.body) else [_from_bytes(reply)]
    ends = {one.finish_reason for one in drawn}
    if FILTERED in ends:  # the blurred result is kept by nobody: it need not even be a picture
        return Done((), filtered=True, finish_reason=FILTERED, request_id=request_id)
    if FAILED in ends:
        raise Unknown(_("The provider could not finish the image."), 200, request_id)
    images = _checked(drawn, asked_seed)
    if images is None:
        raise Unknown(_("What the provider sent is no whole image."), 200, request_id)
    return Done(images, finish_reason=drawn[0].finish_reason or "SUCCESS", request_id=request_id)


def _checked(drawn: list[_Drawn], asked_seed: int | None) -> tuple[ReceivedImage, ...] | None:
    try:
        return tuple(received(one.data, one.seed or asked_seed) for one in drawn)
    except NoPicture:
        return None


def _is_json(body: bytes) -> bool:
    """By content: some servers answer in the other form than the one asked for."""
    return body[:64].lstrip()[:1] in (b"{", b"[")


def _from_bytes(reply: Reply) -> _Drawn:
    headers = reply.headers
    return _Drawn(reply.body, _finish(headers.get("finish-reason")), _seed(headers.get("seed")))


def _from_json(reply: Reply, key: str) -> list[_Drawn]:
    drawn = list(_artifacts(_parse(reply.body)))[:MOST_IMAGES]
    if drawn:
        return drawn
    request_id = stability_errors.request_id(reply.headers, key)
    complaint = error_text.read(reply.body, key)
    if stability_errors.blames_account(reply.status, complaint):  # some gateways say so with a 200
        raise Unavailable(_("The provider account cannot be used now."), 200, request_id, code=complaint.code)
    raise Unknown(_("The provider answered without an image."), 200, request_id, code=complaint.code)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body) if len(body) <= MOST_JSON else None
    except (ValueError, RecursionError):  # not UTF-8, no JSON, a number without end, too deep
        return None


def _artifacts(data: Any) -> Iterator[_Drawn]:
    """Pictures in v1's list or in v2beta's object; some servers call the latter's `result`."""
    if not isinstance(data, Mapping):
        return
    artifacts = data.get("artifacts")
    for entry in artifacts if isinstance(artifacts, list) else [data]:
        if isinstance(entry, Mapping):
            texts = (entry.get(name) for name in ("base64", "image", "result"))
            text = next((text for text in texts if isinstance(text, str)), None)
            finish_reason = _finish(entry.get("finishReason") or entry.get("finish_reason"))
            if text is not None or finish_reason in (FILTERED, FAILED):
                yield _Drawn(_decoded(text or ""), finish_reason, _seed(entry.get("seed")))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _finish(value: Any) -> str:
    text = value.strip().upper()[:40] if isinstance(value, str) else ""
    return text if text.replace("_", "").isalpha() and text.isascii() else ""


def _seed(value: Any) -> int | None:
    """A seed in whatever type it comes; None where there is none."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= LARGEST_SEED else None
