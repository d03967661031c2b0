"""A member's own page of the ledger, newest first: what is held now, what was given back, and every line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from generations.credits.models import Account, Hold, HoldState, Transfer, TransferKind

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from generations.teams.models import Membership

PAGE = 50
OF_A_PICTURE = {TransferKind.CHARGE, TransferKind.REFUND}


@dataclass(frozen=True)
class Entry:
    """One line as its member reads it; `amount` is hundredths, negative if it leaves the wallet.

    What was held and given back has a `state` of "released" and no number: it is no line of the ledger.
    """

    when: datetime
    label: str
    amount: int
    state: str
    model: str
    note: str
    reference: uuid.UUID
    generation: uuid.UUID | None
    line_number: int | None
    actor: str
    hold: Hold | None = None


def held(wallet: Account) -> list[Entry]:
    """What is set aside now, newest first."""
    holds = Hold.objects.filter(account=wallet, state=HoldState.OPEN).order_by("-opened_at", "-pk")[:PAGE]
    return [_of_hold(hold, "held") for hold in holds]


def written(
    member: Membership, wallet: Account, *, before: Transfer | None
) -> tuple[list[Entry], int | None]:
    """A page of lines older than `before`, and the number of its last one if there are more."""
    lines = Transfer.objects.filter(member=member).select_related("actor").order_by("-created_at", "-pk")
    if before:
        same_moment = Q(created_at=before.created_at, pk__gte=before.pk)
        # The first condition says again what the second says, in a way that an index can begin from.
        lines = lines.filter(created_at__lte=before.created_at).exclude(same_moment)
    page = list(lines[: PAGE + 1])
    shown, is_last = page[:PAGE], len(page) <= PAGE
    holds = Hold.objects.in_bulk([line.reference for line in shown], field_name="reference")
    entries = [_of_line(line, wallet, holds) for line in shown]
    return entries, None if is_last else shown[-1].pk


def released(member: Membership, *, newest: datetime | None, oldest: datetime | None) -> list[Entry]:
    """What was held and given back between two moments of a page, newest first, a page of it at most."""
    holds = Hold.objects.filter(member=member, state=HoldState.RELEASED)
    if newest:
        holds = holds.filter(closed_at__lt=newest)
    if oldest:
        holds = holds.filter(closed_at__gte=oldest)
    return [_of_hold(hold, "released") for hold in holds.order_by("-closed_at", "-pk")[:PAGE]]


def _of_hold(hold: Hold, state: str) -> Entry:
    return Entry(
        when=hold.closed_at or hold.opened_at,
        label=hold.get_state_display(),
        amount=-hold.amount if state == "held" else 0,
        state=state,
        model=hold.model,
        note="",
        reference=hold.reference,
        generation=hold.reference,
        line_number=None,
        actor="",
        hold=hold,
    )


def _of_line(line: Transfer, wallet: Account, holds: Mapping[uuid.UUID, Hold]) -> Entry:
    return Entry(
        when=line.created_at,
        label=line.get_kind_display(),
        amount=line.amount if line.target_id == wallet.pk else -line.amount,
        state=line.kind,
        model=line.model,
        note=line.note,
        reference=line.reference,
        generation=line.reference if line.kind in OF_A_PICTURE else None,
        line_number=line.pk,
        actor=str(line.actor or ""),
        hold=holds.get(line.reference) if line.kind == TransferKind.CHARGE else None,
    )
