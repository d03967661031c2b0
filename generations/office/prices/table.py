"""Every model with its price for a team: now, to come, and who may use it. Three queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from generations.jobs import model_access
from generations.jobs.models import Price
from generations.office.prices.service import SOON
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import Model
from generations.teams.models import Role, Team
from generations.teams.permissions import PERMISSIONS
from generations.upstreams.models import Upstream


@dataclass(frozen=True)
class MayUse:
    """A role and whether it may use a model."""

    role: Role
    is_allowed: bool


@dataclass(frozen=True)
class Row:
    """One model; amounts in hundredths of a credit."""

    model: Model
    price: int
    everywhere: int
    is_own: bool  # the team has a price of its own
    since: datetime | None  # when that price began; None for the model's own, which nobody set
    to_come: list[Price]
    roles: list[MayUse]
    is_served: bool

    @property
    def is_limited(self) -> bool:
        """Whether some role that may generate may not use it."""
        return not all(each.is_allowed for each in self.roles)


def read(team: Team) -> list[Row]:
    """One row for each model of the catalogue, in its order."""
    now = timezone.now() + SOON  # what was set a moment ago is what holds
    known = list(Price.objects.for_team(team).select_related("team"))
    limits = model_access.rules_of(team)
    upstreams = list(Upstream.objects.filter(enabled=True))
    rows = []
    for model in catalogue_registry.MODELS.values():
        mine = [price for price in known if price.model == model.name]
        valid = [price for price in mine if price.valid_from <= now]
        own = next((price for price in valid if price.team_id), None)
        general = next((price for price in valid if not price.team_id), None)
        everywhere, holds = general.amount if general else model.cost({}), own or general
        allowed = limits.get(model.name)
        rows.append(
            Row(
                model=model,
                price=own.amount if own else everywhere,
                everywhere=everywhere,
                is_own=own is not None,
                since=holds.valid_from if holds else None,
                to_come=sorted(
                    (price for price in mine if price.valid_from > now), key=lambda price: price.valid_from
                ),
                roles=[
                    MayUse(role, allowed is None or role.value in allowed)
                    for role in Role
                    if role in PERMISSIONS["generate"]
                ],
                is_served=any(upstream.serves(model.name) for upstream in upstreams),
            )
        )
    return rows
