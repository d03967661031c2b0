"""Validate v1 text-to-image requests (docs/providers/stability.md, "v1 text to image")."""

from __future__ import annotations

import json
from typing import Any

from generations.sandbox.art.styles import STYLE_NAMES
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.responses import ApiError, bad_request

SDXL = "stable-diffusion-xl-1024-v1-0"
SD16 = "stable-diffusion-v1-6"
ENGINES = {
    SDXL: "Stability-AI Stable Diffusion XL v1.0",
    SD16: "Stability-AI Stable Diffusion v1.6",
}
SDXL_SIZES = {
    (1024, 1024),
    (1152, 896),
    (896, 1152),
    (1216, 832),
    (832, 1216),
    (1344, 768),
    (768, 1344),
    (1536, 640),
    (640, 1536),
}
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
FIELDS = {
    "text_prompts",
    "width",
    "height",
    "cfg_scale",
    "clip_guidance_preset",
    "sampler",
    "samples",
    "seed",
    "steps",
    "style_preset",
    "extras",
}
MAX_SEED = 4_294_967_295
MAX_PROMPT = 2_000
BASE_COST, INCLUDED_STEPS = 90, 30  # hundredths of a credit; more steps cost in proportion


class JsonValidator:
    """Validates the values of a JSON object and collects all errors."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.errors: list[str] = []

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        """Return an integer within its range."""
        value: object = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.errors.append(f"{name}: must be an integer between {low} and {high}")
            return default
        return value

    def number(self, name: str, low: float, high: float) -> None:
        """Check that a number is within its range, if present."""
        value = self.values.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.errors.append(f"{name}: must be a number between {low:g} and {high:g}")

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of the allowed values, empty if absent."""
        value = self.values.get(name)
        if value is not None and value not in allowed:
            self.errors.append(f"{name}: must be one of {', '.join(allowed)}")
        return value if isinstance(value, str) else ""

    def prompts(self) -> tuple[str, str]:
        """Return the texts with positive weight, and those with negative weight."""
        entries = self.values.get("text_prompts")
        if not isinstance(entries, list) or not entries:
            self.errors.append("text_prompts: must be a non-empty array")
            return "", ""
        positive: list[str] = []
        negative: list[str] = []
        for index, entry in enumerate(entries):
            error = _prompt_error(entry)
            if error:
                self.errors.append(f"text_prompts[{index}]{error}")
                continue
            (negative if entry.get("weight", 1) < 0 else positive).append(entry["text"])
        return ", ".join(positive), ", ".join(negative)


def validate_engine(engine: str) -> str:
    """Return the engine; ApiError (404) if it does not exist."""
    if engine not in ENGINES:
        raise ApiError(404, "not_found", f"The specified engine (ID {engine}) was not found.")
    return engine


def parse_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request; ApiError (400) if the body is anything else."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise bad_request("body: must be valid JSON") from problem
    if not isinstance(values, dict):
        raise bad_request("body: must be a JSON object")
    return values


def validate(engine: str, values: dict[str, Any], *, strict: bool = False) -> ImageRequest:
    """Validate the fields of v1; ApiError (400) names each invalid one."""
    validator = JsonValidator(values)
    prompt, negative = validator.prompts()
    width, height = _size(engine, validator)
    validator.number("cfg_scale", 0, 35)
    validator.choice("clip_guidance_preset", GUIDANCE)
    validator.choice("sampler", SAMPLERS)
    samples = validator.integer("samples", 1, 10, 1)
    seed = validator.integer("seed", 0, MAX_SEED, 0)
    steps = validator.integer("steps", 10, 50, 30)
    style = validator.choice("style_preset", STYLE_NAMES)
    if not isinstance(values.get("extras", {}), dict):
        validator.errors.append("extras: must be an object")
    if strict:
        validator.errors += [
            f"{name}: is not a field of this endpoint" for name in values if name not in FIELDS
        ]
    if validator.errors:
        raise bad_request(*validator.errors)
    return ImageRequest(
        model=engine,
        prompt=prompt,
        negative_prompt=negative,
        width=width,
        height=height,
        seed=seed or pick_seed(),
        cost=max(BASE_COST, -(-BASE_COST * steps // INCLUDED_STEPS)) * samples,
        style=style,
        samples=samples,
    )


def _prompt_error(entry: Any) -> str:
    """Return what is wrong with one prompt, empty if nothing is."""
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not entry["text"]:
        return ".text: is required"
    if len(entry["text"]) > MAX_PROMPT:
        return f".text: cannot be longer than {MAX_PROMPT} characters"
    weight = entry.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        return ".weight: must be a number"
    return ""


def _size(engine: str, validator: JsonValidator) -> tuple[int, int]:
    side = 1024 if engine == SDXL else 512
    width, height = (validator.integer(name, 128, 4096, side) for name in ("width", "height"))
    if width % 64 or height % 64:
        validator.errors.append("width, height: must be multiples of 64")
    elif engine == SDXL and (width, height) not in SDXL_SIZES:
        validator.errors.append("width, height: for SDXL must be one of the documented pairs")
    elif engine == SD16 and (min(width, height) < 320 or max(width, height) > 1536):
        validator.errors.append("width, height: must be between 320 and 1536")
    return width, height
