"""Images out of Stability's answers: bytes with headers or JSON, v2beta or v1.

The wire: docs/providers/stability.md, "Answers", "Results that come later" and "v1 text to image".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generations.providers.base import Done, Output, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.stability import errors as stability_errors
from generations.providers.transport import base64_text, json_body
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.http import Reply
from generations.providers.transport.media_check import InvalidImage, output_of

FILTERED, FAILED = "CONTENT_FILTERED", "ERROR"
MAX_SEED = 4_294_967_295
MAX_IMAGES = 10
# Where images are listed, and under which name each has its base64: v1's and v2beta's names, and those of
# OpenAI's format, which some gateways write whatever was asked for.
LISTS = ("artifacts", "data", "images")
TEXTS = ("base64", "image", "result", "b64_json")
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
# Ids of tasks that may stand in an address, where `..` would lead to another one. Stability's are 64
# hexadecimal digits; gateways have their own.
TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:~-]{0,127}")
MAX_TASK_JSON = 64 * 1024  # bytes


@dataclass(frozen=True)
class _RawImage:
    """One image as it was received, not validated yet."""

    data: bytes
    finish_reason: str
    seed: int | None
    sent_type: str = ""  # the Content-Type of bytes that came by themselves


def parse_response(reply: Reply, key: str, requested_seed: int | None) -> Done:
    """Return the validated images of a response of status 200; Unknown if they cannot be used.

    `requested_seed` is the seed of the request, for responses without one.
    """
    request_id = reply.request_id(key)
    raw_images = _from_json(reply, key) if json_body.is_json(reply.body) else [_from_bytes(reply)]
    if all(image.finish_reason == FAILED for image in raw_images):
        raise Unknown(
            _("The provider could not finish the image."), 200, request_id, code=stability_errors.FAILED_CODE
        )
    outputs = [_output(image, requested_seed) for image in raw_images if image.finish_reason != FAILED]
    usable = tuple(output for output in outputs if output is not None)
    if not usable:
        raise Unknown(_("What the provider sent is no whole image."), 200, request_id)
    return Done(usable, request_id, broken=len(raw_images) - len(usable))


def task_id(reply: Reply, key: str) -> str:
    """Return the id of the task that a response names instead of an image; "" if it is something else.

    An id that cannot stand in an address is none, and neither is that of an error.
    """
    if len(reply.body) > MAX_TASK_JSON or not json_body.is_json(reply.body):
        return ""
    data = json_body.parse(reply.body)
    if not isinstance(data, Mapping) or data.keys() & {"error", "errors", "name"} or any(_artifacts(data)):
        return ""
    if any(isinstance(value, list | dict) and value for value in data.values()):
        return ""  # results in a format that is not read here
    if transport_errors.without_purchase(
        reply.status, transport_errors.parse(reply, key, stability_errors.TABLE)
    ):
        return ""
    remote_id = data.get("id")
    return remote_id if isinstance(remote_id, str) and TASK_ID.fullmatch(remote_id) else ""


def _output(image: _RawImage, requested_seed: int | None) -> Output | None:
    """The result, None if it is broken; a blurred one is not kept, so it is not validated either."""
    finish_reason = image.finish_reason or "SUCCESS"
    if finish_reason == FILTERED:
        return Output(filtered=True, finish_reason=FILTERED)
    try:
        output = output_of(image.data, image.seed or requested_seed, image.sent_type)
    except InvalidImage:
        return None
    return replace(output, finish_reason=finish_reason)


def _from_bytes(reply: Reply) -> _RawImage:
    headers = reply.headers
    body = reply.body if reply.body.startswith(SIGNATURES) else _from_text(reply.body)
    sent_type = headers.get("content-type", "")
    return _RawImage(body, _finish(headers.get("finish-reason")), _seed(headers.get("seed")), sent_type)


def _from_text(body: bytes) -> bytes:
    """Return the image of a body that is nothing but its base64; any other body as it is."""
    if not body.isascii():
        return body
    decoded = base64_text.decode(body.decode("ascii"))
    return decoded if decoded.startswith(SIGNATURES) else body


def _from_json(reply: Reply, key: str) -> list[_RawImage]:
    raw_images = list(_artifacts(json_body.parse(reply.body)))[:MAX_IMAGES]
    if raw_images:
        return raw_images
    request_id = reply.request_id(key)
    error = stability_errors.to_error(reply, key)  # some gateways send one with 200
    if isinstance(error, Unknown):
        raise Unknown(_("The provider answered without an image."), 200, request_id, code=error.code)
    raise error


def _artifacts(data: Any) -> Iterator[_RawImage]:
    """Yield the images of a list, or of an object that is the only one."""
    if isinstance(data, Mapping):
        listed = next((data[name] for name in LISTS if isinstance(data.get(name), list)), [data])
    else:
        listed = data if isinstance(data, list) else []
    for entry in listed:
        if isinstance(entry, Mapping):
            text = next((text for name in TEXTS if isinstance(text := entry.get(name), str)), None)
            finish_reason = _finish(entry.get("finishReason") or entry.get("finish_reason"))
            if text is not None or finish_reason in (FILTERED, FAILED):
                yield _RawImage(base64_text.decode(text or ""), finish_reason, _seed(entry.get("seed")))
        elif isinstance(entry, str):
            yield _RawImage(base64_text.decode(entry), "", None)


def _finish(value: Any) -> str:
    text = value.strip().upper()[:40] if isinstance(value, str) else ""
    return text if text.replace("_", "").isalpha() and text.isascii() else ""


def _seed(value: Any) -> int | None:
    """Return a seed of any JSON type, None if there is none."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_SEED else None
