"""Transfers for many wallets at once, all or none in a constant number of queries; monthly allowances."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q

from generations.credits.accounts import lock, lock_pool_and_wallet, open_pool
from generations.credits.errors import MembershipEnded, ReferenceTaken
from generations.credits.models import Account, AccountKind, Transfer, TransferKind
from generations.credits.posting import check_covered, check_still_in_team, positive, post_once
from generations.teams.models import Membership, Team, User

BATCH = 500  # wallets in one UPDATE: its CASE expression is searched once for each


@dataclass(frozen=True)
class TransferItem:
    """One member's part of a bulk transfer: hundredths of a credit, and the transfer's reference."""

    member: Membership
    amount: int
    reference: uuid.UUID
    note: str = ""


def grant_many(*, team: Team, items: Collection[TransferItem], actor: User | None = None) -> list[Transfer]:
    """Move credits from the pool to several wallets, all or none; idempotent by the items' references.

    Raises InsufficientCredits if the pool has less than their sum, MembershipEnded if one of them left,
    and ReferenceTaken if some references were used before, but not all for the same transfers.
    """
    return _move(TransferKind.GRANT, team, items, actor)


def take_back_many(
    *, team: Team, items: Collection[TransferItem], actor: User | None = None
) -> list[Transfer]:
    """Move credits from several wallets back to the pool, all or none; idempotent as `grant_many`.

    Raises InsufficientCredits if one of the wallets has less available.
    """
    return _move(TransferKind.TAKE_BACK, team, items, actor)


@transaction.atomic
def grant_allowance(*, member: Membership, amount: int, reference: uuid.UUID, note: str = "") -> Transfer:
    """Move a monthly allowance from the pool to the wallet; InsufficientCredits if the pool has less."""
    pool, wallet = lock_pool_and_wallet(member)
    check_still_in_team(member)
    transfer = Transfer(kind=TransferKind.ALLOWANCE, source=pool, target=wallet, note=note)
    transfer.team_id, transfer.member = member.team_id, member
    return post_once(transfer, amount, reference)


@transaction.atomic
def _move(
    kind: TransferKind, team: Team, items: Collection[TransferItem], actor: User | None
) -> list[Transfer]:
    total = sum(positive(item.amount) for item in items)
    pool, wallets = _lock_pool_and_wallets(team, [item.member for item in items])
    transfers = [_transfer(kind, pool, wallets[item.member.pk], item, actor) for item in items]
    known = _known(transfers)
    if known:
        return known
    if kind == TransferKind.GRANT:
        _check_all_still_in_team(items)
        check_covered(pool, total)
    else:
        for transfer in transfers:
            check_covered(transfer.source, transfer.amount)
    try:
        written = Transfer.objects.bulk_create(transfers)
    except IntegrityError:  # a reference was used at the same moment, between other accounts
        raise ReferenceTaken from None
    for transfer in transfers:  # the accounts are locked, so the balances that were read are current
        transfer.source.balance -= transfer.amount
        transfer.target.balance += transfer.amount
        transfer.is_new = True
    Account.objects.bulk_update([pool, *wallets.values()], ["balance"], batch_size=BATCH)
    return written


def _lock_pool_and_wallets(team: Team, members: list[Membership]) -> tuple[Account, dict[int, Account]]:
    """Lock and return the pool, and the wallets by membership id; open those that are missing."""
    open_pool(team)
    pks = {member.pk for member in members}
    have = set(Account.objects.filter(membership__in=pks).values_list("membership", flat=True))
    missing = [Account(kind=AccountKind.WALLET, membership_id=pk) for pk in sorted(pks - have)]
    if missing:
        Account.objects.bulk_create(missing, ignore_conflicts=True)
    locked = lock(Q(team=team) | Q(membership__in=pks))
    pool = next(account for account in locked if account.kind == AccountKind.POOL)
    return pool, {account.membership_id: account for account in locked if account.membership_id}


def _transfer(
    kind: TransferKind, pool: Account, wallet: Account, item: TransferItem, actor: User | None
) -> Transfer:
    source, target = (pool, wallet) if kind == TransferKind.GRANT else (wallet, pool)
    return Transfer(
        kind=kind,
        source=source,
        target=target,
        amount=item.amount,
        reference=item.reference,
        team_id=item.member.team_id,
        member=item.member,
        actor=actor,
        note=item.note,
    )


def _known(transfers: list[Transfer]) -> list[Transfer]:
    """Return the transfers as posted before, [] if none was; ReferenceTaken if they match only in part."""
    references = [transfer.reference for transfer in transfers]
    found = Transfer.objects.filter(reference__in=references, kind=transfers[0].kind) if transfers else []
    known = {transfer.reference: transfer for transfer in found}
    if not known:
        return []
    for transfer in transfers:
        old = known.get(transfer.reference)
        if old is None or _ends_and_amount(old) != _ends_and_amount(transfer):
            raise ReferenceTaken
    return [known[reference] for reference in references]


def _ends_and_amount(transfer: Transfer) -> tuple[int, int, int]:
    return transfer.source_id, transfer.target_id, transfer.amount


def _check_all_still_in_team(items: Collection[TransferItem]) -> None:
    pks = [item.member.pk for item in items]
    if Membership.objects.filter(pk__in=pks, ended_at__isnull=False).exists():
        raise MembershipEnded
