"""Moving credits inside a team: granting from its pool, to one or to many, and taking back.

Each verb is all or none and writes one entry of the audit log. `form` is the UUID of the form that
was filled in: sent twice, it moves credits once.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import ngettext

from generations.credits import bulk_transfers
from generations.credits.bulk_transfers import TransferItem
from generations.credits.models import Transfer
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import By
from generations.office.models import Act
from generations.teams.models import Membership, Team

MOST_NAMED = 200  # members in one entry of the log; the ledger has all of them


@dataclass(frozen=True)
class Gift:
    """So many hundredths of a credit for one member, and why."""

    member: Membership
    amount: int
    note: str = ""


@transaction.atomic
def grant(*, team: Team, gifts: Collection[Gift], form: uuid.UUID, by: By, note: str = "") -> list[Transfer]:
    """Move credits from the pool to these members, each once; raises as `giving.grant_many` does."""
    lines = bulk_transfers.grant_many(team=team, items=_items(gifts, form), actor=by.user)
    _record(by, Act.GRANTED, team, lines, note)
    return lines


@transaction.atomic
def take_back(
    *, team: Team, gifts: Collection[Gift], form: uuid.UUID, by: By, note: str = ""
) -> list[Transfer]:
    """Move credits from these members back to the pool; raises as `giving.take_back_many` does."""
    lines = bulk_transfers.take_back_many(team=team, items=_items(gifts, form), actor=by.user)
    _record(by, Act.TAKEN_BACK, team, lines, note)
    return lines


def _items(gifts: Collection[Gift], form: uuid.UUID) -> list[TransferItem]:
    """Each with its own reference: of the form and the member, so that neither gets anything twice."""
    return [
        TransferItem(gift.member, gift.amount, uuid.uuid5(form, str(gift.member.pk)), gift.note)
        for gift in gifts
    ]


def _record(by: By, act: Act, team: Team, lines: list[Transfer], note: str) -> None:
    """One entry for the whole form, unless it was sent before."""
    if not lines or not lines[0].is_new:
        return
    if len(lines) == 1:
        [line] = lines
        wallet, sign = (line.target, 1) if act == Act.GRANTED else (line.source, -1)
        before = {"balance": wallet.balance - sign * line.amount}
        after: dict[str, Any] = {"amount": line.amount, "balance": wallet.balance}
        audit_log_service.record(
            by, act, member=line.member, before=before, after=after, note=note or line.note
        )
        return
    pool = lines[0].source if act == Act.GRANTED else lines[0].target
    total = sum(line.amount for line in lines)
    before = {"pool": pool.balance + total if act == Act.GRANTED else pool.balance - total}
    after = {
        "pool": pool.balance,
        "total": total,
        "count": len(lines),
        "members": [[line.member_id, str(line.member), line.amount] for line in lines[:MOST_NAMED]],
    }
    subject = ngettext("%(count)s member", "%(count)s members", len(lines)) % {"count": len(lines)}
    audit_log_service.record(by, act, team=team, subject=subject, before=before, after=after, note=note)
