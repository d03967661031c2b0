"""Stability's v2beta, server side: three endpoints, one picture a call.

The wire: docs/providers/stability.md, "Request headers" and "Fields".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generations.api.compat import parsing as compat_parsing
from generations.api.compat import stability_responses
from generations.api.compat.base import Answer, Request, Result, Wish, one_picture
from generations.api.compat.errors import Problem, bad_fields
from generations.api.compat.parsing import Form
from generations.providers.catalogue import registry as catalogue_registry

# sd3's names. Those of before April 2025 are re-routed by the provider too: docs/providers/stability.md,
# "Models".
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
# What a client says of itself; nothing here reads it, but it has a longest length:
# docs/providers/stability.md, "Request headers".
CLIENT_HEADERS = ("stability-client-id", "stability-client-user-id", "stability-client-version")
LONGEST_CLIENT = 256


class StableImage:
    """The endpoints `generate/ultra`, `generate/core` and `generate/sd3`."""

    patience = 15 * 60.0

    def read(self, request: Request) -> Wish:
        """A form; a gateway (`/sd`) takes an urlencoded one too, as one gateway's page says."""
        content_type = request.headers.get("content-type", "")
        gateway = bool(request.parts.get("gateway"))
        form = compat_parsing.read_form(content_type, request.body, urlencoded=gateway)
        errors = _errors_of_client(request.headers)
        return _wish(request.parts["endpoint"], form, _answer_wanted(request.headers), errors)

    def draw(self, wish: Wish, results: Sequence[Result]) -> Answer:
        """The picture as bytes or within JSON."""
        result = one_picture(results)
        draw = stability_responses.in_json if wish.answer == "json" else stability_responses.as_bytes
        return draw(result)

    def refuse(self, problem: Problem, request_id: str) -> Answer:
        """With a list of errors."""
        return stability_responses.refused(problem, request_id)


def _answer_wanted(headers: Mapping[str, str]) -> str:
    """Pages of gateways have clients send both types at once: that means JSON.

    See docs/providers/gateways.md, "Stability at four gateways".
    """
    return "json" if "application/json" in headers.get("accept", "").lower() else "bytes"


def _errors_of_client(headers: Mapping[str, str]) -> dict[str, str]:
    said = f"must be at most {LONGEST_CLIENT} characters long"
    return {name: said for name in CLIENT_HEADERS if len(headers.get(name, "")) > LONGEST_CLIENT}


def _wish(endpoint: str, form: Form, answer: str, errors: dict[str, str]) -> Wish:
    model = _model(endpoint, form, errors)
    image = form.parts.get("image") or None
    if endpoint == "sd3":
        _check_mode(form, image, errors)
    declared = catalogue_registry.get(model)
    values = {name: form.text(name) for name in form.parts if declared.takes(name) and name != "image"}
    try:
        parameters = catalogue_registry.validate(declared, values, has_image=image is not None)
    except catalogue_registry.InvalidParameters as problem:
        errors |= problem.errors
    if errors:
        raise bad_fields(errors)
    name = form.file_names.get("image", "")
    return Wish(model, parameters, image=image, image_name=name, answer=answer)


def _model(endpoint: str, form: Form, errors: dict[str, str]) -> str:
    if endpoint != "sd3":
        return endpoint
    name = (form.text("model") or "sd3.5-large").strip()
    if name not in SD3_MODELS:
        errors["model"] = f"must be one of {', '.join(SD3_MODELS)}"
    return SD3_MODELS.get(name, "sd3.5-large")


def _check_mode(form: Form, image: bytes | None, errors: dict[str, str]) -> None:
    """There is an image exactly where the mode wants one, so that nobody pays for a misunderstanding."""
    mode = (form.text("mode") or MODES[0]).strip()
    if mode not in MODES:
        errors["mode"] = f"must be one of {', '.join(MODES)}"
    elif mode == MODES[1] and image is None:
        errors["image"] = "is required"
    elif mode == MODES[0] and image is not None:
        errors["image"] = "is only for the mode image-to-image"
