"""The table of all models with a team's prices, present and future, and the roles that may use them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from generations.jobs import model_access
from generations.jobs.models import Price
from generations.office.prices.service import PRICE_DELAY
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.teams.models import Role, Team
from generations.teams.permissions import PERMISSIONS
from generations.upstreams.models import Upstream


@dataclass(frozen=True)
class RoleAccess:
    """A role, and whether it may use a model."""

    role: Role
    is_allowed: bool


@dataclass(frozen=True)
class PriceRow:
    """A model and its prices, in hundredths of a credit."""

    model: Model
    price: int
    general_price: int  # for teams without a price of their own
    is_own: bool  # the team has a price of its own
    since: datetime | None  # when the price became valid; None for the catalogue's price
    future_prices: list[Price]
    roles: list[RoleAccess]
    is_served: bool  # by an enabled upstream

    @property
    def is_limited(self) -> bool:
        """Whether some role that may generate may not use the model."""
        return not all(each.is_allowed for each in self.roles)


def price_table(team: Team) -> list[PriceRow]:
    """Return a row for each model of the catalogue, in its order. Three queries."""
    now = timezone.now() + PRICE_DELAY  # a price that was just set counts as valid
    prices = list(Price.objects.for_team(team).select_related("team"))
    rules = model_access.rules_of(team)
    upstreams = list(Upstream.objects.filter(enabled=True))
    rows = []
    for model in catalogue_registry.MODELS.values():
        of_model = [price for price in prices if price.model == model.name]
        valid = [price for price in of_model if price.valid_from <= now]
        own = next((price for price in valid if price.team_id), None)
        general = next((price for price in valid if not price.team_id), None)
        general_price, current = general.amount if general else model.cost({}), own or general
        allowed = rules.get(model.name)
        rows.append(
            PriceRow(
                model=model,
                price=own.amount if own else general_price,
                general_price=general_price,
                is_own=own is not None,
                since=current.valid_from if current else None,
                future_prices=sorted(
                    (price for price in of_model if price.valid_from > now),
                    key=lambda price: price.valid_from,
                ),
                roles=[
                    RoleAccess(role, allowed is None or role.value in allowed)
                    for role in Role
                    if role in PERMISSIONS["generate"]
                ],
                is_served=any(upstream.serves(model.name) for upstream in upstreams),
            )
        )
    return rows
