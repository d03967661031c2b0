"""Verbs that put right what was wrong. A correction is a line of its own; no line is ever edited."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q

from generations.credits.accounts import issued, lock, lock_pool_and_wallet, open_pool, spent
from generations.credits.models import Account, Transfer, TransferKind
from generations.credits.posting import check_still_in_team, positive, write
from generations.teams.models import Membership, Team, User


@transaction.atomic
def adjust_wallet(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str
) -> Transfer:
    """Move so many hundredths from the pool to the wallet, or back if it is negative.

    InsufficientCredits if the source has less that is free; MembershipEnded for a wallet that
    nobody spends from any more, which can only give back.
    """
    pool, wallet = lock_pool_and_wallet(member)
    if amount > 0:
        check_still_in_team(member)
    line = _between(pool, wallet, amount)
    line.team_id, line.member, line.actor, line.note = member.team_id, member, actor, note
    return write(line, positive(abs(amount)), reference)


@transaction.atomic
def adjust_pool(
    *, team: Team, amount: int, reference: uuid.UUID, actor: User | None = None, note: str
) -> Transfer:
    """Bring so many hundredths from outside into the pool, or take them out of it if it is negative.

    InsufficientCredits if the pool has less. Only operators may.
    """
    outside, pool = issued(), open_pool(team)
    spent()  # stands before any wallet, as in every installation
    locked = {account.pk: account for account in lock(Q(pk__in=[outside.pk, pool.pk]))}
    line = _between(locked[outside.pk], locked[pool.pk], amount)
    line.team, line.actor, line.note = team, actor, note
    return write(line, positive(abs(amount)), reference)


def _between(source: Account, target: Account, amount: int) -> Transfer:
    """A line from one to the other, or the other way for a negative amount."""
    if amount < 0:
        source, target = target, source
    return Transfer(kind=TransferKind.ADJUSTMENT, source=source, target=target)
