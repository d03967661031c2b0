"""The verbs of money: double-entry, two-phase, each all or nothing. Amounts are whole hundredths of a credit.

Every verb locks the accounts that it may touch first, all in one statement and in primary-key
order, so no two verbs wait for each other. Only then it reads what it decides by, and writes.
A caller that joins several verbs in one transaction must not lock an account before a lower one.
"""

import uuid
from collections.abc import Collection, Mapping

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits import caps
from generations.credits.accounts import (
    issued,
    lock,
    lock_pool_and_wallet,
    lock_wallet,
    locked,
    open_pool,
    open_wallet,
    spent,
)
from generations.credits.errors import (
    AlreadyRefunded,
    AmountRefused,
    CapReached,
    HoldClosed,
    InsufficientCredits,
    LedgerError,
    MembershipEnded,
    NoSuchCharge,
    ReferenceTaken,
)
from generations.credits.models import Account, AccountKind, Hold, HoldState, Transfer, TransferKind
from generations.credits.posting import (
    check_covered,
    check_still_in_team,
    enter,
    pass_on_remains,
    positive,
    write,
)
from generations.teams.models import Membership, Team, User

__all__ = [
    "AlreadyRefunded",
    "AmountRefused",
    "CapReached",
    "HoldClosed",
    "InsufficientCredits",
    "LedgerError",
    "MembershipEnded",
    "NoSuchCharge",
    "ReferenceTaken",
    "grant",
    "hold",
    "hold_many",
    "hold_new",
    "issue",
    "issued",
    "open_pool",
    "open_wallet",
    "refund",
    "release",
    "release_many",
    "settle",
    "spent",
    "take_back",
]

_of_reference = Hold.objects.filter(reference=Param("reference"))
_hold = PreparedQuery(lambda: _of_reference.select_related("member", "transfer"))
_accounts_of_hold = PreparedQuery(
    lambda: locked(
        Q(kind=AccountKind.SPENT)
        | Q(team__in=_of_reference.values("member__team"))
        | Q(pk__in=_of_reference.values("account"))
    )
)


