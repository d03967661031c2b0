"""What a member pays for one image: a Price of the team or the portal, or else the catalogue's cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits.amounts import as_text, in_credits
from generations.jobs.models import Price
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.teams.models import Team

_valid = PreparedQuery(lambda: Price.objects.valid_at(Param("moment"), Param("team")))
_valid_of_model = PreparedQuery(
    lambda: (
        Price.objects.valid_at(Param("moment"), Param("team"))
        .filter(model=Param("model"))
        .values_list("amount")[:1]
    )
)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before any price


class PriceRose(Exception):
    """The price went up after the form was shown; `old` and `new` in hundredths of a credit."""

    def __init__(self, old: int, new: int) -> None:
        super().__init__(
            _("The price rose from %(old)s to %(new)s meanwhile. Press again to accept it.")
            % {"old": as_text(old), "new": in_credits(new)}
        )
        self.old, self.new = old, new


class RetryPriceRose(PriceRose):
    """A retry would cost more than the generation that it repeats."""

    def __init__(self, old: int, new: int) -> None:
        super().__init__(old, new)
        self.args = (
            _("It costs %(new)s now, not %(old)s. Press Use all, and Generate, to ask at that price.")
            % {"old": as_text(old), "new": in_credits(new)},
        )


def price_list(team: Team, at: datetime | None = None) -> dict[str, int]:
    """{model: base price of an image for that team at that moment, in hundredths of a credit}."""
    prices = {name: model.cost({}) for name, model in catalogue_registry.MODELS.items()}
    seen: set[str] = set()
    for row in _valid.all(moment=at or timezone.now(), team=team.pk):
        if row.model not in seen:
            seen.add(row.model)
            prices[row.model] = row.amount
    return prices


def base_price(model: str, team: Team, at: datetime | None = None) -> int:
    """What `price_list` has for this model."""
    own = _valid_of_model.rows(moment=at or timezone.now(), team=team.pk, model=model)
    return own[0][0] if own else catalogue_registry.get(model).cost({})


def price(
    model: str, parameters: Mapping[str, Any], team: Team, at: datetime | None = None, *, images: int = 0
) -> int:
    """The price of one image with these parameters and so many images, in hundredths, rounded up.

    What costs more in the catalogue raises the base price in proportion.
    """
    return of_model(catalogue_registry.get(model), parameters, base_price(model, team, at), images=images)


def of_model(model: Model, parameters: Mapping[str, Any], base: int, *, images: int = 0) -> int:
    """The price of one image, in hundredths, where the model's base price is `base`."""
    return of_cost(model, model.cost(parameters, images), base)


def of_cost(model: Model, cost: int, base: int) -> int:
    """The price of a call with this list price, where the model's base price is `base`."""
    return -(-base * cost // model.cost({}))


def agreed_price(
    model: str,
    parameters: Mapping[str, Any],
    team: Team,
    shown_at: datetime | None,
    *,
    images: int = 0,
) -> int:
    """The current price; PriceRose if it is higher than the one at `shown_at`. None: none was shown."""
    now = price(model, parameters, team, images=images)
    if shown_at is None:
        return now
    shown = price(model, parameters, team, _clamped(shown_at), images=images)
    if now > shown:
        raise PriceRose(shown, now)
    return now


def _clamped(shown_at: datetime) -> datetime:
    """The moment from a form, between EARLIEST and now: not every database has the year 1."""
    return min(max(shown_at, EARLIEST), timezone.now())
