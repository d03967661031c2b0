"""OpenAI's images API as a wire format of this portal: `images/generations` and `models`.

Requests and responses: docs/providers/openai.md, "What the portal serves" and "Errors of the portal".
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from generations.api.compat import parsing as compat_parsing
from generations.api.compat import signed_urls as compat_signed_urls
from generations.api.compat import stability_responses
from generations.api.compat.base import (
    MAX_JSON,
    WAIT_SECONDS,
    GenerationRequest,
    HttpRequest,
    Response,
    Result,
    json_response,
)
from generations.api.compat.errors import CompatError, bad_fields, not_found
from generations.jobs.models import Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import parse_whole
from generations.providers.catalogue.model import Model

DEFAULT_MODEL = "core"
OPENAI_MODELS = re.compile(
    r"(dall-e|gpt-image|chatgpt-image)(-[\w.-]+)?", re.ASCII
)  # served by DEFAULT_MODEL
ALWAYS_BASE64 = re.compile(r"(gpt-image|chatgpt-image)\b.*", re.ASCII)
SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", re.ASCII)
MAX_IMAGES = 10
# Fields of the catalogue that OpenAI's format does not have; clients may add them.
EXTRA_FIELDS = (
    "negative_prompt",
    "aspect_ratio",
    "seed",
    "style_preset",
    "cfg_scale",
    "steps",
    "output_format",
)
OPENAI_NAMES = {"aspect_ratio": "size"}
CODES = {  # code and type by the error's name; other names are used as code
    "unauthorized": ("invalid_api_key", "invalid_request_error"),
    "payment_required": ("insufficient_quota", "insufficient_quota"),
    "content_moderation": ("content_policy_violation", "image_generation_user_error"),
    "rate_limit_exceeded": ("rate_limit_exceeded", "requests"),
    "internal_error": ("server_error", "server_error"),
    "service_unavailable": ("service_unavailable", "server_error"),
    "timeout": ("timeout", "server_error"),
    "response_busy": ("response_busy", "server_error"),
}
STATUSES = {
    "payment_required": 429,
    "content_moderation": 400,
}  # where OpenAI's statuses differ from Stability's
NO_RETRY = (
    "payment_required",
    "timeout",
    "internal_error",
    "service_unavailable",
    "idempotency_key_reused",
)  # an automatic retry would fail again, or be charged again


class ImagesGenerations:
    """The endpoint `images/generations`."""

    max_body = MAX_JSON
    timeout = WAIT_SECONDS

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Parse a JSON object."""
        return _parse(compat_parsing.read_object(request.body))

    def respond(self, request: GenerationRequest, results: Sequence[Result]) -> Response:
        """Write the images that succeeded as base64 or as URLs; raise CompatError if none did."""
        succeeded = [result for result in results if result.image is not None]
        if not succeeded:
            raise _failure(results[0])
        entry = _as_url if request.response_kind == "url" else _as_base64
        return json_response({"created": int(time.time()), "data": [entry(result) for result in succeeded]})

    def respond_error(self, problem: CompatError, request_id: str) -> Response:
        """Write an `error` object."""
        code, kind = CODES.get(problem.name, (problem.name, "invalid_request_error"))
        error = {"message": str(problem), "type": kind, "param": problem.field_name or None, "code": code}
        headers = dict(problem.headers)
        if problem.name in NO_RETRY:
            headers["x-should-retry"] = "false"
        return json_response({"error": error}, STATUSES.get(problem.name, problem.status), headers)


def model_list(names: Sequence[str]) -> Response:
    """Write a list of models."""
    return json_response({"object": "list", "data": [_model_entry(name) for name in names]})


def model(name: str, names: Sequence[str]) -> Response:
    """Write one model; raise CompatError (404) if it is not among `names`."""
    if name not in names:
        raise _no_such_model(name)
    return json_response(_model_entry(name))


def _model_entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": catalogue_registry.system_of(name)}


def _parse(values: Mapping[str, Any]) -> GenerationRequest:
    errors: dict[str, str] = {}
    requested_model = values.get("model")
    model = catalogue_registry.get(_catalogue_model(requested_model))
    count = _count(values.get("n"), errors)
    kind = _response_kind(values.get("response_format"), requested_model, errors)
    if values.get("stream"):
        errors["stream"] = "is not supported"
    parameters = {name: values[name] for name in EXTRA_FIELDS if name in values and model.takes(name)}
    parameters["prompt"] = values.get("prompt")
    if model.takes("aspect_ratio") and parameters.get("aspect_ratio") in (None, ""):
        parameters["aspect_ratio"] = _aspect_ratio(values.get("size"), model, errors)
    try:
        parameters = catalogue_registry.validate(model, parameters)
    except catalogue_registry.InvalidParameters as problem:
        errors = {OPENAI_NAMES.get(name, name): text for name, text in problem.errors.items()} | errors
    if errors:
        raise bad_fields(errors)
    return GenerationRequest(model.name, parameters, count, response_kind=kind)


def _catalogue_model(name: Any) -> str:
    """Return the catalogue's name of a model; OpenAI's model names are served by DEFAULT_MODEL."""
    if name in (None, ""):
        return DEFAULT_MODEL
    if isinstance(name, str) and name in catalogue_registry.MODELS:
        return name
    if isinstance(name, str) and OPENAI_MODELS.fullmatch(name):
        return DEFAULT_MODEL
    raise _no_such_model(name)


def _count(value: Any, errors: dict[str, str]) -> int:
    if value is None:
        return 1
    count = parse_whole(value)
    if count is None or not 1 <= count <= MAX_IMAGES:
        errors["n"] = f"must be an integer between 1 and {MAX_IMAGES}"
        return 1
    return count


def _response_kind(value: Any, model: Any, errors: dict[str, str]) -> str:
    if value in (None, ""):
        return "b64_json" if isinstance(model, str) and ALWAYS_BASE64.fullmatch(model) else "url"
    if value not in ("url", "b64_json"):
        errors["response_format"] = "must be one of url, b64_json"
    return str(value)


def _aspect_ratio(size: Any, model: Model, errors: dict[str, str]) -> str:
    """Return the model's aspect ratio nearest to the requested size."""
    if size in (None, "", "auto"):
        return "1:1"
    found = SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        errors["size"] = "must be auto, or a size such as 1024x1024"
        return "1:1"
    requested = math.log(int(found[1]) / int(found[2]))
    return min(
        model.sizes, key=lambda ratio: abs(math.log(model.size(ratio)[0] / model.size(ratio)[1]) - requested)
    )


def _failure(result: Result) -> CompatError:
    if result.row.status == Status.FILTERED:
        return CompatError(403, "content_moderation", (result.row.reason,))
    return result.failure or not_found()


def _as_url(result: Result) -> dict[str, Any]:
    assert result.image
    return {"url": compat_signed_urls.image_url(result.image), "revised_prompt": None}


def _as_base64(result: Result) -> dict[str, Any]:
    return {"b64_json": stability_responses.base64_text(result.read_image()), "revised_prompt": None}


def _no_such_model(name: Any) -> CompatError:
    text = (
        f"The model '{str(name)[:60]}' does not exist. Choose one of: {', '.join(catalogue_registry.MODELS)}."
    )
    return CompatError(404, "model_not_found", (text,), field_name="model")
