"""The JSON of v1 text-to-image (docs/providers/stability.md, "v1 text to image")."""

from __future__ import annotations

import json
from typing import Any

from generations.sandbox.account import cost_by_steps
from generations.sandbox.requests import STYLES, Order, pick_seed
from generations.sandbox.responses import RefusalError, bad_request

SDXL = "stable-diffusion-xl-1024-v1-0"
SD16 = "stable-diffusion-v1-6"
ENGINES = {
    SDXL: "Stability-AI Stable Diffusion XL v1.0",
    SD16: "Stability-AI Stable Diffusion v1.6",
}
SDXL_SIZES = {
    *((1024, 1024), (1152, 896), (896, 1152), (1216, 832), (832, 1216)),
    *((1344, 768), (768, 1344), (1536, 640), (640, 1536)),
}
GUIDANCE = ("NONE", "SIMPLE", "FAST_BLUE", "FAST_GREEN", "SLOW", "SLOWER", "SLOWEST")
SAMPLERS = (
    *("DDIM", "DDPM", "K_DPMPP_2M", "K_DPMPP_2S_ANCESTRAL", "K_DPM_2"),
    *("K_DPM_2_ANCESTRAL", "K_EULER", "K_EULER_ANCESTRAL", "K_HEUN", "K_LMS"),
)
FIELDS = {
    *("text_prompts", "width", "height", "cfg_scale", "clip_guidance_preset", "sampler"),
    *("samples", "seed", "steps", "style_preset", "extras"),
}
LARGEST_SEED = 4_294_967_295
LONGEST_PROMPT = 2_000


class JsonReader:
    """Reads values of a JSON object one by one and remembers every problem."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.errors: list[str] = []

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """An integer within its range."""
        value: object = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.errors.append(f"{name}: must be an integer between {low} and {high}")
            return default
        return value

    def number(self, name: str, low: float, high: float) -> None:
        """A number within its range, if it is there."""
        value = self.values.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.errors.append(f"{name}: must be a number between {low:g} and {high:g}")

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of a few words; empty if absent."""
        value = self.values.get(name)
        if value is not None and value not in allowed:
            self.errors.append(f"{name}: must be one of {', '.join(allowed)}")
        return value if isinstance(value, str) else ""

    def prompts(self) -> tuple[str, str]:
        """The texts with positive weight, and those with negative weight."""
        entries = self.values.get("text_prompts")
        if not isinstance(entries, list) or not entries:
            self.errors.append("text_prompts: must be a non-empty array")
            return "", ""
        wanted: list[str] = []
        unwanted: list[str] = []
        for place, entry in enumerate(entries):
            problem = _problem_of(entry)
            if problem:
                self.errors.append(f"text_prompts[{place}]{problem}")
                continue
            (unwanted if entry.get("weight", 1) < 0 else wanted).append(entry["text"])
        return ", ".join(wanted), ", ".join(unwanted)


def read_engine(engine: str) -> str:
    """The engine's own name; RefusalError (404) if there is no such engine."""
    if engine not in ENGINES:
        raise RefusalError(404, "not_found", f"The specified engine (ID {engine}) was not found.")
    return engine


def read_values(body: bytes) -> dict[str, Any]:
    """The JSON object of a request; RefusalError (400) if the body is anything else."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise bad_request("body: must be valid JSON") from problem
    if not isinstance(values, dict):
        raise bad_request("body: must be a JSON object")
    return values


def read_order(engine: str, values: dict[str, Any], *, strict: bool = False) -> Order:
    """Check a JSON object against the fields of v1; RefusalError (400) names each wrong one."""
    reader = JsonReader(values)
    prompt, negative = reader.prompts()
    width, height = _read_size(engine, reader)
    reader.number("cfg_scale", 0, 35)
    reader.choice("clip_guidance_preset", GUIDANCE)
    reader.choice("sampler", SAMPLERS)
    samples = reader.whole("samples", 1, 10, 1)
    seed = reader.whole("seed", 0, LARGEST_SEED, 0)
    steps = reader.whole("steps", 10, 50, 30)
    style = reader.choice("style_preset", STYLES)
    if not isinstance(values.get("extras", {}), dict):
        reader.errors.append("extras: must be an object")
    if strict:
        reader.errors += [f"{name}: is not a field of this endpoint" for name in values if name not in FIELDS]
    if reader.errors:
        raise bad_request(*reader.errors)
    return Order(
        model=engine,
        prompt=prompt,
        negative_prompt=negative,
        width=width,
        height=height,
        seed=seed or pick_seed(),
        cost=cost_by_steps(steps) * samples,
        style=style,
        samples=samples,
    )


def _problem_of(entry: Any) -> str:
    """What is wrong with one prompt, empty if nothing."""
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not entry["text"]:
        return ".text: is required"
    if len(entry["text"]) > LONGEST_PROMPT:
        return f".text: cannot be longer than {LONGEST_PROMPT} characters"
    weight = entry.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        return ".weight: must be a number"
    return ""


def _read_size(engine: str, reader: JsonReader) -> tuple[int, int]:
    side = 1024 if engine == SDXL else 512
    width, height = (reader.whole(name, 128, 4096, side) for name in ("width", "height"))
    if width % 64 or height % 64:
        reader.errors.append("width, height: must be multiples of 64")
    elif engine == SDXL and (width, height) not in SDXL_SIZES:
        reader.errors.append("width, height: for SDXL must be one of the documented pairs")
    elif engine == SD16 and (min(width, height) < 320 or max(width, height) > 1536):
        reader.errors.append("width, height: must be between 320 and 1536")
    return width, height
