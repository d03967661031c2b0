"""Find the conditions that notices are about, in a constant number of queries.

A condition that is `met` raises a notice. The notice is cleared only when the balance is a fifth above the
limit (`HYSTERESIS`), so that a balance which varies around its limit raises one notice. In between, a
condition is found but not met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from generations.credits import periods
from generations.credits.models import Account, AccountKind, Transfer, TransferKind
from generations.credits.periods import Month
from generations.office.models import NoticeKind
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Kind, Membership, Team
from generations.teams.permissions import CREATORS
from generations.upstreams import provider_groups
from generations.upstreams.models import Upstream

HYSTERESIS = (6, 5)  # numerator and denominator: notices are cleared at 1.2 times the limit


@dataclass(frozen=True)
class Condition:
    """A condition, what it is about, and the numbers and names of its message."""

    kind: NoticeKind
    about: str
    met: bool
    team: int | None = None
    member: int | None = None
    upstream: int | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the condition."""
        return (self.kind.value, self.about)


def find_conditions(now: datetime | None = None) -> dict[tuple[str, str], Condition]:
    """Return all conditions by key: those that are met, and those within the hysteresis."""
    found = (*low_wallets(), *reached_caps(now or timezone.now()), *low_pools(), *upstream_conditions())
    return {each.key: each for each in found}


def low_wallets() -> Iterator[Condition]:
    """Find members whose credits run low. A wallet that never had credits does not run low. One query."""
    low = _spenders().filter(team__low_wallet__gt=0).annotate(left=F("wallet__balance") - F("wallet__held"))
    low = low.filter(_ever_funded("wallet", "wallet__balance"), left__lt=_clearing_limit("team__low_wallet"))
    for member in low.select_related("team"):
        left: int = member.left
        yield Condition(
            NoticeKind.WALLET_LOW,
            str(member.pk),
            met=left < member.team.low_wallet,
            team=member.team_id,
            member=member.pk,
            values={"left": left, "mark": member.team.low_wallet},
        )


def low_pools() -> Iterator[Condition]:
    """Find teams whose pool runs low. One query."""
    low = Account.objects.filter(kind=AccountKind.POOL, team__deactivated_at=None, team__low_pool__gt=0)
    low = low.annotate(left=F("balance") - F("held"))
    low = low.filter(_ever_funded("pk", "balance"), left__lt=_clearing_limit("team__low_pool"))
    for pool in low.select_related("team"):
        team, left = pool.team, int(pool.left)
        assert team is not None
        yield Condition(
            NoticeKind.POOL_LOW,
            str(team.pk),
            met=left < team.low_pool,
            team=team.pk,
            values={"left": left, "mark": team.low_pool},
        )


def upstream_conditions() -> Iterator[Condition]:
    """Find provider accounts that are paused, lack a model, or run low. One query.

    Rows that are one account at the provider have one balance, and so one notice of it.
    """
    rows = list(Upstream.objects.filter(enabled=True))
    for row in rows:
        yield from unusable(row)
    for group in provider_groups.grouped(rows):
        known = [row for row in group if row.balance is not None]
        if known:
            yield from low_balance(group, max(known, key=lambda row: row.balance_at or row.created_at))


def low_balance(group: list[Upstream], latest: Upstream) -> Iterator[Condition]:
    """Find whether the balance of these rows of one provider account, which `latest` has read, is low."""
    left, mark = latest.balance or Decimal(), max(row.low_balance for row in group)
    if left * HYSTERESIS[1] < mark * HYSTERESIS[0]:
        first = min(group, key=lambda row: row.pk)
        low = {"name": ", ".join(row.name for row in group), "left": str(left), "mark": mark}
        yield Condition(
            NoticeKind.PROVIDER_LOW, str(first.pk), met=left < mark, upstream=first.pk, values=low
        )


def unusable(upstream: Upstream) -> Iterator[Condition]:
    """Find whether the account is paused, and the models that it said it does not have.

    Of a model the condition is met while the account is not asked for it, and stays until the account draws
    it or nobody has asked for a day: what is tried again every ten minutes is one notice.
    """
    if upstream.paused_at:
        paused = {"name": upstream.name, "reason": upstream.paused_reason}
        yield Condition(
            NoticeKind.UPSTREAM_PAUSED, str(upstream.pk), met=True, upstream=upstream.pk, values=paused
        )
    for model, entry in upstream.recent_closings.items():
        values = {"name": f"{upstream.name} ({title_of(model)})", "reason": entry["reason"]}
        yield Condition(
            NoticeKind.UPSTREAM_PAUSED,
            f"{upstream.pk}:{model}",
            met=upstream.is_closed(model),
            upstream=upstream.pk,
            values=values,
        )


