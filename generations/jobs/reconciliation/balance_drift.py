"""How far a provider's balance went down, and how far our own books say it should have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import Count, F, Q, Sum

from generations.jobs.models import Attempt, Outcome
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams.models import Balance, Upstream

LONGEST_CALL = timedelta(hours=1)  # far more than a call takes: bounds what the index must look at
Account = tuple[str, str]


@dataclass(frozen=True)
class Drift:
    """One provider account between its first and its last reading of a period; amounts in credits.

    `spent` is how far the balance fell from one reading to the next, `topped_up` how far it rose. What was
    spent between the same two readings in which it rose cannot be seen.
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

    @property
    def drift(self) -> Decimal:
        """What the provider took beyond what we know we bought; lost answers may explain it."""
        return self.spent - self.bought

    @property
    def is_explained(self) -> bool:
        """Whether lost answers explain it."""
        return 0 <= self.drift <= self.may_have_cost


@dataclass
class _Readings:
    """What one account said, oldest first, whichever of its upstreams was asked."""

    names: list[str]
    pks: list[int]
    said: list[tuple[datetime, Decimal]]

    @property
    def window(self) -> Q:
        """Calls that ended between the first reading and the last."""
        first, last = self.said[0][0], self.said[-1][0]
        began = Q(started_at__gt=first - LONGEST_CALL, started_at__lte=last)
        return began & Q(upstream__in=self.pks, ended_at__gt=first, ended_at__lte=last)


def drifts(upstreams: Iterable[Upstream], begin: datetime, end: datetime) -> list[Drift]:
    """Every account that told its balance at least twice in that time."""
    known = {upstream.pk: upstream for upstream in upstreams}
    read = [account for account in _read(known, begin, end).values() if len(account.said) > 1]
    bought = _bought(read)
    return [_drift(account, bought, known) for account in sorted(read, key=lambda account: account.names)]


def list_price(upstream: Upstream, model: str, steps: int | None) -> int:
    """What a call cost if it was bought, in hundredths; 0 for a model that nobody knows any more."""
    known = model in catalogue_registry.MODELS or model in upstream.costs
    return upstream.cost(model, {"steps": steps or 0}) if known else 0


def _read(upstreams: dict[int, Upstream], begin: datetime, end: datetime) -> dict[Account, _Readings]:
    """Upstreams at one address that share a pace are one account of the provider."""
    accounts: dict[Account, _Readings] = {}
    for upstream in upstreams.values():
        account = accounts.setdefault((upstream.base_url, upstream.pace_key), _Readings([], [], []))
        account.names.append(upstream.name)
        account.pks.append(upstream.pk)
    told = Balance.objects.filter(upstream__in=list(upstreams), asked_at__gte=begin, asked_at__lt=end)
    for pk, at, amount in told.order_by("asked_at", "pk").values_list("upstream", "asked_at", "amount"):
        accounts[upstreams[pk].base_url, upstreams[pk].pace_key].said.append((at, amount))
    return accounts


def _bought(accounts: list[_Readings]) -> list[dict[str, Any]]:
    """Calls and their cost in the windows of all accounts, in one query."""
    windows = Q(pk__in=[])
    for account in accounts:
        windows |= account.window
    paid = Attempt.objects.filter(windows, outcome__in=[Outcome.OK, Outcome.FILTERED, Outcome.UNKNOWN])
    by = ("upstream", "outcome", "generation__model", "steps")
    priced = paid.annotate(steps=F("generation__parameters__steps")).order_by().values(*by)
    return list(priced.annotate(calls=Count("pk"), paid=Sum("cost")))


def _drift(account: _Readings, bought: list[dict[str, Any]], upstreams: dict[int, Upstream]) -> Drift:
    steps = [after[1] - before[1] for before, after in pairwise(account.said)]
    mine = [group for group in bought if group["upstream"] in account.pks]
    lost = [group for group in mine if group["outcome"] == Outcome.UNKNOWN]
    return Drift(
        upstreams=", ".join(account.names),
        first_at=account.said[0][0],
        last_at=account.said[-1][0],
        first=account.said[0][1],
        last=account.said[-1][1],
        spent=-sum((step for step in steps if step < 0), Decimal()),
        topped_up=sum((step for step in steps if step > 0), Decimal()),
        bought=_credits(sum(group["paid"] or 0 for group in mine)),
        may_have_cost=_credits(sum(_price(group, upstreams) for group in lost)),
    )


def _price(group: dict[str, Any], upstreams: dict[int, Upstream]) -> int:
    upstream = upstreams[group["upstream"]]
    return int(group["calls"]) * list_price(upstream, group["generation__model"], group["steps"])


def _credits(amount: int) -> Decimal:
    return Decimal(amount) / 100
