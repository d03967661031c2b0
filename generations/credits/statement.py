"""A member's own page of the ledger: what is held now, and the lines, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from generations.credits.models import Account, Hold, HoldState, Transfer, TransferKind

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from generations.teams.models import Membership

PAGE = 50
OF_A_PICTURE = {TransferKind.CHARGE, TransferKind.REFUND}


@dataclass(frozen=True)
class Entry:
    """One line as its member reads it; `amount` is hundredths, negative if it leaves the wallet."""

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


def held(wallet: Account) -> list[Entry]:
    """What is set aside now, newest first."""
    holds = Hold.objects.filter(account=wallet, state=HoldState.OPEN).order_by("-opened_at", "-pk")[:PAGE]
    return [_of_hold(hold) for hold in holds]


def written(
    member: Membership, wallet: Account, *, before: Transfer | None
) -> tuple[list[Entry], int | None]:
    """A page of lines older than `before`, and the number of its last one if there are more."""
    lines = Transfer.objects.filter(member=member).select_related("actor").order_by("-created_at", "-pk")
    if before:
        same_moment = Q(created_at=before.created_at, pk__lt=before.pk)
        lines = lines.filter(Q(created_at__lt=before.created_at) | same_moment)
    page = list(lines[: PAGE + 1])
    older = page[PAGE - 1].pk if len(page) > PAGE else None
    return [_of_line(line, wallet) for line in page[:PAGE]], older


def _of_hold(hold: Hold) -> Entry:
    return Entry(
        when=hold.opened_at,
        label=hold.get_state_display(),
        amount=-hold.amount,
        state="held",
        model=hold.model,
        note="",
        reference=hold.reference,
        generation=hold.reference,
        line_number=None,
        actor="",
    )


def _of_line(line: Transfer, wallet: Account) -> Entry:
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
    )
