"""Answers as Stability writes them, v2beta and v1.

The wire: docs/providers/stability.md, "Answers", "Statuses" and "v1 text to image".
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from PIL import Image as Pillow

from generations.api.compat.base import Answer, Result, as_json
from generations.api.compat.errors import Problem
from generations.jobs.models import Status
from generations.providers.catalogue import registry as catalogue_registry

SUCCESS, FILTERED, FAILED = "SUCCESS", "CONTENT_FILTERED", "ERROR"
# docs/providers/stability.md, "v1 text to image"; v2beta's names without an entry keep their spelling.
V1_NAMES = {
    "internal_error": "server_error",
    "content_moderation": "permission_denied",
}


def as_bytes(result: Result) -> Answer:
    """The picture itself; what there is to say of it stands in headers."""
    data, media_type = picture(result)
    headers = {"finish-reason": finish(result), "seed": str(result.seed)}
    return Answer(200, data, media_type, headers)


def in_json(result: Result) -> Answer:
    """The picture within JSON; v2beta then has no headers about it."""
    data, media_type = picture(result)
    value = {"image": encoded(data), "finish_reason": finish(result), "seed": result.seed}
    return Answer(200, as_json(value).body, f"application/json; type={media_type}")


def artifact(result: Result) -> dict[str, Any]:
    """One entry of v1's list; a picture that failed beside others has none."""
    data = b"" if result.failure else picture(result)[0]
    return {"base64": encoded(data), "finishReason": finish(result), "seed": result.seed}


def refused(problem: Problem, request_id: str) -> Answer:
    """v2beta's envelope: a list of errors."""
    value = {"id": _identity(problem, request_id), "name": problem.name, "errors": list(problem.errors)}
    return as_json(value, problem.status, problem.headers)


def refused_v1(problem: Problem, request_id: str) -> Answer:
    """v1's envelope: one message."""
    name = V1_NAMES.get(problem.name, problem.name)
    value = {"id": _identity(problem, request_id), "name": name, "message": str(problem)}
    return as_json(value, problem.status, problem.headers)


def finish(result: Result) -> str:
    """How the provider's filter judged it."""
    if result.failure:
        return FAILED
    return FILTERED if result.row.status == Status.FILTERED else SUCCESS


def picture(result: Result) -> tuple[bytes, str]:
    """Bytes and type. A filtered picture was kept by nobody: in its place comes a gray one, as large."""
    if result.image is not None:
        return result.read(), result.image.media_type
    return blank(result.row.model, result.row.parameters)


def blank(model: str, parameters: Mapping[str, Any]) -> tuple[bytes, str]:
    """A gray picture of the size and format that were asked for, and its type."""
    kind = parameters.get("output_format", "png")
    return _gray(
        kind, catalogue_registry.get(model).size(parameters.get("aspect_ratio", "1:1"))
    ), f"image/{kind}"


def encoded(data: bytes) -> str:
    """Base64, without a prefix."""
    return base64.b64encode(data).decode()


@lru_cache(maxsize=32)
def _gray(kind: str, size: tuple[int, int]) -> bytes:
    target = io.BytesIO()
    Pillow.new("RGB", size, (128, 128, 128)).save(target, kind)
    return target.getvalue()


def _identity(problem: Problem, request_id: str) -> str:
    """The provider's own example of a 429 has the name there: docs/providers/stability.md, "Statuses"."""
    return problem.name if problem.status == 429 else request_id
