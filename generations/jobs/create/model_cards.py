"""The cards of the models on Create: each with its title, what it is good at and its price, by system."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from generations.jobs.create.kept_answers import version_of
from generations.jobs.create.served import ServedModels
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation

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

    def html(self, chosen: Model | None, *, is_whole: bool) -> SafeString:
        """The cards, that of the chosen model checked; those in sight alone, unless it is whole."""
        numbered = enumerate(self.cards, self.first)
        shown = (
            kept_fragment(
                "jobs/create/model_card.html",
                card=card,
                is_further=number >= IN_SIGHT,
                is_chosen=card.model is chosen,
            )
            for number, card in numbered
            if is_whole or number < IN_SIGHT or card.model is chosen
        )
        return format_html_join("", "{}", ((html,) for html in shown))


@dataclass(frozen=True, eq=False)  # kept: it equals itself, and is a quick key
class CardList:
    """The cards of one operation in the order of a page; of a long list the page has those in sight."""

    cards: tuple[ModelCard, ...]

    @classmethod
    def of(cls, served: ServedModels, operation: Operation, prices: Mapping[str, int]) -> CardList:
        """The cards of the models that do this."""
        models = tuple(served.of(operation))
        return _list_of(models, tuple(prices[model.name] for model in models))

    @property
    def is_long(self) -> bool:
        """Whether the page can have a part of it, with a field that searches the whole."""
        return len(self.cards) > WITHOUT_SEARCH

    @property
    def search(self) -> SafeString:
        """What finds a card among many; nothing where there are few."""
        return _search(self, get_language()) if self.is_long else SafeString("")

    @property
    def whole(self) -> SafeString:
        """All cards, none of them checked."""
        return _html(self, None, get_language(), is_whole=True)

    @property
    def version(self) -> str:
        """What differs if the whole list does."""
        return version_of(self.whole)

    def html(self, chosen: Model | None, *, is_whole: bool) -> SafeString:
        """The cards, that of the chosen model checked; of a long list those in sight, unless it is whole."""
        return _html(self, chosen, get_language(), is_whole=is_whole or not self.is_long)


@lru_cache(maxsize=KEPT_LISTS)
def _list_of(models: tuple[Model, ...], prices: tuple[int, ...]) -> CardList:
    """Kept, since most people of a portal choose among the same models at the same prices."""
    return CardList(tuple(map(ModelCard, models, prices)))


@lru_cache(maxsize=KEPT_LISTS)
def _html(cards: CardList, chosen: Model | None, _language: str | None, *, is_whole: bool) -> SafeString:
    groups = grouped(cards.cards)
    shown = [(group, html) for group in groups if (html := group.html(chosen, is_whole=is_whole))]
    context = {"shown": shown, "has_titles": len(groups) > 1}
    return SafeString(without_indents(render_to_string("jobs/create/model_groups.html", context)))


@lru_cache(maxsize=KEPT_LISTS)
def _search(cards: CardList, _language: str | None) -> SafeString:
    context = {"groups": grouped(cards.cards)}
    return SafeString(without_indents(render_to_string("jobs/create/model_search.html", context)))


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
