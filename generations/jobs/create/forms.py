"""The form of Create: the parameters of the catalogue's models, as form fields."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.jobs.inputs import NewInput
from generations.library.imaging.decode import DecodingBusy
from generations.library.models import Upload
from generations.library.storage.client import StorageUnavailable
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.catalogue.model import Model
from generations.teams.models import Membership, Visibility

MOST_IMAGES = 10
PARAMETERS = (
    "prompt",
    "negative_prompt",
    "aspect_ratio",
    "seed",
    "style_preset",
    "output_format",
    "cfg_scale",
    "steps",
    "strength",
)
SAVED_PARAMETERS = ("aspect_ratio", "output_format", "cfg_scale", "steps")
INCOMPLETE = _("This form is incomplete. Load the page again; what you wrote is kept.")


class GenerationForm(forms.Form):
    """A batch to create. Values that the chosen model does not take are ignored, not refused."""

    prompt = forms.CharField(required=False, strip=False)
    negative_prompt = forms.CharField(required=False, strip=False)
    model = forms.CharField(required=False)
    aspect_ratio = forms.CharField(required=False)
    seed = forms.CharField(required=False)
    style_preset = forms.CharField(required=False)
    output_format = forms.CharField(required=False)
    cfg_scale = forms.CharField(required=False)
    steps = forms.CharField(required=False)
    strength = forms.CharField(required=False)
    image = forms.FileField(
        required=False,
        allow_empty_file=True,
        error_messages={"invalid": _("Choose the start image again: no file arrived.")},
    )
    start = forms.UUIDField(required=False, error_messages={"invalid": _("This start image is not there.")})
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
        self.start_image: Upload | None = None
        super().__init__(*args, **options)
        if not self.is_bound:
            self.start_image = self._own_upload(self.initial.get("start"))

    def clean(self) -> dict[str, Any]:
        """Validate the values for the chosen model; each invalid field gets an error."""
        values = self.cleaned_data
        self._move_hidden_errors()
        model = catalogue_registry.MODELS.get(values.get("model") or "")
        if model is None:
            self.add_error("model", _("Choose one of the models."))
            return values
        if model.input(IMAGE):
            self.start_image = self._uploaded() or self._earlier_upload(values.get("start"))
        values["parameters"] = self._validated(model)
        return values

    def submission_fields(self) -> dict[str, Any]:
        """The keyword arguments of `submission.submit`, once the form is valid."""
        values = self.cleaned_data
        return {
            "model": values["model"],
            "parameters": values["parameters"],
            "count": values["count"],
            "submission": values["submission"],
            "prices_at": values["prices_at"],
            "inputs": [NewInput(IMAGE, self.start_image)] if self.start_image else [],
            "visibility": values["visibility"],
        }

    def choices_to_save(self) -> dict[str, Any]:
        """Initial values of the next form: model, aspect ratio and the like, but not prompt or seed."""
        values = self.cleaned_data
        parameters = {name: str(values["parameters"].get(name, "")) for name in SAVED_PARAMETERS}
        chosen = {name: values[name] for name in ("model", "count", "visibility")}
        return parameters | chosen

    @property
    def submission_id(self) -> str:
        """The UUID by which sending the form twice creates one batch; kept until the form is accepted."""
        sent = getattr(self, "cleaned_data", {}).get("submission") if self.is_bound else None
        return str(sent or uuid.uuid4())

    @property
    def hints_at_language(self) -> bool:
        """Whether the prompt is probably not English, the only language that the chosen model takes."""
        model = catalogue_registry.MODELS.get(str(self["model"].value() or ""))
        if model is None or model.languages != ("en",):
            return False
        return is_foreign(str(self["prompt"].value() or ""))

    def _move_hidden_errors(self) -> None:
        """Show errors of hidden fields, which nobody can correct, on the form or on the visible field."""
        if any(self.errors.pop(name, None) for name in ("submission", "prices_at")):
            self.add_error(None, INCOMPLETE)
        if sentences := self.errors.pop("start", None):
            self.add_error("image", list(sentences))

    def _uploaded(self) -> Upload | None:
        """The file that was sent with the form, validated and stored."""
        file = self.cleaned_data.get("image")
        if not file:
            return None
        try:
            return input_images.save_upload(member=self.member, file=file, name=file.name)
        except (input_images.BadUpload, StorageUnavailable, DecodingBusy) as problem:
            self.add_error("image", str(problem))
            return None

    def _earlier_upload(self, name: uuid.UUID | None) -> Upload | None:
        """A start image that was uploaded before."""
        upload = self._own_upload(name)
        if name and upload is None:
            self.add_error("image", _("This start image is not there any more. Choose it again."))
        return upload

    def _own_upload(self, name: uuid.UUID | str | None) -> Upload | None:
        return Upload.objects.filter(owner=self.member, pk=name).first() if name else None

    def _validated(self, model: Model) -> dict[str, Any]:
        values = {
            name: self.cleaned_data[name]
            for name in PARAMETERS
            if model.takes(name) and self.cleaned_data.get(name)
        }
        try:
            return catalogue_registry.validate(model, values, roles=[IMAGE] if self.start_image else [])
        except catalogue_registry.InvalidParameters as problem:
            for name, sentence in problem.errors.items():
                if name not in self.errors:
                    self.add_error(name, _error_text(name, sentence, values))
            return {}


def _error_text(name: str, sentence: str, values: dict[str, Any]) -> Any:
    is_empty = name == "prompt" and not str(values.get("prompt", "")).strip()
    return _("Write what the picture shows.") if is_empty else sentence


def is_foreign(text: str) -> bool:
    """Whether most letters of a text are not Latin."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return latin * 2 < len(letters)
