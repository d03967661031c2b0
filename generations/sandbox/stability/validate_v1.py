"""Validate v1 requests (docs/providers/stability.md, "v1 text to image" and "v1 image to image")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.sandbox.art.styles import STYLE_NAMES
from generations.sandbox.drawings import generate
from generations.sandbox.image_decoding import open_image
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.multipart import Form
from generations.sandbox.responses import ApiError, bad_request
from generations.sandbox.stability.fields import DECIMAL, WHOLE, Picture

SDXL = "stable-diffusion-xl-1024-v1-0"
SD16 = "stable-diffusion-v1-6"
ENGINES = {
    SDXL: "Stability-AI Stable Diffusion XL v1.0",
    SD16: "Stability-AI Stable Diffusion v1.6",
}
SDXL_SIZES = (
    (1024, 1024),
    (1152, 896),
    (896, 1152),
    (1216, 832),
    (832, 1216),
    (1344, 768),
    (768, 1344),
    (1536, 640),
    (640, 1536),
)
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
    "cfg_scale",
    "clip_guidance_preset",
    "sampler",
    "samples",
    "seed",
    "steps",
    "style_preset",
    "extras",
}
SIZE_FIELDS = {"width", "height"}
IMAGE_FIELDS = {"init_image", "init_image_mode", "image_strength", "step_schedule_start", "step_schedule_end"}
MASK_FIELDS = {"mask_source", "mask_image"}
FIELDS_OF = {
    "text-to-image": FIELDS | SIZE_FIELDS,
    "image-to-image": FIELDS | IMAGE_FIELDS,
    "image-to-image/masking": FIELDS | IMAGE_FIELDS | MASK_FIELDS,
}
MODES = ("IMAGE_STRENGTH", "STEP_SCHEDULE")
MASK_SOURCES = ("MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK", "INIT_IMAGE_ALPHA")
PROMPT_PART = re.compile(r"text_prompts\[([0-9]{1,3})\]\[(text|weight)\]")
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

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """Return a number within its range."""
        value: object = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.errors.append(f"{name}: must be a number between {low:g} and {high:g}")
            return default
        return value

    def picture(self, name: str, files: Mapping[str, bytes], *, required: bool) -> bytes | None:
        """Return the file of an image."""
        try:
            return Picture(required=required).read(Form(files=dict(files)), name)
        except ValueError as problem:
            self.errors.append(f"{name}: {problem}")
            return None

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


def parse_texts(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the texts of a form as the values of a JSON object: `text_prompts[0][text]`, numbers."""
    values: dict[str, Any] = {}
    prompts: dict[int, dict[str, Any]] = {}
    for name, text in texts.items():
        if found := PROMPT_PART.fullmatch(name):
            prompts.setdefault(int(found[1]), {})[found[2]] = text if found[2] == "text" else _number(text)
        else:
            values[name] = _number(text)
    if prompts:
        values["text_prompts"] = [prompts[index] for index in sorted(prompts)]
    return values


def validate(
    engine: str, values: dict[str, Any], *, kind: str, files: Mapping[str, bytes], strict: bool = False
) -> ImageRequest:
    """Validate the fields of v1; ApiError (400) names each invalid one."""
    validator = JsonValidator(values)
    prompt, negative = validator.prompts()
    from_image = kind != "text-to-image"
    image = _from_image(engine, kind, files, validator) if from_image else None
    width, height = image.size if image else _size(engine, validator)
    validator.number("cfg_scale", 0, 35, 7)
    validator.choice("clip_guidance_preset", GUIDANCE)
    validator.choice("sampler", SAMPLERS)
    samples = validator.integer("samples", 1, 10, 1)
    seed = validator.integer("seed", 0, MAX_SEED, 0)
    steps = validator.integer("steps", 10, 50, 30)
    style = validator.choice("style_preset", STYLE_NAMES)
    if not from_image and not isinstance(values.get("extras", {}), dict):
        validator.errors.append("extras: must be an object")
    if strict:
        validator.errors += [
            f"{name}: is not a field of this endpoint"
            for name in (*values, *files)
            if name not in FIELDS_OF[kind]
        ]
    if validator.errors:
        raise bad_request(*validator.errors)
    if image and engine == SDXL and image.size not in SDXL_SIZES:
        raise _wrong_sdxl_size(image.size)
    return ImageRequest(
        model=engine,
        prompt=prompt,
        negative_prompt=negative,
        width=width,
        height=height,
        seed=seed or pick_seed(),
        cost=max(BASE_COST, -(-BASE_COST * steps // INCLUDED_STEPS)) * samples,
        draw=generate.masked if kind.endswith("masking") else generate.picture,
        style=style,
        samples=samples,
        strength=image.strength if image else 1.0,
        files=image.files if image else {},
        values={"mask_source": image.mask_source} if image else {},
    )


@dataclass(frozen=True)
class StartImage:
    """What image-to-image adds: the size of its image, and 0..1 how much of it is redrawn."""

    size: tuple[int, int]
    strength: float
    mask_source: str
    files: Mapping[str, bytes]


def _from_image(engine: str, kind: str, files: Mapping[str, bytes], validator: JsonValidator) -> StartImage:
    init = validator.picture("init_image", files, required=True)
    mode = validator.choice("init_image_mode", MODES) or "IMAGE_STRENGTH"
    masking = kind.endswith("masking")
    # Near 1 means near the image, the opposite of v2beta's strength. A mask is redrawn whole by default.
    kept = validator.number("image_strength", 0, 1, 0.0 if masking else 0.35)
    start = validator.number("step_schedule_start", 0, 1, 0.65)
    validator.number("step_schedule_end", 0, 1, 0.0)
    pictures = {"image": init}
    source = ""
    if masking:
        source = validator.choice("mask_source", MASK_SOURCES)
        if not source:
            validator.errors.append("mask_source: is required")
        pictures["mask"] = validator.picture("mask_image", files, required=source != "INIT_IMAGE_ALPHA")
    found = {name: data for name, data in pictures.items() if data is not None}
    sizes = {name: open_image(data).size for name, data in found.items()}
    size = sizes.get("image", (0, 0))
    if init and engine == SD16 and (min(size) < 320 or max(size) > 1536):
        validator.errors.append("init_image: width and height must be between 320 and 1536 pixels")
    if init and sizes.get("mask", size) != size:
        validator.errors.append("mask_image: must be as large as init_image")
    return StartImage(size, 1 - kept if mode == "IMAGE_STRENGTH" else start, source, found)


def _wrong_sdxl_size(size: tuple[int, int]) -> ApiError:
    """Return the error, in the words that others have seen, of an image that SDXL does not take."""
    allowed = ", ".join(f"{width}x{height}" for width, height in SDXL_SIZES)
    text = f"for stable-diffusion-xl-1024-v0-9 and {SDXL} the allowed dimensions are {allowed}"
    return ApiError(400, "invalid_sdxl_v1_dimensions", f"{text}, but we received {size[0]}x{size[1]}")


def _number(text: str) -> int | float | str:
    """Return the number that a text of a form is, or the text."""
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text


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
