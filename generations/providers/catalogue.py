"""The models that can be asked for: form, validation, API and price all come from here.

Facts: providers.md sections 1.2 (fields), 1.4 (sizes), 1.7 (credits) and 2.1 (SDXL).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from .choices import FORMATS, ONE_MEGAPIXEL, ONE_MEGAPIXEL_AND_A_HALF, SDXL_PAIRS, SHAPES, STYLES
from .fields import Choice, Field, Image, InvalidValue, Number, Text, When

__all__ = [
    "FORMATS",
    "MODELS",
    "SHAPES",
    "STYLES",
    "Choice",
    "Field",
    "Image",
    "InvalidParameters",
    "Model",
    "Number",
    "Text",
    "UnknownModel",
    "When",
    "get",
    "validate",
]


class UnknownModel(KeyError):
    """Nobody declared a model of this name."""

    def __str__(self) -> str:
        return f"There is no model called “{str(self.args[0])[:60]}”; choose one of: {', '.join(MODELS)}."


class InvalidParameters(ValueError):
    """Values that the model does not take: for each field one sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {sentence}" for name, sentence in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True)
class Model:
    """One model; costs are hundredths of a credit per picture."""

    name: str
    title: str
    clause: str  # what it is good at, at most 26 letters: it stands on a card
    base_cost: int
    expected_seconds: int
    sizes: Mapping[str, tuple[int, int]]
    fields: tuple[Field, ...]
    languages: tuple[str, ...] = ("en",)
    included_steps: int | None = None  # more steps than these cost more in proportion

    def field(self, name: str) -> Field:
        """The field of this name; KeyError if the model takes none."""
        return self._by_name[name]

    def takes(self, name: str) -> bool:
        """True if the model has a field of this name."""
        return name in self._by_name

    def cost(self, parameters: Mapping[str, Any]) -> int:
        """What one picture with these cleaned parameters costs at the list price."""
        steps: int = parameters.get("steps", 0)
        if self.included_steps is None or steps <= self.included_steps:
            return self.base_cost
        return -(-self.base_cost * steps // self.included_steps)  # rounded up

    def size(self, aspect_ratio: str = "1:1") -> tuple[int, int]:
        """Width and height to expect, for display: what arrives may differ (providers.md 1.4)."""
        return self.sizes[aspect_ratio]

    @property
    def largest_seed(self) -> int:
        """The last seed that the model takes; 0 if it takes none."""
        field = self._by_name.get("seed")
        return int(field.maximum) if isinstance(field, Number) else 0

    @property
    def formats(self) -> tuple[str, ...]:
        """The file formats that can come back."""
        field = self._by_name.get("output_format")
        return field.values if isinstance(field, Choice) else ("png",)

    @property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}


def get(name: str) -> Model:
    """The model of this name; UnknownModel if there is none."""
    try:
        return MODELS[name]
    except (KeyError, TypeError):
        raise UnknownModel(name) from None


def validate(model: Model, parameters: Mapping[str, Any], *, has_image: bool = False) -> dict[str, Any]:
    """What of these values is to be sent; InvalidParameters names every field that is wrong.

    Nothing is added. Empty values go, and so do values that say nothing in such a request
    (`strength` without a start image, the shape where the image decides it, seed 0).
    """
    errors = {
        str(name): f"{model.title} does not take this."
        for name, value in parameters.items()
        if value not in (None, "") and not model.takes(name)
    }
    if has_image and not model.takes("image"):
        errors["image"] = f"{model.title} takes no start image."
    cleaned = {}
    for field in model.fields:
        try:
            value = _clean(field, parameters.get(field.name), has_image=has_image)
        except InvalidValue as problem:
            errors[field.name] = str(problem)
        else:
            if value is not None:
                cleaned[field.name] = value
    if errors:
        raise InvalidParameters(errors)
    return cleaned


