"""The table of all models for operators: prices for every team and for single ones, beside what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal

from django.utils import timezone

from generations.jobs.models import Price
from generations.office.prices.service import PRICE_DELAY
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.upstreams import units
from generations.upstreams.models import Upstream

TENTH = 10  # hundredths


@dataclass(frozen=True)
class Cost:
    """What a call costs at an account, in hundredths of a credit, which is a US cent."""

    upstream: Upstream
    amount: int

    @property
    def in_unit(self) -> str:
        """The cost in the account's own unit if that is not the credit, else ""."""
        if self.upstream.unit == units.CREDIT:
            return ""
        return f"{units.as_text(self.amount, self.upstream.unit_value)} {self.upstream.unit}"


@dataclass(frozen=True)
class ModelPrices:
    """A model, its prices and its costs. Amounts are hundredths of a credit."""

    model: Model
    price: int  # for teams without one of their own
    since: datetime | None  # None for the list price
    of_teams: list[Price]
    future: list[Price]
    costs: list[Cost]

    @property
    def highest_cost(self) -> int | None:
        """The highest cost; None if no account serves the model."""
        return max((cost.amount for cost in self.costs), default=None)

    def proposed(self, margin_percent: int) -> int | None:
        """The price with this margin on the highest cost, in tenths of a credit; None without a cost."""
        if self.highest_cost is None:
            return None
        exact = Decimal(self.highest_cost) * (100 + margin_percent) / 100
        return max(TENTH, int((exact / TENTH).to_integral_value(ROUND_UP)) * TENTH)

    @property
    def margin(self) -> int | None:
        """What is left of the price at the dearest account; None if there is none."""
        return None if self.highest_cost is None else self.price - self.highest_cost

    @property
    def margin_percent(self) -> int | None:
        """The margin in per cent of the cost."""
        return (
            round(100 * self.margin / self.highest_cost)
            if self.margin is not None and self.highest_cost
            else None
        )


def rows() -> list[ModelPrices]:
    """Return a row for each model of the catalogue, in its order. Two queries."""
    now = timezone.now() + PRICE_DELAY  # a price that was just set counts as valid
    prices = Price.objects.select_related("team").order_by("-valid_from", "-pk")
    by_model: dict[str, list[Price]] = {}
    for price in prices:
        by_model.setdefault(price.model, []).append(price)
    upstreams = list(Upstream.objects.filter(enabled=True))
    return [
        _row(model, by_model.get(model.name, []), upstreams, now)
        for model in catalogue_registry.MODELS.values()
    ]


def _row(model: Model, prices: list[Price], upstreams: list[Upstream], now: datetime) -> ModelPrices:
    """`prices` are the newest first."""
    current: dict[int | None, Price] = {}
    for price in prices:
        if price.valid_from <= now:
            current.setdefault(price.team_id, price)
    general = current.pop(None, None)
    return ModelPrices(
        model=model,
        price=general.amount if general else model.cost({}),
        since=general.valid_from if general else None,
        of_teams=sorted(current.values(), key=lambda price: str(price.team)),
        future=[price for price in reversed(prices) if price.valid_from > now],
        costs=[
            Cost(upstream, upstream.cost(model.name, {}))
            for upstream in upstreams
            if upstream.serves(model.name)
        ],
    )
