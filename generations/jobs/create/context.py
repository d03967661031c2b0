"""The template context of the Create form: models with prices, shapes, styles, and data for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from generations.credits import caps
from generations.jobs import model_access, pricing
from generations.jobs.create.forms import PARAMETERS, GenerationForm
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Number, Text, When
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership, Role, User, Visibility
from generations.upstreams.models import Upstream

FIELDS_UNDER_MORE = ("seed", "output_format", "cfg_scale", "steps", "visibility")
MAX_RECENT_MODELS = 4  # as many as are shown before "All"
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


@dataclass(frozen=True)
class Range:
    """The range of a number that a model takes; `suggested` is the initial value."""

    minimum: float
    maximum: float
    suggested: float | None


@dataclass(frozen=True)
class ModelCard:
    """One model on the form; `price` in hundredths of a credit."""

    name: str
    title: str
    clause: str
    price: int
    takes: tuple[str, ...]
    shapeless_with_image: bool
    sizes: Mapping[str, str]
    ranges: Mapping[str, Range]
    longest_prompt: int
    english_only: bool
    included_steps: int | None


class FormContext:
    """What the template of one form needs: the choices, what is chosen, and who can grant credits."""

    def __init__(self, form: GenerationForm) -> None:
        self.form, self.member = form, form.member
        self.prices = pricing.price_list(self.member.team, form.shown_at)
        self.shapes = catalogue_registry.SHAPES
        self.styles = {name: _(title) for name, title in catalogue_registry.STYLES.items()}
        self.closed: list[str] = []  # titles of models that the member's role may not use
        self.cards = self._cards()
        self.cap = caps.tightest(self.member)
        if not form.is_bound and self.cards and form.initial.get("model") not in self._names():
            form.initial["model"] = self.cards[0].name

    @property
    def chosen(self) -> ModelCard | None:
        """The chosen model; None if it is not on the form."""
        name = str(self.form["model"].value() or "")
        return next((card for card in self.cards if card.name == name), None)

    @property
    def formats(self) -> Mapping[str, str]:
        """The file formats that any model can return."""
        return catalogue_registry.FORMATS

    @property
    def size(self) -> str:
        """Width and height of the chosen aspect ratio with the chosen model; empty if unknown."""
        shape = str(self.form["aspect_ratio"].value() or "1:1")
        return self.chosen.sizes.get(shape, "") if self.chosen else ""

    @property
    def style_name(self) -> str:
        """The title of the chosen style; empty for none."""
        return self.styles.get(str(self.form["style_preset"].value() or ""), "")

    @property
    def models_json(self) -> str:
        """The models as JSON for scripts."""
        return json.dumps({card.name: asdict(card) for card in self.cards})

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Example prompts, each with the card of its model."""
        known = {card.name: card for card in self.cards}
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
        return any(name in self.form.errors for name in FIELDS_UNDER_MORE)

    def administrators(self) -> list[Membership]:
        """Up to three other members of the team who can grant credits."""
        administrators = self.member.team.memberships.filter(
            role__in=[Role.OWNER, Role.ADMINISTRATOR], ended_at=None, user__is_active=True
        )
        return list(
            administrators.exclude(pk=self.member.pk).select_related("user").order_by("joined_at")[:3]
        )

    def _names(self) -> set[str]:
        return {card.name for card in self.cards}

    def _cards(self) -> list[ModelCard]:
        """The models that an enabled account serves and the role may use; recently used ones first."""
        upstreams = list(Upstream.objects.filter(enabled=True))
        served = [
            model
            for model in catalogue_registry.MODELS.values()
            if model.operation is Operation.GENERATE  # the form cannot send what others need
            and any(upstream.serves(model.name) for upstream in upstreams)
        ]
        closed = model_access.closed_models(self.member)
        self.closed = [model.title for model in served if model.name in closed]
        served = [model for model in served if model.name not in closed]
        recent: list[str] = _preferences(self.member).get("models", [])
        served.sort(key=lambda model: recent.index(model.name) if model.name in recent else len(recent))
        return [_card(model, self.prices[model.name]) for model in served]


def _card(model: Model, price: int) -> ModelCard:
    ranges = {field.name: _range(field) for field in model.fields if isinstance(field, Number)}
    prompt = model.field("prompt")
    return ModelCard(
        name=model.name,
        title=model.title,
        clause=_(model.clause),
        price=price,
        takes=tuple(name for name in (*PARAMETERS, "image") if model.takes(name)),
        shapeless_with_image=model.takes("aspect_ratio")
        and model.field("aspect_ratio").when is When.WITHOUT_IMAGE,
        sizes={shape: f"{width} × {height}" for shape, (width, height) in model.sizes.items()},  # noqa: RUF001  the sign of sizes
        ranges=ranges,
        longest_prompt=prompt.max_length if isinstance(prompt, Text) else 0,
        english_only=model.languages == ("en",),
        included_steps=model.included_steps,
    )


def _range(field: Number) -> Range:
    start = field.default if field.suggested is None else field.suggested
    return Range(field.minimum, field.maximum, start)


def _preferences(member: Membership) -> dict[str, Any]:
    return member.user.preferences.get("create", {}) if member.user else {}


def saved_choices(member: Membership) -> dict[str, Any]:
    """The user's last choices, as initial values of a new form."""
    saved = _preferences(member)
    defaults: dict[str, Any] = {"model": "core", "aspect_ratio": "1:1", "output_format": "png", "count": 1}
    defaults["visibility"] = member.default_visibility
    chosen = {name: value for name, value in saved.items() if name != "models" and value not in (None, "")}
    return defaults | chosen


def save_choices(form: GenerationForm) -> None:
    """Save what was chosen, for the user's next form."""
    user = form.member.user
    if user is None:
        return
    chosen = form.choices_to_save()
    recent = [name for name in _preferences(form.member).get("models", []) if name != chosen["model"]]
    user.preferences["create"] = chosen | {"models": [chosen["model"], *recent][:MAX_RECENT_MODELS]}
    user.save(update_fields=["preferences"])


def set_default_visibility(user: User, visibility: Visibility) -> None:
    """Set the visibility of the user's new images, in place of the one last chosen on Create."""
    user.default_visibility = visibility
    user.preferences.get("create", {}).pop("visibility", None)
    user.save(update_fields=["default_visibility", "preferences"])
