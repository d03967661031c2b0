"""Pictures on the form that the chosen model does not take: in sight, not sent, beside models that do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from django.utils.translation import gettext as _

from generations.jobs.create.form_inputs import InputItem
from generations.jobs.create.forms import GenerationForm
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import TITLES, Operation


@dataclass(frozen=True)
class Offer:
    """An operation with a model that takes the picture."""

    operation: Operation
    model: Model
    is_chosen_operation: bool

    @property
    def value(self) -> str:
        """What the form sends to switch to it."""
        return f"{self.operation} {self.model.name}"

    @property
    def title(self) -> str:
        """What pressing it does."""
        if self.is_chosen_operation:
            return _("Use it with %(model)s") % {"model": self.model.title}
        if self.operation is Operation.EDIT:
            return _("Edit it with %(model)s") % {"model": self.model.title}
        operation = _(TITLES[self.operation])
        return _("%(operation)s with %(model)s") % {"operation": operation, "model": self.model.title}


@dataclass(frozen=True)
class KeptInputs:
    """The pictures of one role, and what can be done with them."""

    role: str
    title: str
    items: list[InputItem]
    offers: list[Offer]

    @property
    def is_image(self) -> bool:
        """Whether a request would be about them."""
        return self.role == IMAGE


def of_form(form: GenerationForm) -> list[KeptInputs]:
    """The pictures that the chosen model of the form does not take, by role."""
    return [
        KeptInputs(role, _title(role), [item for _role, item in pairs], _offers(form, role))
        for role, pairs in groupby(form.inputs.kept, key=itemgetter(0))
    ]


def _title(role: str) -> str:
    declared = next(each for model in catalogue_registry.MODELS.values() if (each := model.input(role)))
    return _(declared.title)


def _offers(form: GenerationForm, role: str) -> list[Offer]:
    """The first model of the chosen operation that takes the role, and that of the first other operation."""
    chosen = form.chosen_operation
    others = [entry.operation for entry in form.served.operations if entry.operation is not chosen]
    here = _first(form, [chosen], role)
    elsewhere = _first(form, others, role)
    return [offer for offer in (here, elsewhere) if offer]


def _first(form: GenerationForm, operations: list[Operation], role: str) -> Offer | None:
    for operation in operations:
        for model in form.served.of(operation):
            if model.input(role):
                return Offer(operation, model, operation is form.chosen_operation)
    return None
