"""Validate the JSON body of an order by the table of its model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generations.sandbox.bfl.errors import Problem, Unprocessable
from generations.sandbox.bfl.fields import Wrong
from generations.sandbox.bfl.services import SERVICES, Service
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.responses import bad_request
from generations.sandbox.state import Request

STRENGTH = 0.6  # how far a picture with an image is from it


def parse(request: Request) -> dict[str, Any]:
    """Return the object of the body; Unprocessable for anything else."""
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Unprocessable([Problem("body", "JSON decode error", "json_invalid")]) from None
    if not isinstance(body, dict):
        raise Unprocessable([Problem("body", "Input should be a valid dictionary", "model_attributes_type")])
    return body


def validate(model: str, body: dict[str, Any], *, strict: bool = False) -> ImageRequest:
    """Return the request; Unprocessable names every field that is wrong.

    `strict` refuses unknown fields of every model; some refuse them anyway.
    """
    service = SERVICES[model]
    values: dict[str, Any] = {name: field.default for name, field in service.fields.items()}
    problems = list(_read(service, body, values))
    if strict or service.strict:
        unknown = body.keys() - service.fields.keys()
        problems += [Problem(each, "Extra inputs are not permitted", "extra_forbidden") for each in unknown]
    if problems:
        raise Unprocessable(problems)
    if problem := service.check(values):
        raise bad_request(problem)
    width, height = service.size(values)
    return ImageRequest(
        model=model,
        prompt=values.get("prompt") or "",
        seed=values.get("seed") or pick_seed(),
        cost=service.cost(values),
        draw=service.draw,
        width=width,
        height=height,
        output_format=values.get("output_format") or "jpeg",
        strength=STRENGTH,
        files=service.pictures(values),
        values=service.drawn_from(values),
    )


def _read(service: Service, body: dict[str, Any], values: dict[str, Any]) -> Iterator[Problem]:
    """Put the values of all fields into `values`; yield what is wrong."""
    for name, field in service.fields.items():
        if body.get(name) is None:
            if field.required:
                yield Problem(name, "Field required", "missing")
            continue
        try:
            values[name] = field.read(body[name])
        except Wrong as problem:
            yield Problem(name, str(problem), problem.kind)