@transaction.atomic
def issue(
    *, team: Team, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Bring new credits into the team's pool; the same reference does so once."""
    outside, pool = issued(), open_pool(team)
    spent()  # stands before any wallet, as in every installation
    lock(Q(pk__in=[outside.pk, pool.pk]))
    line = Transfer(kind=TransferKind.ISSUE, source=outside, target=pool, team=team, actor=actor, note=note)
    return write(line, amount, reference)


@transaction.atomic
def grant(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Move credits from the team's pool to the member's wallet; InsufficientCredits if the pool has less."""
    pool, wallet = lock_pool_and_wallet(member)
    check_still_in_team(member)
    line = Transfer(kind=TransferKind.GRANT, source=pool, target=wallet, actor=actor, note=note)
    line.team_id, line.member = member.team_id, member
    return write(line, amount, reference)


@transaction.atomic
def take_back(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Move credits from the wallet back to the pool; InsufficientCredits if less than that is free."""
    pool, wallet = lock_pool_and_wallet(member)
    line = Transfer(kind=TransferKind.TAKE_BACK, source=wallet, target=pool, actor=actor, note=note)
    line.team_id, line.member = member.team_id, member
    return write(line, amount, reference)


def hold(*, member: Membership, amount: int, reference: uuid.UUID, model: str = "") -> Hold:
    """Set credits aside for one generation; raises as `hold_many` does."""
    return hold_many(member=member, amounts={reference: amount}, model=model)[0]


@transaction.atomic
def hold_many(*, member: Membership, amounts: Mapping[uuid.UUID, int], model: str = "") -> list[Hold]:
    """Set credits aside for several generations, all or none, in a constant number of queries.

    InsufficientCredits if the wallet has less, CapReached if the member may not spend as much now,
    MembershipEnded if the wallet is no longer filled. What is held already under a reference stays
    so if it says the same, else ReferenceTaken.
    """
    wallet = lock_wallet(member)
    limits = caps.limits_of(member)
    known = Hold.objects.in_bulk(list(amounts), field_name="reference")
    asked = {reference: (wallet.pk, amounts[reference], model) for reference in known}
    if asked != {held.reference: (held.account_id, held.amount, held.model) for held in known.values()}:
        raise ReferenceTaken
    fresh = {reference: amount for reference, amount in amounts.items() if reference not in known}
    if fresh:
        known |= _open(fresh, wallet, member, model, limits)
    return [known[reference] for reference in amounts]


def hold_new(*, member: Membership, amounts: Mapping[uuid.UUID, int], model: str = "") -> list[Hold]:
    """As `hold_many`, for references that were made just now, in a transaction that any refusal ends."""
    wallet = lock_wallet(member)
    return list(_open(dict(amounts), wallet, member, model, caps.limits_of(member)).values())


@transaction.atomic
def settle(*, reference: uuid.UUID, amount: int | None = None) -> Transfer:
    """Turn the hold into a charge of its amount, or of less; HoldClosed if that was decided before."""
    held, outside = _lock_open_hold(reference)
    charged = held.amount if amount is None else positive(amount)
    if charged > held.amount:
        raise AmountRefused
    line = Transfer(kind=TransferKind.CHARGE, amount=charged, reference=reference, model=held.model)
    line.source_id, line.target = held.account_id, outside
    line.team_id, line.member = held.member.team_id, held.member
    _close(held, HoldState.SETTLED, enter(line, freed=held.amount))
    pass_on_remains(held)
    return line


@transaction.atomic
def release(*, reference: uuid.UUID) -> Hold:
    """Give back what was held; HoldClosed if that was decided before."""
    held = _lock_open_hold(reference)[0]
    Account.objects.filter(pk=held.account_id).update(held=F("held") - held.amount)
    _close(held, HoldState.RELEASED)
    pass_on_remains(held)
    return held


@transaction.atomic
def release_many(*, member: Membership, references: Collection[uuid.UUID]) -> int:
    """Give back the member's open holds among these, in a constant number of queries; how much it was."""
    lock(Q(team=member.team_id) | Q(membership=member))
    found = Hold.objects.filter(member=member, reference__in=references, state=HoldState.OPEN)
    held = list(found.select_related("member"))
    total = sum(hold.amount for hold in held)
    if held:
        Account.objects.filter(membership=member).update(held=F("held") - total)
        found.update(state=HoldState.RELEASED, closed_at=timezone.now())
        pass_on_remains(held[0])
    return total


@transaction.atomic
def refund(*, reference: uuid.UUID, actor: User | None = None, note: str = "") -> Transfer:
    """Give a charge back; NoSuchCharge if there is none, AlreadyRefunded the second time.

    What a member who left gets back goes to the pool.
    """
    held = _lock_hold(reference)[0]
    if held is None or held.transfer is None:
        raise NoSuchCharge
    charge = held.transfer
    line = Transfer(kind=TransferKind.REFUND, source=charge.target, target=charge.source, model=charge.model)
    line.team_id, line.member, line.actor, line.note = charge.team_id, held.member, actor, note
    if Transfer.objects.filter(reference=reference, kind=TransferKind.REFUND).exists():
        raise AlreadyRefunded
    written = write(line, charge.amount, reference)
    pass_on_remains(held)
    return written


def _lock_hold(reference: uuid.UUID) -> tuple[Hold | None, Account]:
    """The hold with every account that closing it may touch, locked; and where it would be spent.

    What an ended membership leaves goes to the pool. Whoever had the lock before may have decided
    the hold or ended the membership, so both are read after it.
    """
    accounts = _accounts_of_hold.all(reference=reference)
    outside = next((account for account in accounts if account.kind == AccountKind.SPENT), None)
    return _hold.first(reference=reference), outside or spent()


def _lock_open_hold(reference: uuid.UUID) -> tuple[Hold, Account]:
    """As `_lock_hold`, for one that is still to be decided; HoldClosed if it is not."""
    held, outside = _lock_hold(reference)
    if held is None or held.state != HoldState.OPEN:
        raise HoldClosed
    return held, outside


def _open(
    amounts: Mapping[uuid.UUID, int], wallet: Account, member: Membership, model: str, limits: caps.Limits
) -> dict[uuid.UUID, Hold]:
    """Set aside so much more of the locked wallet; the new holds, by reference."""
    total = sum(map(positive, amounts.values()))
    check_covered(wallet, total)
    caps.check(limits, wallet, total)
    Account.objects.filter(pk=wallet.pk).update(held=F("held") + total)
    holds = {
        reference: Hold(account=wallet, member=member, amount=amount, reference=reference, model=model)
        for reference, amount in amounts.items()
    }
    try:
        Hold.objects.bulk_create(holds.values())
    except IntegrityError:  # another wallet took one of them at the same moment
        raise ReferenceTaken from None
    return holds


def _close(held: Hold, state: HoldState, line: Transfer | None = None) -> None:
    """Decide the hold; its wallet is locked, so nobody else does."""
    held.state, held.closed_at, held.transfer = state, timezone.now(), line
    held.save(update_fields=["state", "closed_at", "transfer"])
