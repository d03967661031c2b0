"""Putting right what was wrong: a refund, once per charge, and corrections. Lines are added, never edited."""

from __future__ import annotations

import uuid

from django.db import transaction

from generations.credits import adjustments as credits_adjustments
from generations.credits import ledger
from generations.credits.models import Hold, Transfer
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import By
from generations.office.models import AuditAction
from generations.teams.models import Membership, Team


@transaction.atomic
def refund(*, team: Team, generation: uuid.UUID, by: By, note: str) -> Transfer:
    """Give the charge of a picture back to who paid it, or to the pool if they left.

    NoSuchCharge if the team was charged nothing for it, AlreadyRefunded the second time.
    """
    if not Hold.objects.filter(reference=generation, member__team=team).exists():
        raise ledger.NoSuchCharge
    line = ledger.refund(reference=generation, actor=by.user, note=note)
    facts = {"amount": line.amount, "generation": str(generation), "model": line.model}
    audit_log_service.record(by, AuditAction.REFUNDED, member=line.member, after=facts, note=note)
    return line


@transaction.atomic
def adjust_wallet(*, member: Membership, amount: int, reference: uuid.UUID, by: By, note: str) -> Transfer:
    """Correct a wallet by so many hundredths, from the pool or, if negative, into it."""
    line = credits_adjustments.adjust_wallet(
        member=member, amount=amount, reference=reference, actor=by.user, note=note
    )
    if line.is_new:
        audit_log_service.record(by, AuditAction.ADJUSTED, member=member, after={"amount": amount}, note=note)
    return line


@transaction.atomic
def adjust_pool(*, team: Team, amount: int, reference: uuid.UUID, by: By, note: str) -> Transfer:
    """Correct a pool by so many hundredths, from outside or, if negative, out of it; only operators may."""
    line = credits_adjustments.adjust_pool(
        team=team, amount=amount, reference=reference, actor=by.user, note=note
    )
    if line.is_new:
        audit_log_service.record(by, AuditAction.ADJUSTED, team=team, after={"amount": amount}, note=note)
    return line