def _clean(field: Field, value: Any, *, has_image: bool) -> Any:
    if not field.when.holds(has_image=has_image):
        return None
    cleaned = None if value is None else field.clean(value)
    if cleaned is None and field.required:
        raise InvalidValue(
            "Choose a strength for the start image." if field.name == "strength" else "Fill in this field."
        )
    return cleaned


SHAPE = Choice(
    name="aspect_ratio", title="Shape", default="1:1", choices=MappingProxyType({s: s for s in SHAPES})
)
SHAPE_WITHOUT_IMAGE = replace(SHAPE, when=When.WITHOUT_IMAGE)
STYLE = Choice(name="style_preset", title="Style", choices=STYLES)
FORMAT = Choice(name="output_format", title="Format", default="png", choices=FORMATS)
IMAGE = Image(name="image", title="Start image", when=When.WITH_IMAGE)


def _texts(max_length: int) -> tuple[Field, ...]:
    return (
        Text(name="prompt", title="Prompt", required=True, min_length=1, max_length=max_length),
        Text(name="negative_prompt", title="Negative prompt", max_length=max_length),
    )


def _seed(maximum: int) -> Field:
    return Number(
        name="seed", title="Seed", minimum=0, maximum=maximum, whole=True, default=0, absent=0
    )  # 0 asks the server to pick, and so does sending none


def _strength(suggested: float = 0.6) -> Field:
    """How far from the start image to go: 0 keeps it, 1 ignores it."""
    return Number(
        name="strength",
        title="Strength",
        required=True,
        when=When.WITH_IMAGE,
        minimum=0,
        maximum=1,
        step=0.01,
        suggested=suggested,
    )


def _guidance(minimum: float, maximum: float, default: float) -> Field:
    return Number(
        name="cfg_scale", title="Guidance", minimum=minimum, maximum=maximum, step=0.5, default=default
    )


def _steps() -> Field:
    return Number(name="steps", title="Steps", minimum=10, maximum=50, whole=True, default=30)


def _stable_image(*special: Field, shape: Field = SHAPE) -> tuple[Field, ...]:
    return (*_texts(10_000), shape, STYLE, _seed(4_294_967_294), FORMAT, *special)


def _sd3(name: str, title: str, clause: str, cost: int, seconds: int, *special: Field) -> Model:
    fields = _stable_image(IMAGE, *special, shape=SHAPE_WITHOUT_IMAGE)
    return Model(name, title, clause, cost, seconds, ONE_MEGAPIXEL, fields)


_DECLARED = (
    Model("core", "Core", "Fast, good with any subject", 300, 9, ONE_MEGAPIXEL_AND_A_HALF, _stable_image()),
    Model(
        "ultra",
        "Ultra",
        "Finest detail, best light",
        800,
        12,
        ONE_MEGAPIXEL,
        _stable_image(IMAGE, _strength()),
    ),
    _sd3("sd3.5-large", "SD 3.5 Large", "Keeps to long prompts", 650, 10, _strength(), _guidance(1, 10, 4)),
    _sd3(
        "sd3.5-flash", "SD 3.5 Flash", "Quick drafts and ideas", 250, 4, _strength(0.95), _guidance(1, 10, 1)
    ),
    _sd3(
        "sd3.5-large-turbo",
        "SD 3.5 Turbo",
        "Large, in far less time",
        400,
        5,
        _strength(),
        _guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-medium",
        "SD 3.5 Medium",
        "Good balance for the price",
        350,
        8,
        _strength(),
        _guidance(1, 10, 4),
    ),
    Model(
        "sdxl",
        "SDXL 1.0",
        "Lowest price, many styles",
        90,
        6,
        SDXL_PAIRS,
        (*_texts(2_000), SHAPE, STYLE, _seed(4_294_967_295), _guidance(0, 35, 7), _steps()),
        included_steps=30,
    ),
)
MODELS: Mapping[str, Model] = MappingProxyType({model.name: model for model in _DECLARED})
