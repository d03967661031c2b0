"""All models of all systems; forms, validation, API and prices follow from their declarations.

Each system declares its models in `providers/<system>/models.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue.fields import Field, InvalidValue
from generations.providers.catalogue.inputs import IMAGE, MASK
from generations.providers.catalogue.model import Model
from generations.providers.i18n import gettext as _
from generations.providers.stability import fields as stability_fields
from generations.providers.stability import models as stability_models

# The values that any model can have.
FORMATS, SHAPES, STYLES = stability_fields.FORMATS, stability_fields.SHAPES, stability_fields.STYLES


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


def system_title(system: str) -> str:
    """Return what a system is called on pages."""
    return SYSTEM_TITLES.get(system, system.title())


def model_titles() -> dict[str, str]:
    """Return the titles of all models by name."""
    return {name: model.title for name, model in MODELS.items()}


def model_title(name: str) -> str:
    """Return a model's title; its name if the catalogue no longer has it."""
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


SYSTEMS: Mapping[str, tuple[Model, ...]] = MappingProxyType({"stability": stability_models.MODELS})
SYSTEM_TITLES: Mapping[str, str] = MappingProxyType({"stability": "Stability AI"})  # names, not translated
MODELS: Mapping[str, Model] = MappingProxyType(
    {model.name: model for models in SYSTEMS.values() for model in models}
)
