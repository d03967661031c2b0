"""The cards of the models on Create: each with its title, what it is good at and its price, by system."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.core.kept_fragments import kept_fragment
from generations.jobs import pricing
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model

IN_SIGHT = 4  # before "All"


@dataclass(frozen=True)
class ModelCard:
    """One model on the form; `price` in hundredths of a credit, with the parameters of a new form."""

    model: Model
    price: int

    @property
    def name(self) -> str:
        """Its name."""
        return self.model.name

    @property
    def title(self) -> str:
        """Its title."""
        return self.model.title

    @property
    def clause(self) -> str:
        """What it is good at."""
        return _(self.model.clause)

    @property
    def system_title(self) -> str:
        """What the system that it belongs to is called."""
        return catalogue_registry.system_title(catalogue_registry.system_of(self.name))

    @property
    def price_varies(self) -> bool:
        """Whether it depends on parameters or images."""
        model = self.model
        return model.included_steps is not None or bool(model.choice_costs) or model.image_cost > 0

    @property
    def choice_costs(self) -> str:
        """The list prices by field and value, as JSON."""
        return json.dumps({name: dict(costs) for name, costs in self.model.choice_costs.items()})

    @property
    def lowest_price(self) -> int:
        """The price with the cheapest parameters."""
        return pricing.of_cost(self.model, self.model.lowest_cost, self.price)


@dataclass(frozen=True)
class CardGroup:
    """The cards of one system; `first` is the number of cards before them."""

    system: str
    cards: Sequence[ModelCard]
    first: int

    @property
    def title(self) -> str:
        """What the system is called."""
        return catalogue_registry.system_title(self.system)

    def html(self, chosen: Model | None) -> SafeString:
        """The cards, that of the chosen model checked."""
        shown = (
            kept_fragment(
                "jobs/create/model_card.html",
                card=card,
                is_further=number >= IN_SIGHT,
                is_chosen=card.model is chosen,
            )
            for number, card in enumerate(self.cards, self.first)
        )
        return format_html_join("", "{}", ((html,) for html in shown))


def grouped(cards: Sequence[ModelCard]) -> list[CardGroup]:
    """The cards by system, the one last used first."""
    by_system: dict[str, list[ModelCard]] = {}
    for card in cards:
        by_system.setdefault(catalogue_registry.system_of(card.name), []).append(card)
    groups, first = [], 0
    for system, of_system in by_system.items():
        groups.append(CardGroup(system, of_system, first))
        first += len(of_system)
    return groups
