"""Verbs for many wallets at once, all or none in a constant number of queries; and the month's allowance."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q

from generations.credits.accounts import lock, lock_pool_and_wallet, open_pool
from generations.credits.errors import MembershipEnded, ReferenceTaken
from generations.credits.models import Account, AccountKind, Transfer, TransferKind
from generations.credits.posting import check_covered, check_still_in_team, positive, write
from generations.teams.models import Membership, Team, User

BATCH = 500  # wallets in one statement: the database looks through a list of cases for each


@dataclass(frozen=True)
class Share:
    """What one member gets or gives back: hundredths of a credit, and the reference of its line."""

    member: Membership
    amount: int
    reference: uuid.UUID
    note: str = ""


def grant_many(*, team: Team, shares: Collection[Share], actor: User | None = None) -> list[Transfer]:
    """Move credits from the pool to several wallets, all or none.

    InsufficientCredits if the pool has less than all together, MembershipEnded if one of them left.
    The same shares again give the lines that they made; ReferenceTaken if only some were written.
    """
    return _move(TransferKind.GRANT, team, shares, actor)


def take_back_many(*, team: Team, shares: Collection[Share], actor: User | None = None) -> list[Transfer]:
    """Move credits from several wallets back to the pool, all or none; as `grant_many`.

    InsufficientCredits if one of the wallets has less that is free.
    """
    return _move(TransferKind.TAKE_BACK, team, shares, actor)


@transaction.atomic
def give_allowance(*, member: Membership, amount: int, reference: uuid.UUID, note: str = "") -> Transfer:
    """Move a month's allowance from the pool to the wallet; InsufficientCredits if the pool has less."""
    pool, wallet = lock_pool_and_wallet(member)
    check_still_in_team(member)
    line = Transfer(kind=TransferKind.ALLOWANCE, source=pool, target=wallet, note=note)
    line.team_id, line.member = member.team_id, member
    return write(line, amount, reference)


@transaction.atomic
def _move(kind: TransferKind, team: Team, shares: Collection[Share], actor: User | None) -> list[Transfer]:
    total = sum(positive(share.amount) for share in shares)
    pool, wallets = _lock_pool_and_wallets(team, [share.member for share in shares])
    lines = [_line(kind, pool, wallets[share.member.pk], share, actor) for share in shares]
    known = _known(lines)
    if known:
        return known
    if kind == TransferKind.GRANT:
        _check_all_still_in_team(shares)
        check_covered(pool, total)
    else:
        for line in lines:
            check_covered(line.source, line.amount)
    try:
        written = Transfer.objects.bulk_create(lines)
    except IntegrityError:  # taken at the same moment, between other accounts
        raise ReferenceTaken from None
    for line in lines:  # all of them are locked, so what was read is what they have
        line.source.balance -= line.amount
        line.target.balance += line.amount
        line.is_new = True
    Account.objects.bulk_update([pool, *wallets.values()], ["balance"], batch_size=BATCH)
    return written


def _lock_pool_and_wallets(team: Team, members: list[Membership]) -> tuple[Account, dict[int, Account]]:
    """The pool and the wallets by membership, opened if need be and locked in the one order."""
    open_pool(team)
    wanted = {member.pk for member in members}
    have = set(Account.objects.filter(membership__in=wanted).values_list("membership", flat=True))
    missing = [Account(kind=AccountKind.WALLET, membership_id=pk) for pk in sorted(wanted - have)]
    if missing:
        Account.objects.bulk_create(missing, ignore_conflicts=True)
    locked = lock(Q(team=team) | Q(membership__in=wanted))
    pool = next(account for account in locked if account.kind == AccountKind.POOL)
    return pool, {account.membership_id: account for account in locked if account.membership_id}


def _line(kind: TransferKind, pool: Account, wallet: Account, share: Share, actor: User | None) -> Transfer:
    source, target = (pool, wallet) if kind == TransferKind.GRANT else (wallet, pool)
    return Transfer(
        kind=kind,
        source=source,
        target=target,
        amount=share.amount,
        reference=share.reference,
        team_id=share.member.team_id,
        member=share.member,
        actor=actor,
        note=share.note,
    )


def _known(lines: list[Transfer]) -> list[Transfer]:
    """The lines as they were written before, none if they were not; ReferenceTaken for anything between."""
    references = [line.reference for line in lines]
    found = Transfer.objects.filter(reference__in=references, kind=lines[0].kind) if lines else []
    known = {line.reference: line for line in found}
    if not known:
        return []
    for line in lines:
        old = known.get(line.reference)
        if old is None or _says(old) != _says(line):
            raise ReferenceTaken
    return [known[reference] for reference in references]


def _says(line: Transfer) -> tuple[int, int, int]:
    return line.source_id, line.target_id, line.amount


def _check_all_still_in_team(shares: Collection[Share]) -> None:
    pks = [share.member.pk for share in shares]
    if Membership.objects.filter(pk__in=pks, ended_at__isnull=False).exists():
        raise MembershipEnded
