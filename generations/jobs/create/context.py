"""The template context of the Create form: operations, models with prices, fields and pictures."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.jobs import pricing, prompt_help
from generations.jobs.create import controls, kept_inputs, model_cards, notes, prompt_diff
from generations.jobs.create.controls import Control
from generations.jobs.create.form_inputs import InputField
from generations.jobs.create.forms import GenerationForm
from generations.jobs.create.kept_inputs import KeptInputs
from generations.jobs.create.model_cards import CardList, ModelCard
from generations.jobs.create.served import OperationEntry, defaults_of, preferences_of
from generations.providers.catalogue.fields import Group
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership, User, Visibility

MAX_RECENT_MODELS = 12
# Not translated: the prompts are sent as they are, and providers take English only.
EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "name": "paper",
        "prompt": "Layered paper landscape, warm sunset, deep shadows between the sheets",
        "model": "core",
        "aspect_ratio": "5:4",
    },
    {
        "name": "leaves",
        "prompt": "Botanical plate of night leaves, gold berries, flat gouache",
        "model": "core",
        "aspect_ratio": "5:4",
    },
    {
        "name": "aurora",
        "prompt": "Green aurora over a still lake, firs in silhouette, many stars",
        "model": "ultra",
        "aspect_ratio": "5:4",
    },
)


class FormContext:
    """What the template of one form needs: the choices, what is chosen, and who can grant credits.

    With `is_whole` long lists have all their choices, also those that scripts ask for when they are opened.
    """

    def __init__(self, form: GenerationForm, *, is_whole: bool = False) -> None:
        self.form, self.member, self.is_whole = form, form.member, is_whole
        self.prices = pricing.price_list(self.member.team, form.shown_at)
        self.served = form.served
        self.closed = form.served.closed  # titles of models that the member's role may not use
        self.operations = form.served.operations
        self.card_list = CardList.of(form.served, form.chosen_operation, self.prices)
        self.cards = self.card_list.cards
        self.controls = form.controls
        self.notes = notes.of_model(
            self.member, self.chosen.name if self.chosen else "", form.served.accounts
        )

    @cached_property
    def first_operations(self) -> tuple[OperationEntry, ...]:
        """The operations in sight."""
        return self.served.first_operations

    @cached_property
    def more_operations(self) -> tuple[OperationEntry, ...]:
        """The operations under More."""
        return self.served.more_operations

    @cached_property
    def operation(self) -> OperationEntry:
        """The chosen operation."""
        return OperationEntry(self.form.chosen_operation)

    @property
    def is_under_more(self) -> bool:
        """Whether the chosen operation is one of those under More."""
        return self.operation in self.more_operations

    @property
    def shows_more_operations(self) -> bool:
        """Whether the page has those under More, which scripts ask for when they are opened."""
        return self.is_whole or self.is_under_more

    @cached_property
    def chosen(self) -> ModelCard | None:
        """The chosen model; None if it is not on the form."""
        model = self.form.chosen_model
        return next((card for card in self.cards if model and card.name == model.name), None)

    @property
    def shown_cards(self) -> SafeString:
        """The cards as HTML; of a long list those in sight."""
        return self.card_list.html(self.form.chosen_model, is_whole=self.is_whole)

    @property
    def has_more_cards(self) -> bool:
        """Whether some cards are hidden until all are asked for."""
        return len(self.cards) > model_cards.IN_SIGHT

    @property
    def lacks_cards(self) -> bool:
        """Whether there are more cards than `shown_cards`."""
        return self.card_list.is_long and not self.is_whole

    @property
    def cards_query(self) -> str:
        """What the whole list of cards is asked for with; it names what that says, so browsers keep it."""
        asked = {"operation": self.operation.name, "order": self.form.model_order}
        return urlencode(asked | {"version": self.card_list.version})

    @cached_property
    def prompt(self) -> Control | None:
        """The control of the prompt; None if the model takes none."""
        return next((each for each in self.controls if each.name == controls.PROMPT), None)

    @cached_property
    def negative_prompt(self) -> Control | None:
        """The control of the negative prompt; None if the model takes none."""
        return next((each for each in self.controls if each.name == controls.NEGATIVE_PROMPT), None)

    @property
    def placeholder(self) -> str:
        """What to write in the prompt."""
        said = self.prompt.help if self.prompt else ""
        return said or _("Describe the picture: what is in it, the light, the mood")

    @property
    def longest_prompt(self) -> int:
        """How many characters the prompt may have; 0 without one."""
        return self.prompt.max_length if self.prompt else 0

    @property
    def english_only(self) -> bool:
        """Whether the model reads nothing but English."""
        return bool(self.form.chosen_model and self.form.chosen_model.languages == ("en",))

    @cached_property
    def help_offer(self) -> prompt_help.Offer | None:
        """What the prompt helper costs; None if nobody offers one."""
        return prompt_help.offer(self.served.accounts)

    @cached_property
    def latest_help(self) -> dict[str, Any]:
        """The last call of the prompt helper, for its template; {} if there is none to show."""
        row = prompt_help.latest(self.member)
        return prompt_diff.context_of(row) if row else {}

    @cached_property
    def inputs(self) -> list[InputField]:
        """The pictures that the model takes; of a form that was sent, with its errors."""
        fields = self.form.inputs.fields
        if not self.form.is_bound:
            return fields
        return [
            replace(each, errors=[str(text) for text in self.form.errors.get(f"input_{each.role}", ())])
            for each in fields
        ]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Names and values that only other models take."""
        return self.form.kept

    @property
    def kept_inputs(self) -> list[KeptInputs]:
        """The pictures that the chosen model does not take, by role."""
        return kept_inputs.of_form(self.form)

    @property
    def has_image(self) -> bool:
        """Whether there is a picture that the request is about."""
        return self.form.inputs.image is not None

    @cached_property
    def image_controls(self) -> list[Control]:
        """The fields beside the image, without the four sides that are dragged."""
        return [each for each in controls.of_group(self.controls, Group.IMAGE) if each not in self.sides]

    @cached_property
    def main_controls(self) -> list[Control]:
        """The fields that are always in sight."""
        return [each for each in controls.of_group(self.controls, Group.MAIN) if each not in self.sides]

    @cached_property
    def more_controls(self) -> list[Control]:
        """The fields that are folded away."""
        return [each for each in controls.of_group(self.controls, Group.MORE) if each not in self.sides]

    @cached_property
    def sides(self) -> list[Control]:
        """How far the picture is expanded to each side; empty if the model does not expand."""
        model = self.form.chosen_model
        if model is None or not controls.is_expandable(model):
            return []
        return [each for each in self.controls if each.name in controls.SIDES]

    @property
    def side_values(self) -> dict[str, str]:
        """What is filled in for each side."""
        return {each.name: each.value for each in self.sides}

    @cached_property
    def shape(self) -> Control | None:
        """The control of the shape, for the chip on a phone."""
        return next((each for each in self.controls if each.template.endswith("/shapes.html")), None)

    @cached_property
    def style(self) -> Control | None:
        """The control of the style, for the chip on a phone."""
        return next((each for each in self.controls if each.template.endswith("/styles.html")), None)

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Example prompts, each with the card of its model."""
        known = {model.name: ModelCard(model, self.prices[model.name]) for model in self.served.models}
        return [
            example | {"card": known[example["model"]]} for example in EXAMPLES if example["model"] in known
        ]

    @property
    def affordable(self) -> int:
        """How many images of the chosen model the member's available credits pay for."""
        return self.member.wallet.available // self.chosen.price if self.chosen else 0

    @property
    def open_more(self) -> bool:
        """Whether a field under More has an error, so that it must be open."""
        return any(each.errors for each in self.more_controls) or "visibility" in self._errors

    @property
    def fields_with_errors(self) -> list[tuple[str, str]]:
        """Ids and titles of the fields that have errors, in the order of the form."""
        inputs = [(f"label-input-{each.role}", each.title) for each in self.inputs if each.errors]
        return inputs + [(f"id_{each.name}", each.title) for each in self.controls if each.errors]

    @property
    def _errors(self) -> dict[str, Any]:
        return self.form.errors if self.form.is_bound else {}