def title_of(model: str) -> str:
    """Return the title of a model; its name if the catalogue no longer has it."""
    return catalogue_registry.model_title(model)


@dataclass(frozen=True)
class Period:
    """A day or a month, by its first and its last day."""

    name: str
    first: date
    last: date


def reached_caps(now: datetime) -> Iterator[Condition]:
    """Find members who have reached their daily or monthly cap. Three queries.

    Spending is counted as in `credits.caps`, which enforces the caps for a single member.
    """
    capped = _spenders().filter(Q(cap_per_day__isnull=False) | Q(cap_per_month__isnull=False))
    members = list(capped.select_related("team").annotate(held=F("wallet__held")))
    starts = {member.team.time_zone: _period_starts(member.team, now) for member in members}
    used = _charged(members, starts) if members else Counter[tuple[int, str]]()
    used.subtract(_refunded(members, starts) if members else {})
    for member in members:
        today = periods.today(member.team, now)
        month = Month.of(today)
        for period, cap in (
            (Period("day", today, today), member.cap_per_day),
            (Period("month", month.first, month.last), member.cap_per_month),
        ):
            spent = used[member.pk, period.name] + (member.held or 0)
            if cap is not None and spent * HYSTERESIS[0] >= cap * HYSTERESIS[1]:
                yield _cap(member, period, cap, met=spent >= cap)


def _cap(member: Membership, period: Period, cap: int, *, met: bool) -> Condition:
    """Return the condition of a cap in one period.

    The next period is another condition, with its own notice.
    """
    renews = periods.begin(member.team, period.last + periods.DAY)
    return Condition(
        NoticeKind.CAP_REACHED,
        f"{member.pk}:{period.name}:{period.first:%Y-%m-%d}",
        met=met,
        team=member.team_id,
        member=member.pk,
        values={"period": period.name, "cap": cap, "renews_at": renews.isoformat()},
    )


PeriodStarts = dict[str, tuple[datetime, datetime]]


def _period_starts(team: Team, now: datetime) -> tuple[datetime, datetime]:
    """Return the start of the current day and month of the team."""
    today = periods.today(team, now)
    return periods.begin(team, today), periods.begin(team, Month.of(today).first)


def _charged(members: Iterable[Membership], starts: PeriodStarts) -> Counter[tuple[int, str]]:
    """Return the charges of the current day and month, by member and period."""
    day, month = Q(), Q()
    for zone, (of_day, of_month) in starts.items():
        in_zone = Q(member__team__time_zone=zone)
        day |= in_zone & Q(created_at__gte=of_day)
        month |= in_zone & Q(created_at__gte=of_month)
    transfers = Transfer.objects.filter(member__in=members, kind=TransferKind.CHARGE)
    transfers = transfers.filter(created_at__gte=min(of_month for _day, of_month in starts.values()))
    sums = (
        transfers.order_by()
        .values("member")
        .annotate(day=Sum("amount", filter=day, default=0), month=Sum("amount", filter=month, default=0))
    )
    return Counter({(row["member"], name): row[name] for row in sums for name in ("day", "month")})


def _refunded(members: Iterable[Membership], starts: PeriodStarts) -> Counter[tuple[int, str]]:
    """Return the refunds of charges of the current day and month, by member and period."""
    charges = Transfer.objects.filter(reference=OuterRef("reference"), kind=TransferKind.CHARGE)
    transfers = Transfer.objects.filter(
        member__in=members,
        kind=TransferKind.REFUND,
        created_at__gte=min(of_month for _day, of_month in starts.values()),
    ).annotate(charged_at=Subquery(charges.values("created_at")[:1]))
    refunds: Counter[tuple[int, str]] = Counter()
    for member, zone, amount, charged_at in transfers.values_list(
        "member", "member__team__time_zone", "amount", "charged_at"
    ):
        for name, begin in zip(("day", "month"), starts[zone], strict=True):
            refunds[member, name] += amount if charged_at and charged_at >= begin else 0
    return refunds


def _spenders() -> QuerySet[Membership]:
    """Return the persons who may spend credits, in active teams."""
    people = Membership.objects.filter(kind=Kind.PERSON, user__is_active=True, role__in=CREATORS)
    return people.filter(ended_at=None, team__deactivated_at=None)


def _ever_funded(account: str, balance: str) -> Q:
    """Match accounts that ever received credits. Transfers are read only for accounts with a balance of 0."""
    return Q((f"{balance}__gt", 0)) | Q(Exists(Transfer.objects.filter(target=OuterRef(account))))


def _clearing_limit(limit: str) -> Any:
    return F(limit) * HYSTERESIS[0] / HYSTERESIS[1]
