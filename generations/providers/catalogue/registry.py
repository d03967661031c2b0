"""The models that can be asked for: form, validation, API and price all come from here.

Facts: docs/providers/stability.md, "Fields", "Models", "Sizes", "Prices" and "v1 text to image".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue.fields import Choice, Field, Image, InvalidValue, Number, Text, When
from generations.providers.catalogue.model import Model
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.stability.choices import (
    FORMATS,
    ONE_MEGAPIXEL,
    ONE_MEGAPIXEL_AND_A_HALF,
    SDXL_PAIRS,
    SHAPES,
    STYLES,
)

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
        named = {"name": str(self.args[0])[:60], "models": ", ".join(MODELS)}
        return _("There is no model called “%(name)s”; choose one of: %(models)s.") % named


class InvalidParameters(ValueError):
    """Values that the model does not take: for each field one sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {sentence}" for name, sentence in errors.items()))
        self.errors = dict(errors)


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
        str(name): _("%(model)s does not take this.") % {"model": model.title}
        for name, value in parameters.items()
        if value not in (None, "") and not model.takes(name)
    }
    if has_image and not model.takes("image"):
        errors["image"] = _("%(model)s takes no start image.") % {"model": model.title}
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
        if field.name == "strength":
            raise InvalidValue(_("Choose a strength for the start image."))
        raise InvalidValue(_("Fill in this field."))
    return cleaned


SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    default="1:1",
    choices=MappingProxyType({s: s for s in SHAPES}),
)
SHAPE_WITHOUT_IMAGE = replace(SHAPE, when=When.WITHOUT_IMAGE)
STYLE = Choice(name="style_preset", title=gettext_noop("Style"), choices=STYLES)
FORMAT = Choice(name="output_format", title=gettext_noop("Format"), default="png", choices=FORMATS)
IMAGE = Image(name="image", title=gettext_noop("Start image"), when=When.WITH_IMAGE)


def _texts(max_length: int) -> tuple[Field, ...]:
    return (
        Text(name="prompt", title=gettext_noop("Prompt"), required=True, min_length=1, max_length=max_length),
        Text(name="negative_prompt", title=gettext_noop("Negative prompt"), max_length=max_length),
    )


def _seed(maximum: int) -> Field:
    return Number(
        name="seed", title=gettext_noop("Seed"), minimum=0, maximum=maximum, whole=True, default=0, absent=0
    )  # 0 asks the server to pick, and so does sending none


def _strength(suggested: float = 0.6) -> Field:
    """How far from the start image to go: 0 keeps it, 1 ignores it."""
    return Number(
        name="strength",
        title=gettext_noop("Strength"),
        required=True,
        when=When.WITH_IMAGE,
        minimum=0,
        maximum=1,
        step=0.01,
        suggested=suggested,
    )


def _guidance(minimum: float, maximum: float, default: float) -> Field:
    return Number(
        name="cfg_scale",
        title=gettext_noop("Guidance"),
        minimum=minimum,
        maximum=maximum,
        step=0.5,
        default=default,
    )


def _steps() -> Field:
    return Number(name="steps", title=gettext_noop("Steps"), minimum=10, maximum=50, whole=True, default=30)


def _stable_image(*special: Field, shape: Field = SHAPE) -> tuple[Field, ...]:
    return (*_texts(10_000), shape, STYLE, _seed(4_294_967_294), FORMAT, *special)


def _sd3(name: str, title: str, clause: str, cost: int, seconds: int, *special: Field) -> Model:
    fields = _stable_image(IMAGE, *special, shape=SHAPE_WITHOUT_IMAGE)
    return Model(name, title, clause, cost, seconds, ONE_MEGAPIXEL, fields)


_DECLARED = (
    Model(
        "core",
        "Core",
        gettext_noop("Fast, good with any subject"),
        300,
        9,
        ONE_MEGAPIXEL_AND_A_HALF,
        _stable_image(),
    ),
    Model(
        "ultra",
        "Ultra",
        gettext_noop("Finest detail, best light"),
        800,
        12,
        ONE_MEGAPIXEL,
        _stable_image(IMAGE, _strength()),
    ),
    _sd3(
        "sd3.5-large",
        "SD 3.5 Large",
        gettext_noop("Keeps to long prompts"),
        650,
        10,
        _strength(),
        _guidance(1, 10, 4),
    ),
    _sd3(
        "sd3.5-flash",
        "SD 3.5 Flash",
        gettext_noop("Quick drafts and ideas"),
        250,
        4,
        _strength(0.95),
        _guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-large-turbo",
        "SD 3.5 Turbo",
        gettext_noop("Large, in far less time"),
        400,
        5,
        _strength(),
        _guidance(1, 10, 1),
    ),
    _sd3(
        "sd3.5-medium",
        "SD 3.5 Medium",
        gettext_noop("Good balance for the price"),
        350,
        8,
        _strength(),
        _guidance(1, 10, 4),
    ),
    Model(
        "sdxl",
        "SDXL 1.0",
        gettext_noop("Lowest price, many styles"),
        90,
        6,
        SDXL_PAIRS,
        (*_texts(2_000), SHAPE, STYLE, _seed(4_294_967_295), _guidance(0, 35, 7), _steps()),
        included_steps=30,
    ),
)
MODELS: Mapping[str, Model] = MappingProxyType({model.name: model for model in _DECLARED})
