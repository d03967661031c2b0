"""Responses and errors in Stability's formats, v2beta and v1.

Formats: docs/providers/stability.md, "Answers", "Statuses" and "v1 text to image".
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from PIL import Image as Pillow

from generations.api.compat.base import Response, Result, json_response
from generations.api.compat.errors import CompatError
from generations.jobs.models import Status
from generations.providers.catalogue import registry as catalogue_registry

SUCCESS, FILTERED, FAILED = "SUCCESS", "CONTENT_FILTERED", "ERROR"
# v1's error names where they differ from v2beta's: docs/providers/stability.md, "v1 text to image".
V1_NAMES = {
    "internal_error": "server_error",
    "content_moderation": "permission_denied",
}


def wants_json(headers: Mapping[str, str]) -> bool:
    """Whether v2beta's client accepts JSON.

    Examples of some gateways accept both types at once: that means JSON too. See docs/providers/gateways.md,
    "Stability at four gateways".
    """
    return "application/json" in headers.get("accept", "").lower()


def as_bytes(result: Result) -> Response:
    """Write the image file, with its finish reason and seed as headers."""
    data, media_type = image_bytes(result)
    headers = {"finish-reason": finish_reason(result), "seed": str(result.seed)}
    return Response(200, data, media_type, headers)


def as_json(result: Result, *names: str) -> Response:
    """Write v2beta's JSON, without headers for finish reason and seed. `names` have the image too."""
    data, media_type = image_bytes(result)
    images = dict.fromkeys(("image", *names), base64_text(data))
    value = images | {"finish_reason": finish_reason(result), "seed": result.seed}
    return Response(200, json_response(value).body, f"application/json; type={media_type}")


def artifact(result: Result) -> dict[str, Any]:
    """Return one entry of v1's list; the entry of a failed image is empty."""
    data = b"" if result.failure else image_bytes(result)[0]
    return {"base64": base64_text(data), "finishReason": finish_reason(result), "seed": result.seed}


def error_v2beta(problem: CompatError, request_id: str) -> Response:
    """Write v2beta's envelope: a list of errors."""
    value = {"id": _error_id(problem, request_id), "name": problem.name, "errors": list(problem.errors)}
    return json_response(value, problem.status, problem.headers)


def error_v1(problem: CompatError, request_id: str) -> Response:
    """Write v1's envelope: one message."""
    name = V1_NAMES.get(problem.name, problem.name)
    value = {"id": _error_id(problem, request_id), "name": name, "message": str(problem)}
    return json_response(value, problem.status, problem.headers)


def finish_reason(result: Result) -> str:
    """Return the result of the provider's content filter."""
    if result.failure:
        return FAILED
    return FILTERED if result.row.status == Status.FILTERED else SUCCESS


def image_bytes(result: Result) -> tuple[bytes, str]:
    """Return the image and its media type; for a filtered image, which is not stored, a gray one."""
    if result.image is not None:
        return result.read_image(), result.image.media_type
    return placeholder(result.row.model, result.row.parameters)


def placeholder(model: str, parameters: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return a gray image of the requested size and format, and its media type."""
    kind = parameters.get("output_format", "png")
    size = catalogue_registry.get(model).size(parameters.get("aspect_ratio", "1:1"))
    return _gray(kind, size), f"image/{kind}"


def base64_text(data: bytes) -> str:
    """Encode as base64, without a data: prefix."""
    return base64.b64encode(data).decode()


@lru_cache(maxsize=32)
def _gray(kind: str, size: tuple[int, int]) -> bytes:
    target = io.BytesIO()
    Pillow.new("RGB", size, (128, 128, 128)).save(target, kind)
    return target.getvalue()


def _error_id(problem: CompatError, request_id: str) -> str:
    """In the provider's example of a 429 the id is the name: docs/providers/stability.md, "Statuses"."""
    return problem.name if problem.status == 429 else request_id
