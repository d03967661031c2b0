"""All models of all systems; forms, validation, API and prices follow from their declarations.

Each system declares itself in `providers/<system>/system.py`, and its models in `models.py` beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from generations.providers.bfl.system import SYSTEM as BFL
from generations.providers.catalogue.fields import Choice, Field, InvalidValue
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.system import System
from generations.providers.chat.system import SYSTEM as CHAT
from generations.providers.i18n import gettext as _
from generations.providers.ideogram.system import SYSTEM as IDEOGRAM
from generations.providers.kling.system import SYSTEM as KLING
from generations.providers.midjourney.system import SYSTEM as MIDJOURNEY
from generations.providers.openai.system import SYSTEM as OPENAI
from generations.providers.recraft.system import SYSTEM as RECRAFT
from generations.providers.stability.system import SYSTEM as STABILITY

# What helps with prompts: no model of a picture, but named like one in the ledger and in closed models.
PROMPT_HELPER = "prompt-helper"
# What the size of a picture is called in pages and in the library, widest to tallest: the nearest of these.
# They are in the index of the library and in style sheets; a model may offer others.
SHAPES = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")


class UnknownModel(KeyError):
    """No system has a model of this name."""

    def __str__(self) -> str:
        named = {"name": str(self.args[0])[:60], "models": ", ".join(MODELS)}
        return _("There is no model called “%(name)s”; choose one of: %(models)s.") % named


class InvalidParameters(ValueError):
    """Invalid parameters, with a sentence for each field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {sentence}" for name, sentence in errors.items()))
        self.errors = dict(errors)


def get(name: str) -> Model:
    """Return the model of this name; UnknownModel if there is none."""
    try:
        return MODELS[name]
    except (KeyError, TypeError):
        raise UnknownModel(name) from None


def names_of_system(system: str) -> tuple[str, ...]:
    """Return the names of a system's models in declared order; () for an unknown system."""
    return tuple(model.name for model in SYSTEMS.get(system, ()))


def names_in_dialect(system: str, dialect: str) -> tuple[str, ...]:
    """Return those of `names_of_system` that a dialect has; "" is the usual one."""
    declared = DECLARED.get(system)
    return tuple(
        name for name in names_of_system(system) if declared is None or declared.has_in(dialect, name)
    )


def fields_by_name() -> dict[str, tuple[Field, ...]]:
    """Return the fields that programs may send, by name, each as all models with one of this name have it."""
    named: dict[str, tuple[Field, ...]] = {}
    for model in MODELS.values():
        for field in model.fields:
            if field.kind:
                named[field.name] = (*named.get(field.name, ()), field)
    return named


def roles() -> frozenset[str]:
    """Return the roles of all inputs."""
    return frozenset(each.role for model in MODELS.values() for each in model.inputs)


def system_of(model: str) -> str:
    """Return the name of the system that has the model; UnknownModel if none has."""
    for system, models in SYSTEMS.items():
        if model in (each.name for each in models):
            return system
    raise UnknownModel(model)


def continuing(made_by: str, step: str) -> Model | None:
    """Return the model of the same system whose form orders this next step; None if its name is enough."""
    return _CONTINUING.get((made_by, step))


def drawing_in(made_with: str) -> list[tuple[Model, Choice]]:
    """Return the models that draw in the styles which a model makes, each with its field for them."""
    return [
        (model, field)
        for model in MODELS.values()
        for field in model.fields
        if isinstance(field, Choice) and made_with in field.made_with
    ]


def system_title(system: str) -> str:
    """Return what a system is called on pages."""
    return DECLARED[system].title if system in DECLARED else system.title()


def model_titles() -> dict[str, str]:
    """Return the titles of all models by name."""
    return {name: model.title for name, model in MODELS.items()}


def model_title(name: str) -> str:
    """Return a model's title; its name if the catalogue no longer has it."""
    if name == PROMPT_HELPER:
        return _("Prompt helper")
    return model_titles().get(name, name)


def validate(model: Model, parameters: Mapping[str, Any], *, roles: Collection[str] = ()) -> dict[str, Any]:
    """Return the parameters to send; InvalidParameters names every invalid field or role.

    `roles` are those in which the request has at least one image. Nothing is added. Empty values are dropped,
    and so are values without a meaning in such a request (`strength` without a start image, the shape where
    the image decides it, seed 0).
    """
    errors = {
        str(name): _("%(model)s does not take this.") % {"model": model.title}
        for name, value in parameters.items()
        if value not in (None, "") and not model.takes(name)
    } | _role_errors(model, roles)
    cleaned = {}
    for field in model.fields:
        try:
            value = _clean(field, parameters.get(field.name), has_image=IMAGE in roles)
        except InvalidValue as problem:
            errors[field.name] = str(problem)
        else:
            if value is not None:
                cleaned[field.name] = value
    if not errors:
        for rule in model.rules:
            errors |= rule(cleaned, roles)
    if errors:
        raise InvalidParameters(errors)
    return cleaned


def _role_errors(model: Model, roles: Collection[str]) -> dict[str, str]:
    errors = {}
    for role in roles:
        if model.input(role) is None:
            text = (
                _("%(model)s takes no start image.") if role == IMAGE else _("%(model)s does not take this.")
            )
            errors[role] = text % {"model": model.title}
    for each in model.inputs:
        if each.minimum and each.role not in roles:
            errors[each.role] = _("Add an image here.")
    if MASK in roles and IMAGE not in roles and MASK not in errors:
        errors[MASK] = _("A mask needs an image.")
    return errors


def _clean(field: Field, value: Any, *, has_image: bool) -> Any:
    if not field.when.holds(has_image=has_image):
        return None
    cleaned = None if value is None else field.clean(value)
    if cleaned is None and field.required:
        if field.name == "strength":
            raise InvalidValue(_("Choose a strength for the start image."))
        raise InvalidValue(_("Fill in this field."))
    return cleaned


def system(name: str) -> System:
    """Return the declaration of a system; KeyError if there is none."""
    return DECLARED[name]


def values_of(field_name: str) -> dict[str, str]:
    """Return the values of a choice with their titles, as all models with a field of this name have it."""
    found: dict[str, str] = {}
    for model in MODELS.values():
        if model.takes(field_name) and isinstance(choice := model.field(field_name), Choice):
            found = dict(choice.choices) | found
    return found


ALL = (STABILITY, OPENAI, CHAT, BFL, MIDJOURNEY, RECRAFT, KLING, IDEOGRAM)
DECLARED: Mapping[str, System] = MappingProxyType({system.name: system for system in ALL})
SYSTEMS: Mapping[str, tuple[Model, ...]] = MappingProxyType(
    {name: system.models for name, system in DECLARED.items()}
)
MODELS: Mapping[str, Model] = MappingProxyType(
    {model.name: model for models in SYSTEMS.values() for model in models}
)
_CONTINUING: Mapping[tuple[str, str], Model] = MappingProxyType(
    {
        (made_by.name, model.continues): model
        for models in SYSTEMS.values()
        for model in models
        if model.continues
        for made_by in models
    }
)
# The styles that any model can have, with their titles.
STYLES: Mapping[str, str] = MappingProxyType(values_of("style_preset"))
