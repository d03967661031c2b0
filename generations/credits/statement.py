"""A member's statement, newest first: open holds, released holds, and all ledger entries; with its totals."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum

from generations.credits import periods
from generations.credits import totals as credits_totals
from generations.credits.models import Account, Hold, HoldState, Transfer, TransferKind
from generations.credits.periods import Month
from generations.providers.catalogue.registry import PROMPT_HELPER
from generations.teams.models import Membership

PAGE = 50
MAX_HELD = 500  # open holds of one member, whose amounts are in the wallet's `held` all the same
CHUNK = 1_000  # entries that an export holds in memory
KINDS_OF_GENERATION = {TransferKind.CHARGE, TransferKind.REFUND}
HELD, RELEASED = "held", "released"  # states of entries that are holds
INTO_WALLET = {TransferKind.GRANT, TransferKind.ALLOWANCE, TransferKind.REFUND}


@dataclass(frozen=True)
class StatementEntry:
    """A transfer or a hold as its member sees it; `amount` is hundredths, negative if it leaves the wallet.

    `state` is a transfer's kind, or HELD or RELEASED for a hold, which has no `transfer_id`.
    """

    pk: int
    created_at: datetime
    label: str
    amount: int
    state: str
    model: str
    note: str
    reference: uuid.UUID
    generation: uuid.UUID | None
    transfer_id: int | None
    actor: str
    hold: Hold | None = None

    @property
    def position(self) -> Position:
        """Where it stands in the statement."""
        return Position(self.created_at, self.transfer_id is not None, self.pk)


@dataclass(frozen=True, order=True)
class Position:
    """A place in a statement; later ones are greater. Of one moment, transfers are later than holds."""

    at: datetime
    is_transfer: bool
    pk: int

    @property
    def name(self) -> str:
        """The place in URLs: t12 for a transfer, h12 for a hold."""
        return f"{'t' if self.is_transfer else 'h'}{self.pk}"


@dataclass(frozen=True)
class StatementFilter:
    """Entries of one kind, of one month, or both. The kind is one of TransferKind, HELD or RELEASED."""

    kind: str = ""
    month: Month | None = None

    def of_month(self, rows: QuerySet[Any], member: Membership, time: str) -> QuerySet[Any]:
        """Return the rows whose time is in the month, by the team's calendar."""
        if self.month is None:
            return rows
        begin, end = (periods.begin(member.team, each.first) for each in (self.month, self.month.next))
        return rows.filter(**{f"{time}__gte": begin, f"{time}__lt": end})


@dataclass(frozen=True)
class StatementTotals:
    """What went into and out of a wallet by kind, in hundredths, between two balances with what is held."""

    opening: int
    by_kind: Mapping[str, int] = field(default_factory=dict)

    @property
    def closing(self) -> int:
        """The balance at the end."""
        return self.opening + sum(self.by_kind.values())


def held(wallet: Account) -> list[StatementEntry]:
    """Return the open holds, newest first."""
    holds = Hold.objects.filter(account=wallet, state=HoldState.OPEN).order_by("-opened_at", "-pk")
    return [_of_hold(hold, HELD) for hold in holds[:MAX_HELD]]


def page(
    member: Membership,
    wallet: Account,
    *,
    chosen: StatementFilter | None = None,
    before: Position | None = None,
    size: int = PAGE,
) -> tuple[list[StatementEntry], str]:
    """Return a page of transfers and released holds older than `before`, and the name of its last place.

    The name is empty on the last page. Open holds are not among them: see `held`.
    """
    chosen = chosen or StatementFilter()
    entries = _entries(wallet, _transfers(member, chosen, before)[: size + 1])
    entries += [_of_hold(hold, RELEASED) for hold in _released(member, chosen, before)[: size + 1]]
    entries.sort(key=lambda entry: entry.position, reverse=True)
    shown = entries[:size]
    return shown, shown[-1].position.name if len(entries) > size else ""


def posted(
    member: Membership, wallet: Account, *, before: Transfer | None
) -> tuple[list[StatementEntry], int | None]:
    """Return a page of transfers alone, and the id of its last one if there are more."""
    place = Position(before.created_at, True, before.pk) if before else None
    entries = _entries(wallet, _transfers(member, StatementFilter(), place)[: PAGE + 1])
    shown = entries[:PAGE]
    return shown, shown[-1].transfer_id if len(entries) > PAGE else None


def chunks(member: Membership, wallet: Account, chosen: StatementFilter) -> Iterator[list[StatementEntry]]:
    """Yield all entries that `page` gives, newest first, some at a time."""
    before = None
    while True:
        entries, older = page(member, wallet, chosen=chosen, before=before, size=CHUNK)
        yield entries
        if not older:
            return
        before = entries[-1].position


