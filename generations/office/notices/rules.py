"""What holds at this moment that somebody should know, found in a constant number of queries.

A thing is *deep* when it is to be raised. One that was raised ends only when it is over by a fifth
(`SLACK`), so that a balance which goes up and down around its mark is told once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from generations.credits import periods
from generations.credits.models import Account, AccountKind, Transfer, TransferKind
from generations.credits.periods import Month
from generations.office.models import NoticeKind
from generations.teams.models import Kind, Membership, Team
from generations.teams.permissions import MAKERS
from generations.upstreams.models import Upstream

SLACK = (6, 5)  # 1.2 times the mark


@dataclass(frozen=True)
class Found:
    """One thing, what it is about, and the numbers and names of its sentence."""

    kind: NoticeKind
    about: str
    deep: bool
    team: int | None = None
    member: int | None = None
    upstream: int | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What it is told apart by."""
        return (self.kind.value, self.about)


def everything(now: datetime | None = None) -> dict[tuple[str, str], Found]:
    """All that holds, or nearly, by its key."""
    found = (*wallets(), *caps(now or timezone.now()), *pools(), *upstreams())
    return {each.key: each for each in found}


def wallets() -> Iterator[Found]:
    """Members whose credits run low. Nothing runs low that was never filled. One query."""
    low = _makers().filter(team__low_wallet__gt=0).annotate(left=F("wallet__balance") - F("wallet__held"))
    low = low.filter(_filled("wallet", "wallet__balance"), left__lt=_nearly("team__low_wallet"))
    for member in low.select_related("team"):
        left: int = member.left
        yield Found(
            NoticeKind.WALLET_LOW,
            str(member.pk),
            deep=left < member.team.low_wallet,
            team=member.team_id,
            member=member.pk,
            values={"left": left, "mark": member.team.low_wallet},
        )


def pools() -> Iterator[Found]:
    """Teams whose pool runs low. One query."""
    low = Account.objects.filter(kind=AccountKind.POOL, team__deactivated_at=None, team__low_pool__gt=0)
    low = low.annotate(left=F("balance") - F("held"))
    low = low.filter(_filled("pk", "balance"), left__lt=_nearly("team__low_pool"))
    for pool in low.select_related("team"):
        team, left = pool.team, int(pool.left)
        assert team is not None
        yield Found(
            NoticeKind.POOL_LOW,
            str(team.pk),
            deep=left < team.low_pool,
            team=team.pk,
            values={"left": left, "mark": team.low_pool},
        )


def upstreams() -> Iterator[Found]:
    """Provider accounts that are not called, or that have little left. One query."""
    for row in Upstream.objects.filter(enabled=True):
        if row.paused_at:
            paused = {"name": row.name, "reason": row.paused_reason}
            yield Found(NoticeKind.UPSTREAM_PAUSED, str(row.pk), deep=True, upstream=row.pk, values=paused)
        left, mark = row.balance, row.low_balance
        if left is not None and left * SLACK[1] < mark * SLACK[0]:
            low = {"name": row.name, "left": str(left), "mark": mark}
            yield Found(NoticeKind.PROVIDER_LOW, str(row.pk), deep=left < mark, upstream=row.pk, values=low)


@dataclass(frozen=True)
class Period:
    """A day or a month, by its first and its last day."""

    name: str
    first: date
    last: date


def caps(now: datetime) -> Iterator[Found]:
    """Members who have used up what they may spend in this day or month. Three queries.

    Counted as `credits.caps` counts for one member, which refuses what would pass a cap.
    """
    capped = _makers().filter(Q(cap_per_day__isnull=False) | Q(cap_per_month__isnull=False))
    members = list(capped.select_related("team").annotate(held=F("wallet__held")))
    begins = {member.team.time_zone: _begins(member.team, now) for member in members}
    used = _charged(members, begins) if members else Counter[tuple[int, str]]()
    used.subtract(_refunded(members, begins) if members else {})
    for member in members:
        today = periods.today(member.team, now)
        month = Month.of(today)
        for period, cap in (
            (Period("day", today, today), member.cap_per_day),
            (Period("month", month.first, month.last), member.cap_per_month),
        ):
            spent = used[member.pk, period.name] + (member.held or 0)
            if cap is not None and spent * SLACK[0] >= cap * SLACK[1]:
                yield _cap(member, period, cap, deep=spent >= cap)


def _cap(member: Membership, period: Period, cap: int, *, deep: bool) -> Found:
    """A cap of one period: the next one is another thing, so it is told again."""
    renews = periods.begin(member.team, period.last + periods.DAY)
    return Found(
        NoticeKind.CAP_REACHED,
        f"{member.pk}:{period.name}:{period.first:%Y-%m-%d}",
        deep=deep,
        team=member.team_id,
        member=member.pk,
        values={"period": period.name, "cap": cap, "renews_at": renews.isoformat()},
    )


Begins = dict[str, tuple[datetime, datetime]]


def _begins(team: Team, now: datetime) -> tuple[datetime, datetime]:
    """When this day and this month began there."""
    today = periods.today(team, now)
    return periods.begin(team, today), periods.begin(team, Month.of(today).first)


def _charged(members: Iterable[Membership], begins: Begins) -> Counter[tuple[int, str]]:
    """What was charged to each this day and this month."""
    day, month = Q(), Q()
    for zone, (of_day, of_month) in begins.items():
        there = Q(member__team__time_zone=zone)
        day |= there & Q(created_at__gte=of_day)
        month |= there & Q(created_at__gte=of_month)
    lines = Transfer.objects.filter(member__in=members, kind=TransferKind.CHARGE)
    lines = lines.filter(created_at__gte=min(of_month for _day, of_month in begins.values()))
    sums = (
        lines.order_by()
        .values("member")
        .annotate(day=Sum("amount", filter=day, default=0), month=Sum("amount", filter=month, default=0))
    )
    return Counter({(row["member"], name): row[name] for row in sums for name in ("day", "month")})


def _refunded(members: Iterable[Membership], begins: Begins) -> Counter[tuple[int, str]]:
    """What of it was given back: refunds of charges of this day and this month."""
    charges = Transfer.objects.filter(reference=OuterRef("reference"), kind=TransferKind.CHARGE)
    lines = Transfer.objects.filter(
        member__in=members,
        kind=TransferKind.REFUND,
        created_at__gte=min(of_month for _day, of_month in begins.values()),
    ).annotate(charged_at=Subquery(charges.values("created_at")[:1]))
    back: Counter[tuple[int, str]] = Counter()
    for member, zone, amount, charged_at in lines.values_list(
        "member", "member__team__time_zone", "amount", "charged_at"
    ):
        for name, begin in zip(("day", "month"), begins[zone], strict=True):
            back[member, name] += amount if charged_at and charged_at >= begin else 0
    return back


def _makers() -> QuerySet[Membership]:
    """People who may spend, in teams that are open."""
    people = Membership.objects.filter(kind=Kind.PERSON, user__is_active=True, role__in=MAKERS)
    return people.filter(ended_at=None, team__deactivated_at=None)


def _filled(account: str, balance: str) -> Q:
    """True for an account that anything ever went into; lines are looked at for empty ones alone."""
    return Q((f"{balance}__gt", 0)) | Q(Exists(Transfer.objects.filter(target=OuterRef(account))))


def _nearly(mark: str) -> Any:
    return F(mark) * SLACK[0] / SLACK[1]
