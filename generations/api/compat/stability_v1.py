"""Stability's v1 as a wire format of this portal: text to image, JSON, several samples per call.

Format: docs/providers/stability.md, "v1 text to image".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generations.api.compat import parsing as compat_parsing
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
    single_result,
    validated,
)
from generations.api.compat.errors import CompatError, not_found
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import parse_whole
from generations.providers.catalogue.model import Model
from generations.providers.stability.endpoints import V1_ENGINES, V1_PART_NAMES

ENGINES = {engine: model for model, engine in V1_ENGINES.items()}
GUIDANCE = ("NONE", "SIMPLE", "FAST_BLUE", "FAST_GREEN", "SLOW", "SLOWER", "SLOWEST")
SAMPLERS = (
    "DDIM",
    "DDPM",
    "K_DPMPP_2M",
    "K_DPMPP_2S_ANCESTRAL",
    "K_DPM_2",
    "K_DPM_2_ANCESTRAL",
    "K_EULER",
    "K_EULER_ANCESTRAL",
    "K_HEUN",
    "K_LMS",
)
MAX_SAMPLES = 10
MAX_PROMPTS = 100
MAX_WEIGHT = 1_000_000  # a bound for what is stored; none is documented
CATALOGUE_FIELDS = ("seed", "cfg_scale", "steps", "style_preset", "aspect_ratio", "strength")
V1_NAMES = {
    "prompt": "text_prompts",
    "negative_prompt": "text_prompts",
    "aspect_ratio": "width, height",
    "strength": "image_strength",
    **V1_PART_NAMES,
}


class TextToImage:
    """The endpoint `generation/{engine_id}/text-to-image`."""

    max_body = MAX_JSON
    timeout = WAIT_SECONDS

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Parse a JSON object for an engine that exists."""
        model = model_of(request)
        values = compat_parsing.read_object(request.body)
        errors: dict[str, str] = {}
        values["aspect_ratio"] = _aspect_ratio(model, values, errors)
        return build_request(request, model, values, errors)

    def respond(self, request: GenerationRequest, results: Sequence[Result]) -> Response:
        """Write the artifacts, or the only one as a file; raise CompatError if none succeeded."""
        if request.response_kind == "bytes":
            return stability_responses.as_bytes(single_result(results))
        if all(result.failure for result in results):
            single_result(results)  # raises the first failure
        return json_response({"artifacts": [stability_responses.artifact(result) for result in results]})

    def respond_error(self, problem: CompatError, request_id: str) -> Response:
        """Write v1's envelope."""
        return stability_responses.error_v1(problem, request_id)


def model_of(request: HttpRequest) -> Model:
    """Return the model of the request's engine; CompatError (404) if there is none."""
    engine = request.path_parts["engine"]
    if engine not in ENGINES:
        raise not_found(f"The specified engine (ID {engine[:60]}) was not found.")
    return catalogue_registry.get(ENGINES[engine])


def _response_kind(headers: Mapping[str, str]) -> str:
    accept = headers.get("accept", "").lower()
    return "bytes" if "image/" in accept and "application/json" not in accept else "json"


def build_request(
    request: HttpRequest,
    model: Model,
    values: Mapping[str, Any],
    errors: dict[str, str],
    files: Sequence[InputFile] = (),
) -> GenerationRequest:
    """Check what all endpoints of v1 take, and what was found before: CompatError (400).

    `values` have `aspect_ratio` and `strength` as the catalogue has them.
    """
    parameters = {name: values[name] for name in CATALOGUE_FIELDS if name in values}
    wrong_prompts: dict[str, str] = {}
    parameters["prompt"], parameters["negative_prompt"] = _prompts(values.get("text_prompts"), wrong_prompts)
    if not wrong_prompts:
        parameters["text_prompts"] = _weighted(values["text_prompts"])
    errors |= wrong_prompts
    kind = _response_kind(request.headers)
    samples = _samples(values.get("samples", 1), kind, errors)
    _check_options(values, errors)
    wanted = GenerationRequest(model.name, parameters, samples, tuple(files), kind, V1_NAMES)
    return validated(wanted, errors)


def _prompts(entries: Any, errors: dict[str, str]) -> tuple[str, str]:
    """Return the prompt and the negative prompt: the texts with positive and with negative weight, joined."""
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_PROMPTS:
        errors["text_prompts"] = f"must be a non-empty array of at most {MAX_PROMPTS}"
        return "", ""
    positive: list[str] = []
    negative: list[str] = []
    for index, entry in enumerate(entries):
        if error := _prompt_error(entry):
            errors[f"text_prompts[{index}]"] = error
        else:
            (negative if entry.get("weight", 1) < 0 else positive).append(entry["text"])
    return ", ".join(positive), ", ".join(negative)


def _weighted(entries: Any) -> list[dict[str, Any]] | None:
    """The texts with their weights; None for one prompt of weight 1 and at most one of weight -1.

    Those are what `prompt` and `negative_prompt` are sent as.
    """
    texts = [{"text": entry["text"], "weight": entry.get("weight", 1)} for entry in entries]
    return None if [text["weight"] for text in texts] in ([1], [1, -1]) else texts


def _prompt_error(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not entry["text"].strip():
        return "text is required"
    weight = entry.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= MAX_WEIGHT:
        return f"weight must be a number between -{MAX_WEIGHT} and {MAX_WEIGHT}"
    return ""


def _aspect_ratio(model: Model, values: Mapping[str, Any], errors: dict[str, str]) -> str:
    """Return the aspect ratio of the width and height; a model has a size for each."""
    width, height = model.size()
    size = parse_whole(values.get("width", width)), parse_whole(values.get("height", height))
    ratios = {size: ratio for ratio, size in model.sizes.items()}
    if size not in ratios:
        pairs = ", ".join(f"{width}x{height}" for width, height in ratios)
        errors["width, height"] = f"must be one of {pairs}"
        return "1:1"
    return ratios[size]  # type: ignore[index]  # no None is among them


def _samples(value: Any, response_kind: str, errors: dict[str, str]) -> int:
    samples = parse_whole(value)
    if samples is None or not 1 <= samples <= MAX_SAMPLES:
        errors["samples"] = f"must be an integer between 1 and {MAX_SAMPLES}"
        return 1
    if response_kind == "bytes" and samples > 1:
        errors["samples"] = "must be 1 if the response is an image; accept application/json for more"
    return samples


def _check_options(values: Mapping[str, Any], errors: dict[str, str]) -> None:
    """Check the fields that the portal does not pass on as the provider would check them."""
    for name, allowed in (("clip_guidance_preset", GUIDANCE), ("sampler", SAMPLERS)):
        value = values.get(name)
        if value is not None and (not isinstance(value, str) or value not in allowed):
            errors[name] = f"must be one of {', '.join(allowed)}"
    if not isinstance(values.get("extras") or {}, dict):
        errors["extras"] = "must be an object"
