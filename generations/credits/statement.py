"""A member's statement, newest first: open holds, released holds, and all ledger entries."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from generations.credits.models import Account, Hold, HoldState, Transfer, TransferKind
from generations.teams.models import Membership

PAGE = 50
KINDS_OF_GENERATION = {TransferKind.CHARGE, TransferKind.REFUND}


@dataclass(frozen=True)
class StatementEntry:
    """A transfer or a hold as its member sees it; `amount` is hundredths, negative if it leaves the wallet.

    `state` is a transfer's kind, or "held" or "released" for a hold, which has no `transfer_id`.
    """

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


def held(wallet: Account) -> list[StatementEntry]:
    """Return the open holds, newest first, one page at most."""
    holds = Hold.objects.filter(account=wallet, state=HoldState.OPEN).order_by("-opened_at", "-pk")[:PAGE]
    return [_of_hold(hold, "held") for hold in holds]


def posted(
    member: Membership, wallet: Account, *, before: Transfer | None
) -> tuple[list[StatementEntry], int | None]:
    """Return a page of entries older than `before`, and the id of its last one if there are more."""
    transfers = Transfer.objects.filter(member=member).select_related("actor").order_by("-created_at", "-pk")
    if before:
        same_moment = Q(created_at=before.created_at, pk__gte=before.pk)
        # The first condition is implied by the second, but an index range can start from it.
        transfers = transfers.filter(created_at__lte=before.created_at).exclude(same_moment)
    page = list(transfers[: PAGE + 1])
    shown, is_last = page[:PAGE], len(page) <= PAGE
    holds = Hold.objects.in_bulk([transfer.reference for transfer in shown], field_name="reference")
    entries = [_of_transfer(transfer, wallet, holds) for transfer in shown]
    return entries, None if is_last else shown[-1].pk


def released(member: Membership, *, newest: datetime | None, oldest: datetime | None) -> list[StatementEntry]:
    """Return holds released between the times of a page, newest first, one page at most."""
    holds = Hold.objects.filter(member=member, state=HoldState.RELEASED)
    if newest:
        holds = holds.filter(closed_at__lt=newest)
    if oldest:
        holds = holds.filter(closed_at__gte=oldest)
    return [_of_hold(hold, "released") for hold in holds.order_by("-closed_at", "-pk")[:PAGE]]


def _of_hold(hold: Hold, state: str) -> StatementEntry:
    return StatementEntry(
        created_at=hold.closed_at or hold.opened_at,
        label=hold.get_state_display(),
        amount=-hold.amount if state == "held" else 0,
        state=state,
        model=hold.model,
        note="",
        reference=hold.reference,
        generation=hold.reference,
        transfer_id=None,
        actor="",
        hold=hold,
    )


def _of_transfer(transfer: Transfer, wallet: Account, holds: Mapping[uuid.UUID, Hold]) -> StatementEntry:
    return StatementEntry(
        created_at=transfer.created_at,
        label=transfer.get_kind_display(),
        amount=transfer.amount if transfer.target_id == wallet.pk else -transfer.amount,
        state=transfer.kind,
        model=transfer.model,
        note=transfer.note,
        reference=transfer.reference,
        generation=transfer.reference if transfer.kind in KINDS_OF_GENERATION else None,
        transfer_id=transfer.pk,
        actor=str(transfer.actor or ""),
        hold=holds.get(transfer.reference) if transfer.kind == TransferKind.CHARGE else None,
    )
