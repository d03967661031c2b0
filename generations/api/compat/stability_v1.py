"""Stability's v1, server side: text to image by SDXL in JSON, several samples a call.

The wire: docs/providers/stability.md, "v1 text to image".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generations.api.compat import parsing as compat_parsing
from generations.api.compat import stability_responses
from generations.api.compat.base import Answer, Request, Result, Wish, as_json, one_picture
from generations.api.compat.errors import Problem, bad_fields, not_found
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.stability.models import SDXL_SIZES

ENGINES = {"stable-diffusion-xl-1024-v1-0": "sdxl"}
GUIDANCE = ("NONE", "SIMPLE", "FAST_BLUE", "FAST_GREEN", "SLOW", "SLOWER", "SLOWEST")
SAMPLERS = (
    *("DDIM", "DDPM", "K_DPMPP_2M", "K_DPMPP_2S_ANCESTRAL", "K_DPM_2"),
    *("K_DPM_2_ANCESTRAL", "K_EULER", "K_EULER_ANCESTRAL", "K_HEUN", "K_LMS"),
)
MOST_SAMPLES = 10
PASSED_ON = ("seed", "cfg_scale", "steps", "style_preset")
SHAPES = {size: shape for shape, size in SDXL_SIZES.items()}
THEIR_NAMES = {"prompt": "text_prompts", "negative_prompt": "text_prompts", "aspect_ratio": "width, height"}


class TextToImage:
    """The endpoint `generation/{engine_id}/text-to-image`."""

    patience = 15 * 60.0

    def read(self, request: Request) -> Wish:
        """A JSON object for an engine that there is."""
        engine = request.parts["engine"]
        if engine not in ENGINES:
            raise not_found(f"The specified engine (ID {engine[:60]}) was not found.")
        values = compat_parsing.read_object(request.body)
        return _wish(ENGINES[engine], values, _answer_wanted(request.headers))

    def draw(self, wish: Wish, results: Sequence[Result]) -> Answer:
        """The artifacts, or the only one as bytes; Problem if none came."""
        if wish.answer == "bytes":
            return stability_responses.as_bytes(one_picture(results))
        if all(result.failure for result in results):
            one_picture(results)
        return as_json({"artifacts": [stability_responses.artifact(result) for result in results]})

    def refuse(self, problem: Problem, request_id: str) -> Answer:
        """With one message."""
        return stability_responses.refused_v1(problem, request_id)


def _answer_wanted(headers: Mapping[str, str]) -> str:
    accept = headers.get("accept", "").lower()
    return "bytes" if "image/" in accept and "application/json" not in accept else "json"


def _wish(model: str, values: Mapping[str, Any], answer: str) -> Wish:
    errors: dict[str, str] = {}
    parameters: dict[str, Any] = {name: values[name] for name in PASSED_ON if name in values}
    parameters["prompt"], parameters["negative_prompt"] = _prompts(values.get("text_prompts"), errors)
    parameters["aspect_ratio"] = _shape(values, errors)
    samples = _samples(values.get("samples", 1), answer, errors)
    _check_options(values, errors)
    try:
        parameters = catalogue_registry.validate(catalogue_registry.get(model), parameters)
    except catalogue_registry.InvalidParameters as problem:
        named = {THEIR_NAMES.get(name, name): sentence for name, sentence in problem.errors.items()}
        errors = named | errors
    if errors:
        raise bad_fields(errors)
    return Wish(model, parameters, samples, answer=answer)


def _prompts(entries: Any, errors: dict[str, str]) -> tuple[str, str]:
    """The texts of positive and of negative weight, each as one."""
    if not isinstance(entries, list) or not entries:
        errors["text_prompts"] = "must be a non-empty array"
        return "", ""
    wanted: list[str] = []
    unwanted: list[str] = []
    for place, entry in enumerate(entries[:100]):
        if problem := _problem_of(entry):
            errors[f"text_prompts[{place}]"] = problem
        else:
            (unwanted if entry.get("weight", 1) < 0 else wanted).append(entry["text"])
    return ", ".join(wanted), ", ".join(unwanted)


def _problem_of(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not entry["text"].strip():
        return "text is required"
    weight = entry.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        return "weight must be a number"
    return ""


def _shape(values: Mapping[str, Any], errors: dict[str, str]) -> str:
    """The shape whose sides these are; SDXL takes no others."""
    size = values.get("width", 1024), values.get("height", 1024)
    if not all(isinstance(side, int) for side in size) or size not in SHAPES:
        pairs = ", ".join(f"{width}x{height}" for width, height in SHAPES)
        errors["width, height"] = f"must be one of {pairs}"
        return "1:1"
    return SHAPES[size]


def _samples(value: Any, answer: str, errors: dict[str, str]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_SAMPLES:
        errors["samples"] = f"must be an integer between 1 and {MOST_SAMPLES}"
        return 1
    if answer == "bytes" and value > 1:
        errors["samples"] = "must be 1 where the answer is an image; accept application/json for more"
    return int(value)


def _check_options(values: Mapping[str, Any], errors: dict[str, str]) -> None:
    """What the portal leaves to the provider is checked all the same, as the provider would."""
    for name, allowed in (("clip_guidance_preset", GUIDANCE), ("sampler", SAMPLERS)):
        value = values.get(name)
        if value is not None and (not isinstance(value, str) or value not in allowed):
            errors[name] = f"must be one of {', '.join(allowed)}"
    if not isinstance(values.get("extras") or {}, dict):
        errors["extras"] = "must be an object"