def position(member: Membership, name: str) -> Position | None:
    """Return the place of that name in the member's statement; None if it has none.

    A number alone is a transfer: addresses of older versions have it.
    """
    kind, number = (name[:1], name[1:]) if name[:1] in {"t", "h"} else ("t", name)
    if not (number.isascii() and number.isdecimal() and len(number) < 19):  # fits BIGINT
        return None
    if kind == "t":
        transfer = member.transfers.filter(pk=int(number)).first()
        return Position(transfer.created_at, True, transfer.pk) if transfer else None
    hold = member.holds.filter(pk=int(number), state=HoldState.RELEASED).first()
    return Position(hold.closed_at, False, hold.pk) if hold and hold.closed_at else None


def totals(member: Membership, month: Month | None = None) -> StatementTotals:
    """Return the totals of a month, or of all time; they add up to the balance of the wallet."""
    if month is None:
        return StatementTotals(0, _sums(member, None, None))
    before = _sums(member, None, month.first - timedelta(days=1))
    return StatementTotals(sum(before.values()), _sums(member, month.first, month.last))


def _sums(member: Membership, since: Any, until: Any) -> dict[str, int]:
    """Return what each kind of transfer moved on these days, negative if out of the wallet."""
    found = credits_totals.totals(
        member.team, by=("kind",), since=since, until=until, where={"member": member.pk}
    )
    sums = {
        kind: total.amount if kind in INTO_WALLET else -total.amount
        for (kind,), total in found.items()
        if kind != TransferKind.ADJUSTMENT
    }
    if (TransferKind.ADJUSTMENT,) in found:  # these go both ways
        sums[TransferKind.ADJUSTMENT] = _adjusted(member, since, until)
    return sums


def _adjusted(member: Membership, since: Any, until: Any) -> int:
    rows = credits_totals.transfers_on(member.team, since, until)
    rows = rows.filter(member=member, kind=TransferKind.ADJUSTMENT)
    into, out = Q(target__membership=member), Q(source__membership=member)
    sums = rows.aggregate(into=Sum("amount", filter=into), out=Sum("amount", filter=out))
    return (sums["into"] or 0) - (sums["out"] or 0)


def _entries(wallet: Account, transfers: QuerySet[Transfer]) -> list[StatementEntry]:
    rows = list(transfers)
    holds = Hold.objects.in_bulk([row.reference for row in rows], field_name="reference")
    return [_of_transfer(row, wallet, holds) for row in rows]


def _transfers(member: Membership, chosen: StatementFilter, before: Position | None) -> QuerySet[Transfer]:
    rows = Transfer.objects.filter(member=member).select_related("actor").order_by("-created_at", "-pk")
    if chosen.kind:
        rows = rows.filter(kind=chosen.kind)
    return _older(chosen.of_month(rows, member, "created_at"), "created_at", before, is_transfer=True)


def _released(member: Membership, chosen: StatementFilter, before: Position | None) -> QuerySet[Hold]:
    if chosen.kind not in {"", RELEASED}:
        return Hold.objects.none()
    rows = Hold.objects.filter(member=member, state=HoldState.RELEASED).order_by("-closed_at", "-pk")
    return _older(chosen.of_month(rows, member, "closed_at"), "closed_at", before, is_transfer=False)


def _older(rows: QuerySet[Any], time: str, before: Position | None, *, is_transfer: bool) -> QuerySet[Any]:
    """Return the rows that stand behind `before`."""
    if before is None:
        return rows
    # An index range can start from the first condition, which the exclusion alone does not give.
    rows = rows.filter(**{f"{time}__lte": before.at})
    if before.is_transfer == is_transfer:
        return rows.exclude(**{time: before.at, "pk__gte": before.pk})
    return rows.exclude(**{time: before.at}) if is_transfer else rows


def _of_hold(hold: Hold, state: str) -> StatementEntry:
    return StatementEntry(
        pk=hold.pk,
        created_at=hold.closed_at or hold.opened_at,
        label=hold.get_state_display(),
        amount=-hold.amount if state == HELD else 0,
        state=state,
        model=hold.model,
        note="",
        reference=hold.reference,
        generation=None if hold.model == PROMPT_HELPER else hold.reference,
        transfer_id=None,
        actor="",
        hold=hold,
    )


def _is_of_generation(transfer: Transfer) -> bool:
    return transfer.kind in KINDS_OF_GENERATION and transfer.model != PROMPT_HELPER


def _of_transfer(transfer: Transfer, wallet: Account, holds: Mapping[uuid.UUID, Hold]) -> StatementEntry:
    return StatementEntry(
        pk=transfer.pk,
        created_at=transfer.created_at,
        label=transfer.get_kind_display(),
        amount=transfer.amount if transfer.target_id == wallet.pk else -transfer.amount,
        state=transfer.kind,
        model=transfer.model,
        note=transfer.note,
        reference=transfer.reference,
        generation=transfer.reference if _is_of_generation(transfer) else None,
        transfer_id=transfer.pk,
        actor=str(transfer.actor or ""),
        hold=holds.get(transfer.reference) if transfer.kind == TransferKind.CHARGE else None,
    )
