"""Changes to a team's credits: issues, grants, refunds, adjustments and spending caps.

Each function is all or none and writes its entry of the audit log in the same transaction; `by` says who
acts. Amounts are hundredths of a credit. A `reference` identifies the form that was sent: the same one again
changes nothing more.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import ngettext

from generations.credits import accounts, bulk_transfers, ledger
from generations.credits import adjustments as credits_adjustments
from generations.credits.bulk_transfers import TransferItem
from generations.credits.models import Hold, Transfer
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import COMMAND, Actor
from generations.office.models import AuditAction
from generations.teams.models import Membership, Team

MAX_NOTE_LENGTH = 400
MAX_NAMED_MEMBERS = 200  # in one entry of the audit log; the ledger has all of them


@dataclass(frozen=True)
class MemberAmount:
    """An amount to grant to, or to take back from, one member."""

    member: Membership
    amount: int
    note: str = ""


@transaction.atomic
def issue(*, team: Team, amount: int, reference: uuid.UUID, by: Actor = COMMAND, note: str = "") -> Transfer:
    """Issue new credits to the pool, in hundredths, once per reference.

    Views allow this to operators only.
    """
    entry = ledger.issue(team=team, amount=amount, reference=reference, actor=by.user, note=note)
    if entry.is_new:
        audit_log_service.record(by, AuditAction.ISSUED, team=team, after={"amount": amount}, note=note)
    return entry


@transaction.atomic
def grant(
    *, team: Team, amounts: Collection[MemberAmount], reference: uuid.UUID, by: Actor, note: str = ""
) -> list[Transfer]:
    """Move credits from the pool to members' wallets; raises as `bulk_transfers.grant_many` does."""
    entries = bulk_transfers.grant_many(team=team, items=_shares(amounts, reference), actor=by.user)
    _record_grant(by, AuditAction.GRANTED, team, entries, note)
    return entries


@transaction.atomic
def take_back(
    *, team: Team, amounts: Collection[MemberAmount], reference: uuid.UUID, by: Actor, note: str = ""
) -> list[Transfer]:
    """Move credits from members' wallets back to the pool; raises as `bulk_transfers.take_back_many` does."""
    entries = bulk_transfers.take_back_many(team=team, items=_shares(amounts, reference), actor=by.user)
    _record_grant(by, AuditAction.TAKEN_BACK, team, entries, note)
    return entries


@transaction.atomic
def refund(*, team: Team, generation: uuid.UUID, by: Actor, note: str) -> Transfer:
    """Refund the charge of a picture to the member who paid it, or to the pool if they left the team.

    NoSuchCharge if the team was charged nothing for it, AlreadyRefunded the second time.
    """
    if not Hold.objects.filter(reference=generation, member__team=team).exists():
        raise ledger.NoSuchCharge
    entry = ledger.refund(reference=generation, actor=by.user, note=note)
    after = {"amount": entry.amount, "generation": str(generation), "model": entry.model}
    audit_log_service.record(by, AuditAction.REFUNDED, member=entry.member, after=after, note=note)
    return entry


@transaction.atomic
def adjust_wallet(*, member: Membership, amount: int, reference: uuid.UUID, by: Actor, note: str) -> Transfer:
    """Move an amount from the pool to a member's wallet or, if negative, from the wallet to the pool."""
    entry = credits_adjustments.adjust_wallet(
        member=member, amount=amount, reference=reference, actor=by.user, note=note
    )
    if entry.is_new:
        audit_log_service.record(by, AuditAction.ADJUSTED, member=member, after={"amount": amount}, note=note)
    return entry


@transaction.atomic
def adjust_pool(*, team: Team, amount: int, reference: uuid.UUID, by: Actor, note: str) -> Transfer:
    """Add an amount to a pool from outside or, if negative, remove it. For operators only."""
    entry = credits_adjustments.adjust_pool(
        team=team, amount=amount, reference=reference, actor=by.user, note=note
    )
    if entry.is_new:
        audit_log_service.record(by, AuditAction.ADJUSTED, team=team, after={"amount": amount}, note=note)
    return entry


@transaction.atomic
def set_caps(*, member: Membership, per_day: int | None, per_month: int | None, by: Actor) -> bool:
    """Set what a member may spend in a day and in a month, None for no cap; False if nothing changed.

    Takes the wallet's lock, as holds do, so the next hold is checked against the new caps. MembershipEnded if
    the member has left.
    """
    accounts.open_wallet(member)
    accounts.lock(Q(membership=member))
    row = Membership.objects.filter(pk=member.pk, ended_at=None).first()
    if row is None:
        raise ledger.MembershipEnded
    before = {"cap_per_day": row.cap_per_day, "cap_per_month": row.cap_per_month}
    after = {"cap_per_day": per_day, "cap_per_month": per_month}
    if before == after:
        return False
    Membership.objects.filter(pk=row.pk).update(**after)
    audit_log_service.record(by, AuditAction.CAPS_SET, member=row, before=before, after=after)
    return True


def _shares(amounts: Collection[MemberAmount], reference: uuid.UUID) -> list[TransferItem]:
    """Each member's part has a reference of its own, made of the form's and the member's."""
    return [
        TransferItem(each.member, each.amount, uuid.uuid5(reference, str(each.member.pk)), each.note)
        for each in amounts
    ]


def _record_grant(by: Actor, action: AuditAction, team: Team, entries: list[Transfer], note: str) -> None:
    """Write one audit entry for all ledger entries, unless the same form was sent before."""
    if not entries or not entries[0].is_new:
        return
    if len(entries) == 1:
        [entry] = entries
        wallet, sign = (entry.target, 1) if action == AuditAction.GRANTED else (entry.source, -1)
        before = {"balance": wallet.balance - sign * entry.amount}
        after: dict[str, Any] = {"amount": entry.amount, "balance": wallet.balance}
        audit_log_service.record(
            by, action, member=entry.member, before=before, after=after, note=note or entry.note
        )
        return
    pool = entries[0].source if action == AuditAction.GRANTED else entries[0].target
    total = sum(entry.amount for entry in entries)
    before = {"pool": pool.balance + total if action == AuditAction.GRANTED else pool.balance - total}
    after = {
        "pool": pool.balance,
        "total": total,
        "count": len(entries),
        "members": [
            [entry.member_id, str(entry.member), entry.amount] for entry in entries[:MAX_NAMED_MEMBERS]
        ],
    }
    subject = ngettext("%(count)s member", "%(count)s members", len(entries)) % {"count": len(entries)}
    audit_log_service.record(by, action, team=team, subject=subject, before=before, after=after, note=note)
