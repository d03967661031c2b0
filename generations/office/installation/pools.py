"""The installation's credits for its operators: every pool, the providers' balances, and their comparison."""

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
from generations.office.reports import overview as reports_overview
from generations.teams.models import Membership, Team
from generations.upstreams import provider_groups
from generations.upstreams.models import Upstream

PAGE_SIZE = 100
COMPARED_DAYS = 7  # today included


@dataclass(frozen=True)
class TeamPool:
    """The credits of one team, in hundredths; `spent` is of the present month in the team's time zone."""

    team: Team
    pool: int
    wallets: int
    held: int
    spent: int
    members: int
    is_low: bool


@dataclass(frozen=True)
class InstallationTotals:
    """The credits of all teams, in hundredths."""

    pools: int
    wallets: int
    held: int

    @property
    def outstanding(self) -> int:
        """All credits that were issued and not spent, held ones included."""
        return self.pools + self.wallets


@dataclass(frozen=True)
class ProviderAccount:
    """An account at a provider with the upstreams that use it; the balance is in the provider's own units."""

    names: str
    balance: Decimal | None
    unit: str
    unit_value: int  # hundredths of a credit
    checked_at: datetime | None
    is_low: bool
    is_paused: bool


@dataclass(frozen=True)
class InvoiceComparison:
    """The provider calls of the last days; `bought` and `charged` are in hundredths of a credit."""

    calls: int
    uncharged_calls: int
    bought: int
    charged: int
    drifts: list[Drift]

    @property
    def difference(self) -> Decimal:
        """What the providers took beyond the known purchases, in credits."""
        return sum((each.drift * each.unit_value / 100 for each in self.drifts), Decimal())


def totals() -> InstallationTotals:
    """Add up all pools and wallets, in one query."""
    is_pool = Q(kind=AccountKind.POOL)
    sums = Account.objects.filter(kind__in=[AccountKind.POOL, AccountKind.WALLET]).aggregate(
        pools=Sum("balance", filter=is_pool), wallets=Sum("balance", filter=~is_pool), all_held=Sum("held")
    )
    return InstallationTotals(sums["pools"] or 0, sums["wallets"] or 0, sums["all_held"] or 0)


def pool_page(page: int = 1, words: str = "") -> tuple[list[TeamPool], bool]:
    """Return a page of the teams whose name or address has all the words, and whether there are more.

    By name, in a constant number of queries.
    """
    found = Team.objects.select_related("pool", "rolled_up").order_by("name", "pk")
    for word in words.split()[:8]:
        found = found.filter(Q(name__icontains=word) | Q(slug__icontains=word))
    start = (max(page, 1) - 1) * PAGE_SIZE
    teams = list(found[start : start + PAGE_SIZE + 1])
    return _pools(teams[:PAGE_SIZE]), len(teams) > PAGE_SIZE


def pool_of(team: Team) -> TeamPool:
    """Return the credits of one team."""
    return _pools(list(Team.objects.select_related("pool", "rolled_up").filter(pk=team.pk)))[0]


def _pools(shown: list[Team]) -> list[TeamPool]:
    grouped = Account.objects.filter(membership__team__in=shown).order_by().values("membership__team")
    sums = grouped.annotate(sum=Sum("balance"), all_held=Sum("held"))
    rows = sums.values_list("membership__team", "sum", "all_held")
    wallets = {pk: (balance, held) for pk, balance, held in rows}
    present = Membership.objects.filter(team__in=shown, ended_at=None).order_by().values("team")
    members = dict(present.annotate(number=Count("pk")).values_list("team", "number"))
    spent = _month_spending(shown)
    return [
        _team_pool(team, *wallets.get(team.pk, (0, 0)), spent=spent[team.pk], members=members.get(team.pk, 0))
        for team in shown
    ]


def provider_accounts() -> list[ProviderAccount]:
    """Return each provider account with its latest balance, however many rows have its address and key."""
    groups = provider_groups.grouped(Upstream.objects.filter(enabled=True))
    return [_provider_account(upstreams) for upstreams in groups]


def is_covered(accounts: list[ProviderAccount], outstanding: int) -> bool | None:
    """Whether the accounts' balances cover all outstanding credits, each at the worth of its unit.

    None if that is unknown: the known balances are not enough, and some account has none.
    """
    known = [account.balance * account.unit_value for account in accounts if account.balance is not None]
    if sum(known, Decimal()) >= outstanding:
        return True
    return False if len(known) == len(accounts) else None


def compare_invoice() -> InvoiceComparison:
    """Compare the calls of the last days with the ledger and the balances. Slow: reads every call."""
    today = timezone.localdate()
    report = reconciliation_report.reconcile(since=today - timedelta(days=COMPARED_DAYS - 1), until=today)
    return InvoiceComparison(
        calls=sum(sum(day.calls.values()) for day in report.days),
        uncharged_calls=sum(each.calls for each in report.uncharged),
        bought=report.total("bought"),
        charged=report.total("charged"),
        drifts=report.drifts,
    )


def _team_pool(team: Team, wallets: int, held: int, *, spent: int, members: int) -> TeamPool:
    account = getattr(team, "pool", None)  # opened with the first credits
    pool = account.balance if account else 0
    return TeamPool(team, pool, wallets, held, spent, members, 0 < team.low_pool > pool)


def _month_spending(teams: list[Team]) -> Counter[int]:
    """Return what each team spent in the present month of its time zone, by primary key."""
    now = timezone.now()
    months = {team.pk: Month.of(periods.today(team, now)) for team in teams}
    amounts: Counter[int] = Counter()
    for (team, kind), total in credits_totals.totals_of(
        teams, {pk: month.first for pk, month in months.items()}
    ).items():
        if kind in reports_overview.SPENDING_KINDS:
            amounts[team] += total.amount if kind == TransferKind.CHARGE else -total.amount
    return amounts


def _provider_account(upstreams: list[Upstream]) -> ProviderAccount:
    checked = [upstream for upstream in upstreams if upstream.balance_at]
    latest = max(checked, key=lambda upstream: upstream.balance_at or timezone.now(), default=None)
    balance = latest.balance if latest else None
    threshold = max(upstream.low_balance for upstream in upstreams)
    return ProviderAccount(
        names=", ".join(upstream.name for upstream in upstreams),
        balance=balance,
        unit=upstreams[0].unit,
        unit_value=upstreams[0].unit_value,
        checked_at=latest.balance_at if latest else None,
        is_low=balance is not None and 0 < threshold > balance,
        is_paused=all(upstream.paused_at for upstream in upstreams),
    )
