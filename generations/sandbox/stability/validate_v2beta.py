"""The fields of the three v2beta endpoints (docs/providers/stability.md, "Fields" and "Image input")."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Mapping

from PIL import Image

from generations.sandbox.account import COSTS
from generations.sandbox.multipart import Form
from generations.sandbox.requests import STYLES, Order, pick_seed
from generations.sandbox.responses import bad_request
from generations.sandbox.sizes import RATIOS, nearest_ratio, size_of

LARGEST_SEED = 4_294_967_294
LONGEST_PROMPT = 10_000
MODELS = {  # sd3's names, with the 2024 ones that are re-routed
    "sd3.5-large": "sd3.5-large",
    "sd3.5-large-turbo": "sd3.5-large-turbo",
    "sd3.5-medium": "sd3.5-medium",
    "sd3.5-flash": "sd3.5-flash",
    "sd3-large": "sd3.5-large",
    "sd3-large-turbo": "sd3.5-large-turbo",
    "sd3-medium": "sd3.5-medium",
}
COMMON = {"prompt", "negative_prompt", "aspect_ratio", "seed", "output_format", "style_preset"}
TEXT_TO_IMAGE = COMMON | {"mode", "model", "cfg_scale"}
IMAGE_TO_IMAGE = TEXT_TO_IMAGE - {"aspect_ratio"} | {"image", "strength"}


class Reader:
    """Reads text parts one by one and remembers every problem it met."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.errors: list[str] = []

    def text(self, name: str, longest: int, *, required: bool = False) -> str:
        """Text of bounded length."""
        value = self.form.texts.get(name)
        if value is None or (required and not value):
            if required:
                self.errors.append(f"{name}: is required")
            return ""
        if len(value) > longest:
            self.errors.append(f"{name}: cannot be longer than {longest} characters")
        return value

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        """One of a few words."""
        value = self.form.texts.get(name, default)
        if name in self.form.texts and value not in allowed:
            self.errors.append(f"{name}: must be one of {', '.join(allowed)}")
            return default
        return value

    def number(self, name: str, low: float, high: float, *, whole: bool = False) -> float | None:
        """A number within its range; None if absent or wrong."""
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
        """Note a part that must be there."""
        if not present and not any(error.startswith(f"{name}:") for error in self.errors):
            self.errors.append(f"{name}: is required")

    def refuse_problems(self) -> None:
        """RefusalError (400) naming every problem, if there was one."""
        if self.errors:
            raise bad_request(*self.errors)


def read_order(endpoint: str, form: Form, *, strict: bool = False) -> Order:
    """Check a form against its endpoint's fields; RefusalError (400) names each wrong one."""
    reader = Reader(form)
    with_image = _wants_image(endpoint, reader)
    if strict:
        _refuse_unknown(reader, _documented(endpoint, with_image=with_image))
    prompt = reader.text("prompt", LONGEST_PROMPT, required=True)
    negative = reader.text("negative_prompt", LONGEST_PROMPT)
    ratio = reader.choice("aspect_ratio", RATIOS, "")
    seed = reader.number("seed", 0, LARGEST_SEED, whole=True)
    style = reader.choice("style_preset", STYLES, "")
    output_format = reader.choice("output_format", ("png", "jpeg", "webp"), "png")
    model = _read_model(endpoint, reader)
    strength = _read_strength(reader, with_image=with_image)
    input_size = _check_image(endpoint, reader) if with_image else None
    reader.refuse_problems()
    shape = (endpoint != "sd3" and ratio) or (nearest_ratio(*input_size) if input_size else ratio or "1:1")
    width, height = size_of(model, shape)
    return Order(
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


def _wants_image(endpoint: str, reader: Reader) -> bool:
    """Whether the call starts from an image: sd3 says so by its mode, ultra by sending one."""
    if endpoint == "sd3":
        modes = ("text-to-image", "image-to-image")
        return reader.choice("mode", modes, "text-to-image") == "image-to-image"
    return endpoint == "ultra" and "image" in reader.form.files


def _documented(endpoint: str, *, with_image: bool) -> set[str]:
    if endpoint == "sd3":
        return IMAGE_TO_IMAGE if with_image else TEXT_TO_IMAGE
    return COMMON | {"image", "strength"} if with_image else COMMON


def _refuse_unknown(reader: Reader, documented: set[str]) -> None:
    parts: Mapping[str, str | bytes] = {**reader.form.texts, **reader.form.files}
    reader.errors += [f"{name}: is not a field of this endpoint" for name in parts if name not in documented]
    reader.errors += [f"{name}: was sent empty" for name, value in parts.items() if not value]


def _read_model(endpoint: str, reader: Reader) -> str:
    if endpoint != "sd3":
        return endpoint
    reader.number("cfg_scale", 1, 10)
    return MODELS[reader.choice("model", MODELS, "sd3.5-large")]


def _read_strength(reader: Reader, *, with_image: bool) -> float:
    if not with_image:
        return 1.0
    reader.require("image" in reader.form.files, "image")
    strength = reader.number("strength", 0, 1)
    reader.require(strength is not None, "strength")
    return 1.0 if strength is None else strength


def _check_image(endpoint: str, reader: Reader) -> tuple[int, int] | None:
    """Width and height of the start image, read from its header alone."""
    data = reader.form.files.get("image")
    if data is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        reader.errors.append("image: must be a valid jpeg, png or webp image")
        return None
    if min(image.size) < 64 or (endpoint == "ultra" and max(image.size) > 16_384):
        reader.errors.append("image: width and height must be between 64 and 16384 pixels")
    return image.size
