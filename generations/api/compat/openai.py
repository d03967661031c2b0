"""OpenAI's images API as a wire format of this portal: `images/generations` and `models`.

`images/edits` is in `openai_edits`.

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
    InputFile,
    Response,
    Result,
    json_response,
    validated,
)
from generations.api.compat.errors import CompatError, not_found
from generations.jobs.models import Status
from generations.library.imaging import decode as imaging_decode
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import parse_whole
from generations.providers.catalogue.inputs import REFERENCE
from generations.providers.catalogue.model import Model
from generations.providers.openai import sizes
from generations.upstreams import accounts

DEFAULT_MODEL = "core"
NO_STREAM = (None, "", False, "false")  # forms have it as text
OPENAI_MODELS = re.compile(
    r"(dall-e|gpt-image|chatgpt-image)(-[\w.-]+)?", re.ASCII
)  # served by DEFAULT_MODEL
ALWAYS_BASE64 = re.compile(r"(gpt-image|chatgpt-image)\b.*", re.ASCII)
MAX_IMAGES = 10
OPENAI_SYSTEM = "openai"
# Names that mean something else in OpenAI's format than in a model of another system. All other fields of a
# model may be sent beside OpenAI's.
OPENAI_FIELDS = frozenset(
    {
        "background",
        "image",
        "input_fidelity",
        "mask",
        "model",
        "moderation",
        "n",
        "output_compression",
        "partial_images",
        "quality",
        "response_format",
        "size",
        "stream",
        "style",
        "user",
    }
)
OPENAI_NAMES = {"aspect_ratio": "size", REFERENCE: "image"}
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
        return parse_values(compat_parsing.read_object(request.body))

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


def catalogue_model(name: Any, served_by: str) -> Model:
    """Return the model of that name; CompatError (404) if there is none.

    `served_by` for no name, and for OpenAI's names unless an account has the model itself.
    """
    is_openais = isinstance(name, str) and OPENAI_MODELS.fullmatch(name)
    is_known = isinstance(name, str) and name in catalogue_registry.MODELS
    if is_known and (not is_openais or name in accounts.served_models()):
        return catalogue_registry.get(name)
    if name in (None, "") or is_openais:
        return catalogue_registry.get(served_by)
    raise _no_such_model(name)


def parse_values(
    values: Mapping[str, Any],
    files: Sequence[InputFile] = (),
    *,
    model: Model | None = None,
) -> GenerationRequest:
    """Check the fields of a request; `model` is what `catalogue_model` returns, found here if it is None.

    Raises CompatError (400, 404), imaging.decode.DecodingBusy.
    """
    errors: dict[str, str] = {}
    requested_model = values.get("model")
    model = model or catalogue_model(requested_model, DEFAULT_MODEL)
    count = _count(values.get("n"), errors)
    kind = _response_kind(values.get("response_format"), requested_model, errors)
    if values.get("stream") not in NO_STREAM:
        errors["stream"] = "is not supported"
    is_openais = catalogue_registry.system_of(model.name) == OPENAI_SYSTEM
    parameters = {
        field.name: values.get(field.name)
        for field in model.fields
        if field.kind and (field.name not in OPENAI_FIELDS or is_openais)
    }
    parameters["prompt"] = values.get("prompt")
    size = _size(values.get("size"), errors)
    if _has_shape(model, files) and parameters["aspect_ratio"] in (None, ""):
        parameters["aspect_ratio"] = _aspect_ratio(model, size or _image_size(files))
    if files and model.takes("strength") and parameters["strength"] in (None, ""):
        parameters["strength"] = getattr(model.field("strength"), "suggested", None)
    request = GenerationRequest(
        model.name, parameters, count, tuple(files), response_kind=kind, wire_names=OPENAI_NAMES
    )
    return validated(request, errors)


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


def _size(value: Any, errors: dict[str, str]) -> tuple[int, int] | None:
    """Return the requested width and height; None for auto."""
    if value in (None, "", "auto"):
        return None
    if isinstance(value, str) and (size := sizes.parse(value)):
        return size
    errors["size"] = "must be auto, or a size such as 1024x1024"
    return None


def _image_size(files: Sequence[InputFile]) -> tuple[int, int]:
    """The size of the first image; a square without one, and for one that will be refused."""
    try:
        if files:
            with imaging_decode.open_image(files[0].data) as picture:
                return input_images.upright_size(picture)
    except imaging_decode.Unreadable:
        pass
    return 1, 1


def _has_shape(model: Model, files: Sequence[InputFile]) -> bool:
    """Whether the request says the aspect ratio, rather than its image."""
    return model.takes("aspect_ratio") and model.field("aspect_ratio").when.holds(has_image=bool(files))


def _aspect_ratio(model: Model, size: tuple[int, int]) -> str | None:
    """Return the model's aspect ratio nearest to a size; None if it has no sizes."""
    requested = math.log(size[0] / size[1])
    return min(
        model.sizes,
        key=lambda ratio: abs(math.log(model.size(ratio)[0] / model.size(ratio)[1]) - requested),
        default=None,
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
