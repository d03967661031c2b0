"""Validate a form by the table of its service (docs/providers/stability.md, "Fields" and "Image input")."""

from __future__ import annotations

from typing import Any

from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.multipart import Form
from generations.sandbox.responses import bad_request
from generations.sandbox.stability.fields import Picture, Text
from generations.sandbox.stability.services import MODELS, SD3_COSTS, Service, model_name


def prompts(service: Service, form: Form) -> str:
    """Return all texts that describe what to draw, a line each."""
    names = [name for name, field in service.fields.items() if isinstance(field, Text)]
    return "\n".join(form.texts[name] for name in names if name != "negative_prompt" and form.texts.get(name))


def validate(path: str, service: Service, form: Form, *, strict: bool = False) -> ImageRequest:
    """Validate a form; ApiError (400) names each invalid field. `strict` refuses fields the service lacks."""
    errors = _unknown(service, form) if strict else []
    values: dict[str, Any] = {}
    for name, field in service.fields.items():
        try:
            values[name] = field.read(form, name)
        except ValueError as problem:
            errors.append(f"{name}: {problem}")
    if not errors:
        errors = [f"{names}: {problem}" for names, problem in service.check(values).items()]
    if errors:
        raise bad_request(*errors)
    width, height = service.size(values)
    pictures = {name for name, field in service.fields.items() if isinstance(field, Picture)}
    model = MODELS[values["model"]] if "model" in values else model_name(path)
    return ImageRequest(
        model=model,
        prompt=prompts(service, form),
        negative_prompt=values.get("negative_prompt", ""),
        width=width,
        height=height,
        seed=values.get("seed") or pick_seed(),
        cost=SD3_COSTS.get(model, service.cost),
        draw=service.draw,
        style=values.get("style_preset", ""),
        output_format=values["output_format"],
        strength=values.get("strength", 1.0),
        files={name: values[name] for name in pictures if values[name] is not None},
        values={name: value for name, value in values.items() if name not in pictures},
    )


def _unknown(service: Service, form: Form) -> list[str]:
    parts: dict[str, str | bytes] = {**form.texts, **form.files}
    errors = [f"{name}: is not a field of this endpoint" for name in parts if name not in service.fields]
    return errors + [f"{name}: was sent empty" for name, value in parts.items() if not value]
