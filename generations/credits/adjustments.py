"""Corrections of balances. A correction is a transfer of its own; ledger entries are never changed."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q

from generations.credits.accounts import issued, lock, lock_pool_and_wallet, open_pool, spent
from generations.credits.models import Account, Transfer, TransferKind
from generations.credits.posting import check_still_in_team, positive, post_once
from generations.teams.models import Membership, Team, User


@transaction.atomic
def adjust_wallet(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str
) -> Transfer:
    """Move this many hundredths of a credit from the pool to the wallet, or back if negative.

    Raises InsufficientCredits if the source has less available, and MembershipEnded for a positive amount
    after the membership ended.
    """
    pool, wallet = lock_pool_and_wallet(member)
    if amount > 0:
        check_still_in_team(member)
    transfer = _between(pool, wallet, amount)
    transfer.team_id, transfer.member, transfer.actor, transfer.note = member.team_id, member, actor, note
    return post_once(transfer, positive(abs(amount)), reference)


@transaction.atomic
def adjust_pool(
    *, team: Team, amount: int, reference: uuid.UUID, actor: User | None = None, note: str
) -> Transfer:
    """Issue this many hundredths of a credit into the pool, or withdraw them if negative.

    Raises InsufficientCredits if the pool has less. For operators only.
    """
    source, pool = issued(), open_pool(team)
    spent()  # opened before any wallet, so that its primary key is lower
    locked = {account.pk: account for account in lock(Q(pk__in=[source.pk, pool.pk]))}
    transfer = _between(locked[source.pk], locked[pool.pk], amount)
    transfer.team, transfer.actor, transfer.note = team, actor, note
    return post_once(transfer, positive(abs(amount)), reference)


def _between(source: Account, target: Account, amount: int) -> Transfer:
    """Return an unsaved adjustment from source to target, reversed for a negative amount."""
    if amount < 0:
        source, target = target, source
    return Transfer(kind=TransferKind.ADJUSTMENT, source=source, target=target)
