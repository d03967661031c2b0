"""Lines of days gone by, whole with their holds, as the ledger would have written them then."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.db.models import F

from generations.credits import ledger
from generations.credits.models import Account, Hold, Transfer
from generations.teams.models import Membership


def moment(text: str) -> datetime:
    """A moment of UTC: moment("2026-03-01T12:00")."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def charge(
    member: Membership, at: datetime, amount: int, model: str = "core", *, refunded: datetime | None = None
) -> Transfer:
    """A picture that was charged then, and perhaps refunded; hundredths of a credit."""
    reference = uuid.uuid4()
    hold = ledger.hold(member=member, amount=amount, reference=reference, model=model)
    wallet, spent = Account.objects.filter(membership=member), Account.objects.filter(kind="spent")
    line = _line("charge", wallet.get(), ledger.spent(), at, member, hold)
    Hold.objects.filter(pk=hold.pk).update(state="settled", closed_at=at, transfer=line)
    wallet.update(balance=F("balance") - amount, held=F("held") - amount)
    spent.update(balance=F("balance") + amount)
    if refunded:
        _line("refund", ledger.spent(), wallet.get(), refunded, member, hold)
        wallet.update(balance=F("balance") + amount)
        spent.update(balance=F("balance") - amount)
    return line


def _line(
    kind: str, source: Account, target: Account, at: datetime, member: Membership, hold: Hold
) -> Transfer:
    same = {"amount": hold.amount, "reference": hold.reference, "model": hold.model}
    ends = {"source": source, "target": target, "team": member.team, "member": member}
    return Transfer.objects.create(kind=kind, created_at=at, **same, **ends)
