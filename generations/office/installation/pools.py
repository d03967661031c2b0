"""The whole installation's credits for its operators: every pool, and what the providers say beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils import timezone

from generations.credits import periods
from generations.credits import totals as credits_totals
from generations.credits.models import Account, AccountKind, TransferKind
from generations.credits.periods import Month
from generations.jobs.reconciliation import report as reconciliation_report
from generations.jobs.reconciliation.balance_drift import Drift
from generations.office.reports import spending as reports_spending
from generations.teams.models import Membership, Team
from generations.upstreams.models import Upstream

PAGE = 100
DAYS = 7  # of the invoice, today included


@dataclass(frozen=True)
class Pool:
    """One team; amounts in hundredths. Its month is the one of its own time zone."""

    team: Team
    free: int
    with_members: int
    held: int
    spent: int
    members: int
    is_low: bool


@dataclass(frozen=True)
class Whole:
    """All teams together, in hundredths."""

    free: int
    with_members: int
    held: int

    @property
    def given_out(self) -> int:
        """What members and pools can still spend or are about to."""
        return self.free + self.with_members


@dataclass(frozen=True)
class ProviderAccount:
    """One account at a provider, by whichever upstreams it is called; its own credits, not hundredths."""

    names: str
    balance: Decimal | None
    unit: str
    asked_at: datetime | None
    is_low: bool
    is_paused: bool


@dataclass(frozen=True)
class Invoice:
    """What was called in the last days. `bought` and `charged` are in hundredths, drifts in credits."""

    calls: int
    uncharged_calls: int
    bought: int
    charged: int
    drifts: list[Drift]

    @property
    def difference(self) -> Decimal:
        """What the providers took beyond what we know we bought, in credits."""
        return sum((each.drift for each in self.drifts), Decimal())


def whole() -> Whole:
    """What is in all pools and wallets, in one query."""
    pool = Q(kind=AccountKind.POOL)
    found = Account.objects.filter(kind__in=[AccountKind.POOL, AccountKind.WALLET]).aggregate(
        free=Sum("balance", filter=pool), with_members=Sum("balance", filter=~pool), all_held=Sum("held")
    )
    return Whole(found["free"] or 0, found["with_members"] or 0, found["all_held"] or 0)


def read(page: int = 1) -> tuple[list[Pool], bool]:
    """A page of the teams by name, and whether there are more. A constant number of queries."""
    start = (max(page, 1) - 1) * PAGE
    teams = list(
        Team.objects.select_related("pool", "rolled_up").order_by("name", "pk")[start : start + PAGE + 1]
    )
    shown = teams[:PAGE]
    wallets = Account.objects.filter(membership__team__in=shown).order_by().values("membership__team")
    grouped = wallets.annotate(sum=Sum("balance"), all_held=Sum("held"))
    found = grouped.values_list("membership__team", "sum", "all_held")
    with_members = {pk: (balance, held) for pk, balance, held in found}
    present = Membership.objects.filter(team__in=shown, ended_at=None).order_by().values("team")
    people = dict(present.annotate(number=Count("pk")).values_list("team", "number"))
    spent = _spent(shown)
    rows = [
        _pool(team, *with_members.get(team.pk, (0, 0)), spent=spent[team.pk], members=people.get(team.pk, 0))
        for team in shown
    ]
    return rows, len(teams) > PAGE


def provider_accounts() -> list[ProviderAccount]:
    """What each provider account said of itself last. Upstreams that share a pace are one account."""
    accounts: dict[tuple[str, str], list[Upstream]] = {}
    for upstream in Upstream.objects.filter(enabled=True):
        accounts.setdefault((upstream.base_url, upstream.pace_key), []).append(upstream)
    return [_account(upstreams) for upstreams in accounts.values()]


def covers(accounts: list[ProviderAccount], given_out: int) -> bool | None:
    """Whether what the portal has given out could be bought from these, at a credit each.

    None if that is not known: an account does not tell what it has, and the others are not enough.
    """
    told = [account.balance for account in accounts if account.balance is not None]
    if sum(told, Decimal()) * 100 >= given_out:
        return True
    return False if len(told) == len(accounts) else None


def invoice() -> Invoice:
    """The calls of the last days held against the ledger and the balances; looks at each call."""
    today = timezone.localdate()
    report = reconciliation_report.reconcile(since=today - timedelta(days=DAYS - 1), until=today)
    return Invoice(
        calls=sum(sum(day.calls.values()) for day in report.days),
        uncharged_calls=sum(line.calls for line in report.uncharged),
        bought=report.total("bought"),
        charged=report.total("charged"),
        drifts=report.drifts,
    )


def _pool(team: Team, with_members: int, held: int, *, spent: int, members: int) -> Pool:
    pool = getattr(team, "pool", None)  # opened with the first credits
    free = pool.balance if pool else 0
    return Pool(team, free, with_members, held, spent, members, 0 < team.low_pool > free)


def _spent(teams: list[Team]) -> Counter[int]:
    """What each spent in the month that it is there."""
    now = timezone.now()
    months = {team.pk: Month.of(periods.today(team, now)) for team in teams}
    amounts: Counter[int] = Counter()
    for (team, kind), total in credits_totals.totals_of(
        teams, {pk: month.first for pk, month in months.items()}
    ).items():
        if kind in reports_spending.SPENDING:
            amounts[team] += total.amount if kind == TransferKind.CHARGE else -total.amount
    return amounts


def _account(upstreams: list[Upstream]) -> ProviderAccount:
    told = [upstream for upstream in upstreams if upstream.balance_at]
    latest = max(told, key=lambda upstream: upstream.balance_at or timezone.now(), default=None)
    balance = latest.balance if latest else None
    threshold = max(upstream.low_balance for upstream in upstreams)
    return ProviderAccount(
        names=", ".join(upstream.name for upstream in upstreams),
        balance=balance,
        unit=upstreams[0].unit,
        asked_at=latest.balance_at if latest else None,
        is_low=balance is not None and 0 < threshold > balance,
        is_paused=all(upstream.paused_at for upstream in upstreams),
    )
