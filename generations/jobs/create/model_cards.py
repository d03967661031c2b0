"""The cards of the models on Create: each with its title, what it is good at and its price, by system."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from generations.core.html_pattern import without_indents
from generations.core.kept_fragments import kept_fragment
from generations.jobs import pricing
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model

IN_SIGHT = 4  # before "All"
WITHOUT_SEARCH = 12  # so few are not searched
KEPT_LISTS = 32  # of up to 40 KB each


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


def html(cards: tuple[ModelCard, ...], chosen: Model | None) -> SafeString:
    """All cards, that of the chosen model checked, with what finds one among many."""
    return _html(cards, chosen, get_language())


@lru_cache(maxsize=KEPT_LISTS)
def _html(cards: tuple[ModelCard, ...], chosen: Model | None, _language: str | None) -> SafeString:
    """Kept, since most people of a portal choose among the same models at the same prices."""
    groups = [(group, group.html(chosen)) for group in grouped(cards)]
    context = {"groups": groups, "has_search": len(cards) > WITHOUT_SEARCH}
    return SafeString(without_indents(render_to_string("jobs/create/model_list.html", context)))


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
