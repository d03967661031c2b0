"""Stability's v1 image to image and masking as a wire format of this portal: forms, several samples per call.

Format: docs/providers/stability.md, "v1 image to image".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generations.api.compat import parsing as compat_parsing
from generations.api.compat.base import MAX_UPLOAD, GenerationRequest, HttpRequest, InputFile, MaskChanges
from generations.api.compat.parsing import Form
from generations.api.compat.stability_v1 import TextToImage, build_request, model_of
from generations.providers.catalogue.fields import parse_decimal
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.stability.endpoints import V1_PART_NAMES

PROMPT_FIELD = re.compile(r"text_prompts\[([0-9]{1,3})\]\[(text|weight)\]", re.ASCII)
MODES = ("IMAGE_STRENGTH", "STEP_SCHEDULE")
STEP_SCHEDULE_START = 0.65  # the default
MASK_SOURCES = {
    "MASK_IMAGE_WHITE": MaskChanges.WHITE,
    "MASK_IMAGE_BLACK": MaskChanges.BLACK,
    "INIT_IMAGE_ALPHA": MaskChanges.TRANSPARENT,
}


class ImageToImage(TextToImage):
    """The endpoints `generation/{engine_id}/image-to-image` and `…/image-to-image/masking`."""

    max_body = MAX_UPLOAD

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Parse a form for an engine that exists; below `/sd` also an urlencoded one."""
        model = model_of(request)
        content_type, gateway = request.headers.get("content-type", ""), request.path_parts.get("gateway")
        form = compat_parsing.read_form(content_type, request.body, urlencoded=bool(gateway))
        errors: dict[str, str] = {}
        values: dict[str, Any] = {
            name: form.text(name) for name in form.parts if name not in V1_PART_NAMES.values()
        }
        values["text_prompts"] = _form_prompts(values)
        files = [_file(form, V1_PART_NAMES[IMAGE])]
        if request.path_parts["masking"]:
            files.append(_mask(form, values, errors))
        values["strength"] = _strength(values, errors)
        for file in files:
            if not file.data:
                errors[V1_PART_NAMES[file.role]] = "is required"
        given = [file for file in files if file.data]
        return build_request(request, model, values, errors, given)


def _file(form: Form, part: str) -> InputFile:
    return InputFile(IMAGE, form.parts.get(part, b""), form.file_names.get(part, ""))


def _mask(form: Form, values: Mapping[str, Any], errors: dict[str, str]) -> InputFile:
    """The mask, which is a file or the transparency of the image."""
    changes = MASK_SOURCES.get(values.get("mask_source") or "", MaskChanges.WHITE)
    if values.get("mask_source") not in MASK_SOURCES:
        errors["mask_source"] = f"must be one of {', '.join(MASK_SOURCES)}"
    part = V1_PART_NAMES[IMAGE if changes is MaskChanges.TRANSPARENT else MASK]
    return replace(_file(form, part), role=MASK, mask_changes=changes)


def _strength(values: Mapping[str, Any], errors: dict[str, str]) -> Any:
    """Return the strength as v2beta counts it: 0 keeps the image; None if it is not said.

    `image_strength` counts the other way. `step_schedule_start` is the part of the steps that is skipped at
    the beginning: 0 gives the image back. `step_schedule_end` has no counterpart.
    """
    mode = values.get("init_image_mode") or MODES[0]
    if mode not in MODES:
        errors["init_image_mode"] = f"must be one of {', '.join(MODES)}"
    name = "step_schedule_start" if mode == MODES[1] else "image_strength"
    number = _fraction(values.get(name))
    if number is None and values.get(name):
        errors[name] = "must be a number between 0 and 1"
    if mode == MODES[1]:
        if values.get("step_schedule_end") and _fraction(values["step_schedule_end"]) != 1:
            errors["step_schedule_end"] = "is not supported by this portal; omit it"
        return STEP_SCHEDULE_START if number is None else number
    return None if number is None else round(1 - number, 10)


def _fraction(value: Any) -> float | None:
    number = parse_decimal(value)
    return number if number is not None and 0 <= number <= 1 else None


def _form_prompts(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The prompts of a form, `text_prompts[0][text]` and so on, as v1's JSON has them."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for name, value in values.items():
        if match := PROMPT_FIELD.fullmatch(name):
            found[int(match[1])][match[2]] = parse_decimal(value) if match[2] == "weight" else value
    return [found[index] for index in sorted(found)]