def saved_choices(member: Membership) -> dict[str, Any]:
    """The user's last choices, as initial values of a new form; fields know what they remember.

    It is a form to generate, with the model that was used for that last: models stand in this order. What the
    profile says to begin with comes before.
    """
    saved = preferences_of(member)
    chosen = {name: saved[name] for name in ("count", "visibility") if saved.get(name)}
    given = {"operation": Operation.GENERATE.value, "count": 1, "visibility": member.default_visibility}
    return given | chosen | (defaults_of(member.user) if member.user else {})


def save_choices(form: GenerationForm) -> None:
    """Save what was chosen, for the user's next form; what other models remember stays."""
    user = form.member.user
    if user is None:
        return
    before, chosen = preferences_of(form.member), form.choices_to_save()
    recent = [name for name in before.get("models", []) if name != chosen["model"]]
    recent = [chosen["model"], *recent][:MAX_RECENT_MODELS]
    user.preferences["create"] = before | chosen | {"models": recent}
    user.save(update_fields=["preferences"])


def set_default_visibility(user: User, visibility: Visibility) -> None:
    """Set the visibility of the user's new images, in place of the one last chosen on Create."""
    user.default_visibility = visibility
    user.preferences.get("create", {}).pop("visibility", None)
    user.save(update_fields=["default_visibility", "preferences"])
