"""What lies on the form of Create: models with prices, shapes, styles, and what scripts need to know."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from generations.credits import caps
from generations.jobs import model_access, pricing
from generations.jobs.create.forms import PARAMETERS
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Number, Text, When
from generations.teams.models import Role, Visibility
from generations.upstreams.models import Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generations.jobs.create.forms import GenerationForm
    from generations.providers.catalogue.registry import Model
    from generations.teams.models import Membership, User

MORE = ("seed", "output_format", "cfg_scale", "steps", "visibility")  # the fields that are folded away
SHOWN_FIRST = 4  # model cards before "All"
# In English for everybody: they are sent as they stand, and providers take English only.
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
    """A number that a model takes; `suggested` is where it starts."""

    minimum: float
    maximum: float
    suggested: float | None


@dataclass(frozen=True)
class Card:
    """One model as the form offers it; `price` in hundredths of a credit."""

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


class Desk:
    """Everything around one form: what can be chosen, what is chosen, and whom to ask for credits."""

    def __init__(self, form: GenerationForm) -> None:
        self.form, self.member = form, form.member
        self.prices = pricing.price_list(self.member.team, form.shown_at)
        self.shapes = catalogue_registry.SHAPES
        self.styles = {name: _(title) for name, title in catalogue_registry.STYLES.items()}
        self.closed: list[str] = []  # titles of models that are served, but not to the member's role
        self.cards = self._cards()
        self.cap = caps.tightest(self.member)
        if not form.is_bound and self.cards and form.initial.get("model") not in self._names():
            form.initial["model"] = self.cards[0].name

    @property
    def chosen(self) -> Card | None:
        """The chosen model, if it is one."""
        name = str(self.form["model"].value() or "")
        return next((card for card in self.cards if card.name == name), None)

    @property
    def formats(self) -> Mapping[str, str]:
        """The file formats that any model can return."""
        return catalogue_registry.FORMATS

    @property
    def size(self) -> str:
        """Width and height of the chosen shape."""
        shape = str(self.form["aspect_ratio"].value() or "1:1")
        return self.chosen.sizes.get(shape, "") if self.chosen else ""

    @property
    def style_name(self) -> str:
        """The title of the chosen style; nothing for none."""
        return self.styles.get(str(self.form["style_preset"].value() or ""), "")

    @property
    def facts(self) -> str:
        """The models as scripts read them, in JSON."""
        return json.dumps({card.name: asdict(card) for card in self.cards})

    @property
    def examples(self) -> list[dict[str, Any]]:
        """First prompts to try, with what each costs."""
        known = {card.name: card for card in self.cards}
        return [
            example | {"card": known[example["model"]]} for example in EXAMPLES if example["model"] in known
        ]

    @property
    def affordable(self) -> int:
        """How many pictures of the chosen model the wallet pays for."""
        return self.member.wallet.available // self.chosen.price if self.chosen else 0

    @property
    def open_more(self) -> bool:
        """True if one of the fields under More has an error, which must be seen."""
        return any(name in self.form.errors for name in MORE)

    def keepers(self) -> list[Membership]:
        """Those of the team who can give credits, the person asking apart."""
        keepers = self.member.team.memberships.filter(
            role__in=[Role.OWNER, Role.ADMINISTRATOR], ended_at=None, user__is_active=True
        )
        return list(keepers.exclude(pk=self.member.pk).select_related("user").order_by("joined_at")[:3])

    def _names(self) -> set[str]:
        return {card.name for card in self.cards}

    def _cards(self) -> list[Card]:
        """The models that a provider account serves and the role may use, those used last first."""
        upstreams = list(Upstream.objects.filter(enabled=True))
        served = [
            model
            for model in catalogue_registry.MODELS.values()
            if any(upstream.serves(model.name) for upstream in upstreams)
        ]
        closed = model_access.closed_models(self.member)
        self.closed = [model.title for model in served if model.name in closed]
        served = [model for model in served if model.name not in closed]
        recent: list[str] = _preferences(self.member).get("models", [])
        served.sort(key=lambda model: recent.index(model.name) if model.name in recent else len(recent))
        return [_card(model, self.prices[model.name]) for model in served]


def _card(model: Model, price: int) -> Card:
    ranges = {field.name: _range(field) for field in model.fields if isinstance(field, Number)}
    prompt = model.field("prompt")
    shape = model.field("aspect_ratio")
    return Card(
        name=model.name,
        title=model.title,
        clause=_(model.clause),
        price=price,
        takes=tuple(name for name in (*PARAMETERS, "image") if model.takes(name)),
        shapeless_with_image=shape.when is When.WITHOUT_IMAGE,
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


def usual_choices(member: Membership) -> dict[str, Any]:
    """What the person chose last, to start a new form with."""
    kept = _preferences(member)
    start = {"model": "core", "aspect_ratio": "1:1", "output_format": "png", "count": 1}
    start["visibility"] = member.user.default_visibility if member.user else Visibility.TEAM
    chosen = {name: value for name, value in kept.items() if name != "models" and value not in (None, "")}
    return start | chosen


def remember(form: GenerationForm) -> None:
    """Keep what was chosen for the person's next form."""
    user = form.member.user
    if user is None:
        return
    chosen = form.choices_to_remember()
    recent = [name for name in _preferences(form.member).get("models", []) if name != chosen["model"]]
    user.preferences["create"] = chosen | {"models": [chosen["model"], *recent][:SHOWN_FIRST]}
    user.save(update_fields=["preferences"])


def set_default_visibility(user: User, visibility: Visibility) -> None:
    """Who sees what the person makes from now on; a choice that Create remembered no longer counts."""
    user.default_visibility = visibility
    user.preferences.get("create", {}).pop("visibility", None)
    user.save(update_fields=["default_visibility", "preferences"])
