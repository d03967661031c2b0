"""Stability's v2beta as a wire format of this portal: one image per call.

Format: docs/providers/stability.md, "Request headers", "Fields" and "Edit, upscale and control". Which
endpoints there are, and what they take, follows from the models of the client and their declarations.
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
    InputFile,
    Response,
    Result,
    single_result,
    validated,
)
from generations.api.compat.errors import CompatError
from generations.api.compat.parsing import Form
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.stability.endpoints import V2BETA, part_name

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


ENDPOINTS = frozenset(endpoint.path for endpoint in V2BETA.values())
MODELS = {endpoint.path: model for model, endpoint in V2BETA.items() if not endpoint.is_shared}


class StableImage:
    """All endpoints below `stable-image`."""

    max_body = MAX_UPLOAD
    timeout = WAIT_SECONDS

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Parse a form; below `/sd` also an urlencoded one, which one gateway documents."""
        content_type = request.headers.get("content-type", "")
        gateway = bool(request.path_parts.get("gateway"))
        form = compat_parsing.read_form(content_type, request.body, urlencoded=gateway)
        errors = _client_header_errors(request.headers)
        kind = "json" if stability_responses.wants_json(request.headers) else "bytes"
        return _parse(request.path_parts["endpoint"], form, kind, errors)

    def respond(self, request: GenerationRequest, results: Sequence[Result]) -> Response:
        """Write the image as a file or in JSON."""
        result = single_result(results)
        is_json = request.response_kind == "json"
        return stability_responses.as_json(result) if is_json else stability_responses.as_bytes(result)

    def respond_error(self, problem: CompatError, request_id: str) -> Response:
        """Write v2beta's envelope."""
        return stability_responses.error_v2beta(problem, request_id)


def _client_header_errors(headers: Mapping[str, str]) -> dict[str, str]:
    message = f"must be at most {MAX_CLIENT_HEADER} characters long"
    return {name: message for name in CLIENT_HEADERS if len(headers.get(name, "")) > MAX_CLIENT_HEADER}


def _parse(endpoint: str, form: Form, response_kind: str, errors: dict[str, str]) -> GenerationRequest:
    model = catalogue_registry.get(MODELS.get(endpoint) or _model(form, errors))
    names = {each.role: part_name(model.name, each.role) for each in model.inputs}
    names = {IMAGE: IMAGE} | names  # an image that the model does not take is refused, not ignored
    files = tuple(
        InputFile(role, form.parts[part], form.file_names.get(part, ""))
        for role, part in names.items()
        if form.parts.get(part)
    )
    if endpoint not in MODELS:
        _check_mode(form, bool(files), errors)
    parameters = {
        name: form.text(name) for name in form.parts if model.takes(name) and name not in names.values()
    }
    request = GenerationRequest(
        model.name,
        parameters,
        files=files,
        response_kind=response_kind,
        wire_names=names,
        is_task=model.task_seconds is not None,
    )
    return validated(request, errors)


def _model(form: Form, errors: dict[str, str]) -> str:
    """The model of the endpoint that several share."""
    name = (form.text("model") or "sd3.5-large").strip()
    if name not in SD3_MODELS:
        errors["model"] = f"must be one of {', '.join(SD3_MODELS)}"
    return SD3_MODELS.get(name, "sd3.5-large")


def _check_mode(form: Form, has_image: bool, errors: dict[str, str]) -> None:
    """Refuse a missing image, and one that the mode does not use: nobody should pay for the wrong image."""
    mode = (form.text("mode") or MODES[0]).strip()
    if mode not in MODES:
        errors["mode"] = f"must be one of {', '.join(MODES)}"
    elif mode == MODES[1] and not has_image:
        errors["image"] = "is required"
    elif mode == MODES[0] and has_image:
        errors["image"] = "is only for the mode image-to-image"
