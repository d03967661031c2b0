"""The fields of OpenAI's images API, as the maker takes them: anything else is refused.

Source: docs/providers/openai.md, "The maker's models", "Generations" and "Edits".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from generations.sandbox.openai_errors import invalid_value, missing_field, model_not_found, unknown_field

MODELS = {  # live ones by the qualities that they have
    "gpt-image-2": ("auto", "low", "medium", "high"),
    "gpt-image-2-2026-04-21": ("auto", "low", "medium", "high"),
} | dict.fromkeys(
    (
        "gpt-image-2.5-sunburst",
        "gpt-image-2.5-flare",
        "gpt-image-2.5-sunburst-2026-09-08",
        "gpt-image-2.5-flare-2026-09-08",
        "gpt-image-2.6-sunburst",
        "gpt-image-2.6-flare",
    ),
    ("auto", "low", "medium", "high", "xhigh", "max"),
)
FORMATS = ("png", "jpeg", "webp", "svg")  # it is a project that is let in to svg, and not to gif
MAX_PROMPT = 32_000
SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", re.ASCII)
LONGEST_SIDE, LEAST_PIXELS, MOST_PIXELS = 3840, 655_360, 8_294_400

Values = dict[str, Any]
Read = Callable[[str, Any], Any]  # takes a field's name and value; raises RequestError


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise invalid_value(name, f"Invalid type for '{name}': expected a string.")
    if len(value) > MAX_PROMPT:
        raise invalid_value(name, f"Invalid '{name}': string too long, with a maximum of {MAX_PROMPT}.")
    return value


def _one_of(*choices: str) -> Read:
    def read(name: str, value: Any) -> str:
        if value not in choices:
            listed = ", ".join(f"'{choice}'" for choice in choices)
            raise invalid_value(name, f"Invalid value: '{value}'. Supported values are: {listed}.")
        return str(value)

    return read


def _integer(least: int, most: int) -> Read:
    def read(name: str, value: Any) -> int:
        if isinstance(value, str) and value.isdecimal():  # of a form
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise invalid_value(name, f"Invalid '{name}': expected an integer from {least} to {most}.")
        return value

    return read


def _flag(name: str, value: Any) -> bool:
    value = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if not isinstance(value, bool):
        raise invalid_value(name, f"Invalid type for '{name}': expected a boolean.")
    return value


def _size(name: str, value: Any) -> str:
    found = SIZE.fullmatch(value) if isinstance(value, str) else None
    if value == "auto" or (found and _is_drawn(int(found[1]), int(found[2]))):
        return str(value)
    raise invalid_value(
        name, f"Invalid value: '{value}'. Sides must be multiples of 16 up to {LONGEST_SIDE}."
    )


def _is_drawn(width: int, height: int) -> bool:
    pixels, longer, shorter = width * height, max(width, height), min(width, height)
    fits = longer <= LONGEST_SIDE and longer <= 3 * shorter and LEAST_PIXELS <= pixels <= MOST_PIXELS
    return fits and width % 16 == height % 16 == 0


FIELDS: Mapping[str, Read] = {
    "model": _text,
    "prompt": _text,
    "n": _integer(1, 10),
    "size": _size,
    "quality": _one_of("auto", "low", "medium", "high", "xhigh", "max"),
    "background": _one_of("auto", "opaque", "transparent"),
    "output_format": _one_of(*FORMATS),
    "output_compression": _integer(0, 100),
    "moderation": _one_of("auto", "low"),
    "complexity": _one_of("low", "medium", "high"),
    "stream": _flag,
    "partial_images": _integer(0, 3),
    "safety_identifier": _text,
    "user": _text,
}
DEFAULTS: Values = {
    "n": 1,
    "size": "auto",
    "quality": "auto",
    "background": "auto",
    "output_format": "png",
    "stream": False,
    "partial_images": 0,
}


def read(sent: Mapping[str, Any], *, at_gateway: bool) -> Values:
    """Return the values of all fields; RequestError for the first that is wrong.

    A gateway takes `response_format` besides, which the maker refuses.
    """
    values = dict(DEFAULTS)
    if at_gateway:
        values["response_format"] = "url"
    for name, value in sent.items():
        if name == "response_format" and at_gateway:
            values[name] = _one_of("url", "b64_json")(name, value)
        elif name in FIELDS:
            values[name] = FIELDS[name](name, value)
        else:
            raise unknown_field(name)
    _check_together(values)
    return values


def _check_together(values: Values) -> None:
    for name in ("prompt", "model"):
        if name not in values:
            raise missing_field(name)
    qualities = MODELS.get(values["model"])
    if qualities is None:
        raise model_not_found(values["model"])
    _one_of(*qualities)("quality", values["quality"])
    kind = values["output_format"]
    if values["background"] == "transparent" and kind in ("jpeg", "svg"):
        raise invalid_value(
            "background", f"Transparent background is not supported for {kind.upper()} output format."
        )
    if "output_compression" in values and kind in ("png", "svg"):
        raise invalid_value(
            "output_compression",
            f"Compression less than 100 is not supported for {kind.upper()} output format.",
        )
    if kind == "svg" and (values["n"] > 1 or values["stream"]):
        raise invalid_value("output_format", "SVG output supports one image and no stream.")
