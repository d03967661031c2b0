"""Validate requests of the v2beta endpoints (docs/providers/stability.md, "Fields" and "Image input")."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Mapping

from PIL import Image

from generations.sandbox.art.styles import STYLE_NAMES
from generations.sandbox.image_request import ImageRequest, pick_seed
from generations.sandbox.multipart import Form
from generations.sandbox.responses import bad_request
from generations.sandbox.sizes import ONE_MEGAPIXEL, nearest_ratio, size_with

MAX_SEED = 4_294_967_294
MAX_PROMPT = 10_000
MODELS = {  # names at sd3, with those of 2024, which are aliases
    "sd3.5-large": "sd3.5-large",
    "sd3.5-large-turbo": "sd3.5-large-turbo",
    "sd3.5-medium": "sd3.5-medium",
    "sd3.5-flash": "sd3.5-flash",
    "sd3-large": "sd3.5-large",
    "sd3-large-turbo": "sd3.5-large-turbo",
    "sd3-medium": "sd3.5-medium",
}
# Hundredths of a credit per image: docs/providers/stability.md, "Prices".
COSTS = {
    "ultra": 800,
    "core": 300,
    "sd3.5-large": 650,
    "sd3.5-large-turbo": 400,
    "sd3.5-medium": 350,
    "sd3.5-flash": 250,
}
COMMON = {"prompt", "negative_prompt", "aspect_ratio", "seed", "output_format", "style_preset"}
TEXT_TO_IMAGE = COMMON | {"mode", "model", "cfg_scale"}
IMAGE_TO_IMAGE = TEXT_TO_IMAGE - {"aspect_ratio"} | {"image", "strength"}


class FormValidator:
    """Validates the parts of a form and collects all errors."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.errors: list[str] = []

    def text(self, name: str, max_length: int, *, required: bool = False) -> str:
        """Return a text of limited length."""
        value = self.form.texts.get(name)
        if value is None or (required and not value):
            if required:
                self.errors.append(f"{name}: is required")
            return ""
        if len(value) > max_length:
            self.errors.append(f"{name}: cannot be longer than {max_length} characters")
        return value

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        """Return one of the allowed values."""
        value = self.form.texts.get(name, default)
        if name in self.form.texts and value not in allowed:
            self.errors.append(f"{name}: must be one of {', '.join(allowed)}")
            return default
        return value

    def number(self, name: str, low: float, high: float, *, whole: bool = False) -> float | None:
        """Return a number within its range; None if absent or invalid."""
        text = self.form.texts.get(name)
        if text is None:
            return None
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            self.errors.append(f"{name}: must be {'an integer' if whole else 'a number'}")
            return None
        if not low <= value <= high:
            self.errors.append(f"{name}: must be between {low} and {high}")
            return None
        return value

    def require(self, present: bool, name: str) -> None:
        """Add an error if a required part is missing."""
        if not present and not any(error.startswith(f"{name}:") for error in self.errors):
            self.errors.append(f"{name}: is required")

    def raise_errors(self) -> None:
        """Raise ApiError (400) with all errors, if there are any."""
        if self.errors:
            raise bad_request(*self.errors)


def validate(endpoint: str, form: Form, *, strict: bool = False) -> ImageRequest:
    """Validate a form for its endpoint; ApiError (400) names each invalid field."""
    validator = FormValidator(form)
    with_image = _has_image(endpoint, validator)
    if strict:
        _reject_unknown(validator, _documented_fields(endpoint, with_image=with_image))
    prompt = validator.text("prompt", MAX_PROMPT, required=True)
    negative = validator.text("negative_prompt", MAX_PROMPT)
    ratio = validator.choice("aspect_ratio", ONE_MEGAPIXEL, "")
    seed = validator.number("seed", 0, MAX_SEED, whole=True)
    style = validator.choice("style_preset", STYLE_NAMES, "")
    output_format = validator.choice("output_format", ("png", "jpeg", "webp"), "png")
    model = _model(endpoint, validator)
    strength = _strength(validator, with_image=with_image)
    input_size = _check_image(endpoint, validator) if with_image else None
    validator.raise_errors()
    shape = (endpoint != "sd3" and ratio) or (nearest_ratio(*input_size) if input_size else ratio or "1:1")
    width, height = size_with(1.5e6, shape) if model == "core" else ONE_MEGAPIXEL[shape]
    return ImageRequest(
        model=model,
        prompt=prompt,
        negative_prompt=negative,
        width=width,
        height=height,
        seed=int(seed or 0) or pick_seed(),
        cost=COSTS[model],
        style=style,
        output_format=output_format,
        image=form.files.get("image") if with_image else None,
        strength=strength,
    )


def _has_image(endpoint: str, validator: FormValidator) -> bool:
    """Return whether the call has a start image: sd3 has a mode for it, ultra just gets an image."""
    if endpoint == "sd3":
        modes = ("text-to-image", "image-to-image")
        return validator.choice("mode", modes, "text-to-image") == "image-to-image"
    return endpoint == "ultra" and "image" in validator.form.files


def _documented_fields(endpoint: str, *, with_image: bool) -> set[str]:
    if endpoint == "sd3":
        return IMAGE_TO_IMAGE if with_image else TEXT_TO_IMAGE
    return COMMON | {"image", "strength"} if with_image else COMMON


def _reject_unknown(validator: FormValidator, documented: set[str]) -> None:
    parts: Mapping[str, str | bytes] = {**validator.form.texts, **validator.form.files}
    validator.errors += [
        f"{name}: is not a field of this endpoint" for name in parts if name not in documented
    ]
    validator.errors += [f"{name}: was sent empty" for name, value in parts.items() if not value]


def _model(endpoint: str, validator: FormValidator) -> str:
    if endpoint != "sd3":
        return endpoint
    validator.number("cfg_scale", 1, 10)
    return MODELS[validator.choice("model", MODELS, "sd3.5-large")]


def _strength(validator: FormValidator, *, with_image: bool) -> float:
    if not with_image:
        return 1.0
    validator.require("image" in validator.form.files, "image")
    strength = validator.number("strength", 0, 1)
    validator.require(strength is not None, "strength")
    return 1.0 if strength is None else strength


def _check_image(endpoint: str, validator: FormValidator) -> tuple[int, int] | None:
    """Return width and height of the start image, read from its header only."""
    data = validator.form.files.get("image")
    if data is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        validator.errors.append("image: must be a valid jpeg, png or webp image")
        return None
    if min(image.size) < 64 or (endpoint == "ultra" and max(image.size) > 16_384):
        validator.errors.append("image: width and height must be between 64 and 16384 pixels")
    return image.size
