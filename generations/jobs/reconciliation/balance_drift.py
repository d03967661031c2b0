"""The fall of a provider account's balance, compared with what its recorded calls cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import Count, F, Q, Sum

from generations.jobs.models import Attempt, Outcome
from generations.jobs.reconciliation import help_calls
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import provider_groups, units
from generations.upstreams.models import Balance, Upstream

MAX_CALL = timedelta(hours=1)  # far more than a call takes; limits what is read of the index


@dataclass(frozen=True)
class Drift:
    """One provider account between its first and its last reading of a period; amounts in its own unit.

    `spent` is the sum of falls between two readings, `topped_up` the sum of rises. Spending between two
    readings with a rise is not visible.
    """

    upstreams: str
    first_at: datetime
    last_at: datetime
    first: Decimal
    last: Decimal
    spent: Decimal
    topped_up: Decimal
    bought: Decimal
    may_have_cost: Decimal
    unit_value: int = units.VALUES[units.CREDIT]

    @property
    def decimals(self) -> str:
        """How Django's `floatformat` writes its amounts: those of a large unit need more decimals."""
        return "2g" if self.unit_value <= units.VALUES[units.CREDIT] else "4g"

    @property
    def drift(self) -> Decimal:
        """What the provider took beyond the cost of recorded calls; lost answers may explain it."""
        return self.spent - self.bought

    @property
    def is_explained(self) -> bool:
        """Whether calls with lost answers can explain the drift."""
        return 0 <= self.drift <= self.may_have_cost


@dataclass
class _Readings:
    """The balances of one account, oldest first, read through any of its upstreams."""

    names: list[str]
    pks: list[int]
    balances: list[tuple[datetime, Decimal]]

    @property
    def window(self) -> Q:
        """Calls that ended between the first reading and the last."""
        first, last = self.balances[0][0], self.balances[-1][0]
        began = Q(started_at__gt=first - MAX_CALL, started_at__lte=last)
        return began & Q(upstream__in=self.pks, ended_at__gt=first, ended_at__lte=last)


def drifts(upstreams: Iterable[Upstream], begin: datetime, end: datetime) -> list[Drift]:
    """The drift of every account with at least two readings in that time."""
    known = {upstream.pk: upstream for upstream in upstreams}
    read = [account for account in _read(known, begin, end) if len(account.balances) > 1]
    bought = _bought(read)
    return [_drift(account, bought, known) for account in sorted(read, key=lambda account: account.names)]


def list_price(upstream: Upstream, model: str, steps: int | None) -> int:
    """The cost of a call if it was charged, in hundredths; 0 for a model that is no longer known."""
    known = model in catalogue_registry.MODELS or model in upstream.costs
    return upstream.cost(model, {"steps": steps or 0}) if known else 0


def _read(upstreams: dict[int, Upstream], begin: datetime, end: datetime) -> list[_Readings]:
    """The readings by provider account."""
    accounts: dict[int, _Readings] = {}
    for group in provider_groups.grouped(upstreams.values()):
        readings = _Readings([row.name for row in group], [row.pk for row in group], [])
        accounts |= dict.fromkeys(readings.pks, readings)
    rows = Balance.objects.filter(upstream__in=list(upstreams), asked_at__gte=begin, asked_at__lt=end)
    for pk, at, amount in rows.order_by("asked_at", "pk").values_list("upstream", "asked_at", "amount"):
        accounts[pk].balances.append((at, amount))
    return list({id(readings): readings for readings in accounts.values()}.values())


PAID = (Outcome.OK, Outcome.ACCEPTED, Outcome.FILTERED, Outcome.UNKNOWN)


def _bought(accounts: list[_Readings]) -> list[dict[str, Any]]:
    """Numbers and costs of the calls between the readings of all accounts, in one query."""
    windows = Q(pk__in=[])
    for account in accounts:
        windows |= account.window
    paid = Attempt.objects.filter(windows, outcome__in=PAID)
    by = ("upstream", "outcome", "generation__model", "steps")
    priced = paid.annotate(steps=F("generation__parameters__steps")).order_by().values(*by)
    return list(priced.annotate(calls=Count("pk"), paid=Sum("cost")))


def _drift(account: _Readings, bought: list[dict[str, Any]], upstreams: dict[int, Upstream]) -> Drift:
    steps = [after[1] - before[1] for before, after in pairwise(account.balances)]
    mine = [group for group in bought if group["upstream"] in account.pks]
    lost = [group for group in mine if group["outcome"] == Outcome.UNKNOWN]
    value = upstreams[account.pks[0]].unit_value
    helped, lost_help = help_calls.paid_between(account.pks, account.balances[0][0], account.balances[-1][0])
    return Drift(
        upstreams=", ".join(account.names),
        first_at=account.balances[0][0],
        last_at=account.balances[-1][0],
        first=account.balances[0][1],
        last=account.balances[-1][1],
        spent=-sum((step for step in steps if step < 0), Decimal()),
        topped_up=sum((step for step in steps if step > 0), Decimal()),
        bought=units.amount_in(sum(group["paid"] or 0 for group in mine) + helped, value),
        may_have_cost=units.amount_in(sum(_price(group, upstreams) for group in lost) + lost_help, value),
        unit_value=value,
    )


def _price(group: dict[str, Any], upstreams: dict[int, Upstream]) -> int:
    upstream = upstreams[group["upstream"]]
    return int(group["calls"]) * list_price(upstream, group["generation__model"], group["steps"])
