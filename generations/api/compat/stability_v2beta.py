"""Stability's v2beta as a wire format of this portal: three endpoints, one image per call.

Format: docs/providers/stability.md, "Request headers" and "Fields".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generations.api.compat import parsing as compat_parsing
from generations.api.compat import stability_responses
from generations.api.compat.base import (
    MAX_UPLOAD,
    WAIT_SECONDS,
    GenerationRequest,
    HttpRequest,
    Response,
    Result,
    single_result,
)
from generations.api.compat.errors import CompatError, bad_fields
from generations.api.compat.parsing import Form
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE

# Model names of the endpoint sd3. The provider redirects those from before April 2025 too:
# docs/providers/stability.md, "Models".
SD3_MODELS = {
    "sd3.5-large": "sd3.5-large",
    "sd3.5-large-turbo": "sd3.5-large-turbo",
    "sd3.5-medium": "sd3.5-medium",
    "sd3.5-flash": "sd3.5-flash",
    "sd3-large": "sd3.5-large",
    "sd3-large-turbo": "sd3.5-large-turbo",
    "sd3-medium": "sd3.5-medium",
    "sd3": "sd3.5-large",
    "sd3-turbo": "sd3.5-large-turbo",
}
MODES = ("text-to-image", "image-to-image")
# Headers by which clients identify themselves. They are not used here, but their length is limited:
# docs/providers/stability.md, "Request headers".
CLIENT_HEADERS = ("stability-client-id", "stability-client-user-id", "stability-client-version")
MAX_CLIENT_HEADER = 256


class StableImage:
    """The endpoints `generate/ultra`, `generate/core` and `generate/sd3`."""

    max_body = MAX_UPLOAD
    timeout = WAIT_SECONDS

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Parse a form; below `/sd` also an urlencoded one, which one gateway documents."""
        content_type = request.headers.get("content-type", "")
        gateway = bool(request.path_parts.get("gateway"))
        form = compat_parsing.read_form(content_type, request.body, urlencoded=gateway)
        errors = _client_header_errors(request.headers)
        return _parse(request.path_parts["endpoint"], form, _response_kind(request.headers), errors)

    def respond(self, request: GenerationRequest, results: Sequence[Result]) -> Response:
        """Write the image as a file or in JSON."""
        result = single_result(results)
        is_json = request.response_kind == "json"
        return stability_responses.as_json(result) if is_json else stability_responses.as_bytes(result)

    def respond_error(self, problem: CompatError, request_id: str) -> Response:
        """Write v2beta's envelope."""
        return stability_responses.error_v2beta(problem, request_id)


def _response_kind(headers: Mapping[str, str]) -> str:
    """Examples of some gateways accept both types at once: that means JSON.

    See docs/providers/gateways.md, "Stability at four gateways".
    """
    return "json" if "application/json" in headers.get("accept", "").lower() else "bytes"


def _client_header_errors(headers: Mapping[str, str]) -> dict[str, str]:
    message = f"must be at most {MAX_CLIENT_HEADER} characters long"
    return {name: message for name in CLIENT_HEADERS if len(headers.get(name, "")) > MAX_CLIENT_HEADER}


def _parse(endpoint: str, form: Form, response_kind: str, errors: dict[str, str]) -> GenerationRequest:
    model = _model(endpoint, form, errors)
    image = form.parts.get("image") or None
    if endpoint == "sd3":
        _check_mode(form, image, errors)
    declared = catalogue_registry.get(model)
    values = {name: form.text(name) for name in form.parts if declared.takes(name) and name != "image"}
    try:
        parameters = catalogue_registry.validate(declared, values, roles=[IMAGE] if image is not None else [])
    except catalogue_registry.InvalidParameters as problem:
        errors |= problem.errors
    if errors:
        raise bad_fields(errors)
    name = form.file_names.get("image", "")
    return GenerationRequest(model, parameters, image=image, image_name=name, response_kind=response_kind)


def _model(endpoint: str, form: Form, errors: dict[str, str]) -> str:
    if endpoint != "sd3":
        return endpoint
    name = (form.text("model") or "sd3.5-large").strip()
    if name not in SD3_MODELS:
        errors["model"] = f"must be one of {', '.join(SD3_MODELS)}"
    return SD3_MODELS.get(name, "sd3.5-large")


def _check_mode(form: Form, image: bytes | None, errors: dict[str, str]) -> None:
    """Refuse a missing image, and one that the mode does not use: nobody should pay for the wrong image."""
    mode = (form.text("mode") or MODES[0]).strip()
    if mode not in MODES:
        errors["mode"] = f"must be one of {', '.join(MODES)}"
    elif mode == MODES[1] and image is None:
        errors["image"] = "is required"
    elif mode == MODES[0] and image is not None:
        errors["image"] = "is only for the mode image-to-image"
