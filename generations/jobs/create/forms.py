"""The form of Create: the fields and pictures that the chosen model declares."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from generations.jobs import styles
from generations.jobs.create import controls, form_inputs
from generations.jobs.create.controls import Control
from generations.jobs.create.form_inputs import FormInputs
from generations.jobs.create.served import ServedModels, preferences_of
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Field
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership, Visibility

MOST_IMAGES = 10
INCOMPLETE = _("This form is incomplete. Load the page again; what you wrote is kept.")


class GenerationForm(forms.Form):
    """A batch to create. Values that the chosen model does not take are ignored, not refused.

    Without data it shows `initial`: field values, `model`, `operation`, `inputs` (ids by role),
    `input_errors` (sentences by role), and `model_order`.
    """

    model = forms.CharField(required=False)
    operation = forms.CharField(required=False)
    count = forms.IntegerField(
        min_value=1,
        max_value=MOST_IMAGES,
        error_messages={
            "required": _("Enter a whole number from 1 to 10."),
            "invalid": _("Enter a whole number from 1 to 10."),
            "min_value": _("Enter a whole number from 1 to 10."),
            "max_value": _("Enter a whole number from 1 to 10."),
        },
    )
    visibility = forms.ChoiceField(required=False, choices=Visibility)
    submission = forms.UUIDField(error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE})
    prices_at = forms.DateTimeField(error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE})

    def __init__(
        self, *args: Any, member: Membership, shown_at: datetime | None = None, **options: Any
    ) -> None:
        self.member = member
        # The moment of the prices shown. Set before prices are read, so that a price that rises meanwhile is
        # reported as such.
        self.shown_at = shown_at or timezone.now()
        super().__init__(*args, **options)
        given = (self.data if self.is_bound else self.initial).get("model_order") or ""
        self.served = ServedModels(member, str(given).split(",") if given else ())
        self.chosen_operation, self.chosen_model = self._choice()
        # Every field and role of the model is a field here, so that errors have a place.
        for declared in controls.fields_of(self.chosen_model) if self.chosen_model else ():
            self.fields[declared.name] = forms.CharField(required=False, strip=False)
        for taken in self.chosen_model.inputs if self.chosen_model else ():
            self.fields[f"input_{taken.role}"] = forms.Field(required=False)
        self.inputs = self._inputs()

    def clean(self) -> dict[str, Any]:
        """Validate the values for the chosen model; each invalid field gets an error."""
        values = self.cleaned_data
        if any(self.errors.pop(name, None) for name in ("submission", "prices_at")):
            self.add_error(None, INCOMPLETE)  # nobody can correct a hidden field
        model = catalogue_registry.MODELS.get(values.get("model") or "")
        if model is None:
            self.add_error("model", _("Choose one of the models."))
            return values
        if values.get("operation") in list(Operation) and values["operation"] not in model.operations:
            self.add_error("model", _("This model does something else. Choose one of these."))
            return values
        for of_role in self.inputs.fields:
            for sentence in of_role.errors:
                self.add_error(f"input_{of_role.role}", sentence)
        values["parameters"] = self._validated(model)
        return values

    def request_fields(self) -> dict[str, Any]:
        """The keyword arguments of `submission.check` but for the images, once the form is valid."""
        names = ("model", "parameters", "count", "submission", "prices_at")
        return {name: self.cleaned_data[name] for name in names}

    def submission_fields(self) -> dict[str, Any]:
        """The keyword arguments of `submission.submit`, once the form is valid.

        Copies images of the library; what cannot be copied is an error, so ask `is_valid` again.
        """
        known = {of_role.role: len(of_role.errors) for of_role in self.inputs.fields}
        inputs = self.inputs.new_inputs()
        for of_role in self.inputs.fields:
            for sentence in of_role.errors[known[of_role.role] :]:
                self.add_error(f"input_{of_role.role}", sentence)
        return self.request_fields() | {"inputs": inputs, "visibility": self.cleaned_data["visibility"]}

    def add_errors(self, errors: Mapping[str, str]) -> None:
        """Show errors at the fields and roles that they are about."""
        for name, sentence in errors.items():
            field = name if name in self.fields else f"input_{name}"
            if field in self.fields and sentence not in self.errors.get(field, ()):
                self.add_error(field, self._error_text(name, sentence))
            elif field not in self.fields:
                self.add_error(None, sentence)

    def choices_to_save(self) -> dict[str, Any]:
        """Initial values of the next form: model, remembered fields and the like, but not prompt or seed."""
        values = self.cleaned_data
        model = catalogue_registry.get(values["model"])
        remembered = [field.name for field in controls.fields_of(model) if field.remembered]
        parameters = {name: str(values["parameters"].get(name, "")) for name in remembered}
        return parameters | {name: values[name] for name in ("model", "count", "visibility")}

    @property
    def submission_id(self) -> str:
        """The UUID by which sending the form twice creates one batch; kept until the form is accepted."""
        sent = getattr(self, "cleaned_data", {}).get("submission") if self.is_bound else None
        return str(sent or uuid.uuid4())

    @property
    def controls(self) -> list[Control]:
        """The fields of the chosen model with their values and errors, in declared order."""
        if self.chosen_model is None:
            return []
        errors, model = self.errors if self.is_bound else {}, self.chosen_model
        made = styles.offered_by(self.member, model)
        return [
            Control(
                field,
                self._value(field),
                [str(text) for text in errors.get(field.name, ())],
                made=tuple(made.get(field.name, {}).items()),
                model=model,
            )
            for field in controls.fields_of(model)
        ]

    @property
    def model_order(self) -> str:
        """The names that put the models in the order of this page."""
        return ",".join(self.served.order)

    @property
    def prompt_text(self) -> str:
        """The text in the prompt, also if the model takes none."""
        return self._raw(controls.PROMPT)

    @property
    def negative_text(self) -> str:
        """The text in the negative prompt, also if the model takes none."""
        return self._raw(controls.NEGATIVE_PROMPT)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Values of fields that only other models take, so that they are there when those are chosen."""
        given = set(self.data if self.is_bound else self.initial) - self.fields.keys()
        given -= {controls.PROMPT, controls.NEGATIVE_PROMPT}
        names = controls.names() if given else set[str]()
        return [(name, text) for name in sorted(given & names) if (text := self._raw(name))]

    @property
    def hints_at_language(self) -> bool:
        """Whether the prompt is probably not English, the only language that the chosen model takes."""
        return bool(
            self.chosen_model and self.chosen_model.languages == ("en",) and is_foreign(self.prompt_text)
        )

    def _choice(self) -> tuple[Operation, Model | None]:
        """The operation and the model: those that were sent or given, if they are served and fit."""
        values: Mapping[str, Any] = self.data if self.is_bound else self.initial
        name = str(values.get("model") or "")
        operation = self.served.operation(str(values.get("operation") or ""), name)
        sent = catalogue_registry.MODELS.get(name) if self.is_bound else None
        if sent and (operation in sent.operations or not values.get("operation")):
            return operation if operation in sent.operations else sent.operation, sent
        given = next(iter(self.initial.get("inputs", {})), "")
        return operation, self.served.model(operation, name, role=given)

    def _inputs(self) -> FormInputs:
        if not self.is_bound:
            ids, errors = self.initial.get("inputs", {}), self.initial.get("input_errors")
            return FormInputs(self.member, self.chosen_model, ids, errors)
        ids = form_inputs.ids_from(cast(MultiValueDict[str, str], self.data))
        saved, errors = form_inputs.save_files(self.member, self.chosen_model, self.files)
        for role, pks in saved.items():
            ids[role] = [*ids.get(role, []), *pks]
        return FormInputs(self.member, self.chosen_model, ids, errors)

    def _raw(self, name: str) -> str:
        value = self.data.get(name) if self.is_bound else self.initial.get(name)
        return "" if value is None or isinstance(value, list | dict) else str(value)

    def _value(self, field: Field) -> str:
        if self.is_bound:
            return self._raw(field.name)
        remembered = preferences_of(self.member).get(field.name)
        if field.name not in self.initial:
            return controls.initial(field, remembered)
        given = controls.valid_text(field, self.initial[field.name])
        can_be_empty = not field.required and not (isinstance(field, Choice) and field.default)
        is_cleared = self.initial[field.name] in ("", None) and can_be_empty
        return given if given or is_cleared else controls.initial(field, remembered)

    def _validated(self, model: Model) -> dict[str, Any]:
        values = {
            field.name: self.cleaned_data[field.name]
            for field in controls.fields_of(model)
            if self.cleaned_data.get(field.name)
        }
        try:
            return catalogue_registry.validate(model, values, roles=self.inputs.roles)
        except catalogue_registry.InvalidParameters as problem:
            known = self.errors.keys()
            self.add_errors(
                {
                    name: text
                    for name, text in problem.errors.items()
                    if name not in known and f"input_{name}" not in known
                }
            )
            return {}

    def _error_text(self, name: str, sentence: str) -> Any:
        is_empty = name == controls.PROMPT and not self.prompt_text.strip()
        return _("Write what the picture shows.") if is_empty else sentence


def is_foreign(text: str) -> bool:
    """Whether most letters of a text are not Latin."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return latin * 2 < len(letters)
