"""OpenAI's images format, server side: `images/generations` and `models`.

What it takes and answers: docs/providers/openai.md, "What the portal serves" and "Errors of the portal".
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
from generations.api.compat.base import Answer, Request, Result, Wish, as_json
from generations.api.compat.errors import Problem, bad_fields, not_found
from generations.jobs.models import Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import Model

DEFAULT_MODEL = "core"
THEIR_MODELS = re.compile(r"(dall-e|gpt-image|chatgpt-image)(-[\w.-]+)?", re.ASCII)  # drawn by our default
ALWAYS_BASE64 = re.compile(r"(gpt-image|chatgpt-image)\b.*", re.ASCII)
SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", re.ASCII)
MOST_IMAGES = 10
# Ours, for who wants more than OpenAI's format knows; they go by the same names as everywhere.
MORE = ("negative_prompt", "aspect_ratio", "seed", "style_preset", "cfg_scale", "steps", "output_format")
THEIR_NAMES = {"aspect_ratio": "size"}
CODES = {  # code and type by our name for it; others are named as they are
    "unauthorized": ("invalid_api_key", "invalid_request_error"),
    "payment_required": ("insufficient_quota", "insufficient_quota"),
    "content_moderation": ("content_policy_violation", "image_generation_user_error"),
    "rate_limit_exceeded": ("rate_limit_exceeded", "requests"),
    "internal_error": ("server_error", "server_error"),
    "service_unavailable": ("service_unavailable", "server_error"),
    "timeout": ("timeout", "server_error"),
}
STATUSES = {"payment_required": 429, "content_moderation": 400}  # where theirs differ from Stability's
FINAL = (
    "payment_required",
    "timeout",
    "internal_error",
    "service_unavailable",
    "idempotency_key_reused",
)  # asking again would not help, or pay twice


class Images:
    """The endpoint `images/generations`."""

    patience = 9.5 * 60  # their clients give up, and ask for another picture, after 10 minutes

    def read(self, request: Request) -> Wish:
        """A JSON object."""
        return _wish(compat_parsing.read_object(request.body))

    def draw(self, wish: Wish, results: Sequence[Result]) -> Answer:
        """What came, as base64 or as links; Problem if nothing did."""
        drawn = [result for result in results if result.image is not None]
        if not drawn:
            raise _failure(results[0])
        entry = _as_link if wish.answer == "url" else _as_base64
        return as_json({"created": int(time.time()), "data": [entry(result) for result in drawn]})

    def refuse(self, problem: Problem, request_id: str) -> Answer:
        """Within `error`."""
        code, kind = CODES.get(problem.name, (problem.name, "invalid_request_error"))
        error = {"message": str(problem), "type": kind, "param": problem.about or None, "code": code}
        headers = dict(problem.headers)
        if problem.name in FINAL:
            headers["x-should-retry"] = "false"
        return as_json({"error": error}, STATUSES.get(problem.name, problem.status), headers)


def described(names: Sequence[str]) -> Answer:
    """The models of these names, as a list."""
    return as_json({"object": "list", "data": [_model(name) for name in names]})


def described_one(name: str, names: Sequence[str]) -> Answer:
    """One of these models; Problem (404) if it is none of them."""
    if name not in names:
        raise _no_such_model(name)
    return as_json(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "stability"}


def _wish(values: Mapping[str, Any]) -> Wish:
    errors: dict[str, str] = {}
    asked = values.get("model")
    model = catalogue_registry.get(_our_model(asked))
    count = _count(values.get("n"), errors)
    answer = _answer_wanted(values.get("response_format"), asked, errors)
    if values.get("stream"):
        errors["stream"] = "is not supported"
    parameters = {name: values[name] for name in MORE if name in values and model.takes(name)}
    parameters["prompt"] = values.get("prompt")
    if parameters.get("aspect_ratio") in (None, ""):
        parameters["aspect_ratio"] = _shape(values.get("size"), model, errors)
    try:
        parameters = catalogue_registry.validate(model, parameters)
    except catalogue_registry.InvalidParameters as problem:
        errors = {THEIR_NAMES.get(name, name): text for name, text in problem.errors.items()} | errors
    if errors:
        raise bad_fields(errors)
    return Wish(model.name, parameters, count, answer=answer)


def _our_model(name: Any) -> str:
    """Our model of that name; ours for any that a client names by habit."""
    if name in (None, ""):
        return DEFAULT_MODEL
    if isinstance(name, str) and name in catalogue_registry.MODELS:
        return name
    if isinstance(name, str) and THEIR_MODELS.fullmatch(name):
        return DEFAULT_MODEL
    raise _no_such_model(name)


def _count(value: Any, errors: dict[str, str]) -> int:
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_IMAGES:
        errors["n"] = f"must be an integer between 1 and {MOST_IMAGES}"
        return 1
    return int(value)


def _answer_wanted(value: Any, model: Any, errors: dict[str, str]) -> str:
    if value in (None, ""):
        return "b64_json" if isinstance(model, str) and ALWAYS_BASE64.fullmatch(model) else "url"
    if value not in ("url", "b64_json"):
        errors["response_format"] = "must be one of url, b64_json"
    return str(value)


def _shape(size: Any, model: Model, errors: dict[str, str]) -> str:
    """The shape that comes nearest to the size: a model has its own sizes."""
    if size in (None, "", "auto"):
        return "1:1"
    found = SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        errors["size"] = "must be auto, or like 1024x1024"
        return "1:1"
    asked = math.log(int(found[1]) / int(found[2]))
    return min(
        model.sizes, key=lambda shape: abs(math.log(model.size(shape)[0] / model.size(shape)[1]) - asked)
    )


def _failure(result: Result) -> Problem:
    if result.row.status == Status.FILTERED:
        return Problem(403, "content_moderation", (result.row.reason,))
    return result.failure or not_found()


def _as_link(result: Result) -> dict[str, Any]:
    assert result.image
    return {"url": compat_signed_urls.link(result.image), "revised_prompt": None}


def _as_base64(result: Result) -> dict[str, Any]:
    return {"b64_json": stability_responses.encoded(result.read()), "revised_prompt": None}


def _no_such_model(name: Any) -> Problem:
    text = (
        f"The model '{str(name)[:60]}' does not exist. Choose one of: {', '.join(catalogue_registry.MODELS)}."
    )
    return Problem(404, "model_not_found", (text,), about="model")
