"""The verbs of the ledger: double entry with holds, each atomic. Amounts are whole hundredths of a credit.

Every verb first locks all accounts that it may touch, in one statement and in primary-key order, so verbs
cannot deadlock. Only then it reads what its decision depends on, and writes. A caller that calls several
verbs in one transaction must keep that order across them.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, DateTimeField, F, Q, Subquery, Value, When
from django.utils import timezone

from generations.core.one_message import Asked, Write, ask_together
from generations.core.prepared_queries import Param, PreparedQuery
from generations.core.prepared_writes import PreparedCopy, PreparedInsert, PreparedUpdate
from generations.credits import caps
from generations.credits.accounts import (
    ask_wallet,
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
    positive,
    post,
    post_once,
    return_remainder_to_pool,
)
from generations.teams.models import Membership, Team, User

__all__ = [
    "AlreadyRefunded",
    "AmountRefused",
    "CapReached",
    "HoldClosed",
    "InsufficientCredits",
    "LedgerError",
    "LockedWallet",
    "MembershipEnded",
    "NoSuchCharge",
    "ReferenceTaken",
    "check",
    "grant",
    "hold",
    "hold_many",
    "hold_new",
    "issue",
    "issued",
    "lock_for_hold",
    "open_pool",
    "open_wallet",
    "refund",
    "release",
    "release_many",
    "settle",
    "settling",
    "spent",
    "take_back",
]

_holds_of_reference = Hold.objects.filter(reference=Param("reference"))
_hold = PreparedQuery(lambda: _holds_of_reference.select_related("member", "transfer"))
_accounts_of_hold = PreparedQuery(
    lambda: locked(
        Q(kind=AccountKind.SPENT)
        | Q(team__in=_holds_of_reference.values("member__team"))
        | Q(pk__in=_holds_of_reference.values("account"))
    )
)
_new_holds = PreparedInsert(Hold)
_held = PreparedUpdate(
    lambda: Account.objects.filter(pk=Param("pk")), held=F("held") + Param("amount", BigIntegerField())
)
# What `settle` writes where the whole amount is charged, without asking first: see `settling`.
_chargeable = Hold.objects.filter(
    reference=Param("reference"), amount=Param("amount"), state=HoldState.OPEN, member__ended_at=None
)
_charge = PreparedCopy(
    Transfer,
    lambda: _chargeable,
    kind=Value(TransferKind.CHARGE),
    source=F("account"),
    target=Subquery(Account.objects.filter(kind=AccountKind.SPENT).values("pk")),
    team=F("member__team"),
    member=F("member"),
    amount=F("amount"),
    reference=F("reference"),
    model=F("model"),
    note=Value(""),
    created_at=Param("moment", DateTimeField()),
)
_of_charge = Transfer.objects.filter(reference=Param("reference"), kind=TransferKind.CHARGE)
_is_spent = Q(kind=AccountKind.SPENT)
_moved_by_charge = PreparedUpdate(
    lambda: Account.objects.filter(_is_spent | Q(pk__in=_of_charge.values("source"))),
    balance=F("balance")
    + Case(When(_is_spent, Param("amount", BigIntegerField())), default=Param("less", BigIntegerField())),
    held=F("held")
    + Case(When(_is_spent, Value(0, BigIntegerField())), default=Param("less", BigIntegerField())),
)
_settled = PreparedUpdate(
    lambda: Hold.objects.filter(reference=Param("reference"), state=HoldState.OPEN),
    state=HoldState.SETTLED,
    closed_at=Param("moment"),
    transfer=Subquery(_of_charge.values("pk")),
)
_closed = PreparedUpdate(
    lambda: Hold.objects.filter(pk=Param("pk")),
    state=Param("state"),
    closed_at=Param("closed_at"),
    transfer=Param("transfer"),
)


@transaction.atomic
def issue(
    *, team: Team, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Issue new credits into the team's pool, once per reference."""
    source, pool = issued(), open_pool(team)
    spent()  # opened before any wallet, so that its primary key is lower
    lock(Q(pk__in=[source.pk, pool.pk]))
    transfer = Transfer(
        kind=TransferKind.ISSUE, source=source, target=pool, team=team, actor=actor, note=note
    )
    return post_once(transfer, amount, reference)


@transaction.atomic
def grant(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Move credits from the team's pool to the member's wallet; InsufficientCredits if the pool has less."""
    pool, wallet = lock_pool_and_wallet(member)
    check_still_in_team(member)
    transfer = Transfer(kind=TransferKind.GRANT, source=pool, target=wallet, actor=actor, note=note)
    transfer.team_id, transfer.member = member.team_id, member
    return post_once(transfer, amount, reference)


@transaction.atomic
def take_back(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Move credits from the wallet back to the pool; InsufficientCredits if less is available."""
    pool, wallet = lock_pool_and_wallet(member)
    transfer = Transfer(kind=TransferKind.TAKE_BACK, source=wallet, target=pool, actor=actor, note=note)
    transfer.team_id, transfer.member = member.team_id, member
    return post_once(transfer, amount, reference)


def check(*, member: Membership, amount: int) -> None:
    """Raise what `hold_many` would raise for this amount now; without a lock, so the hold decides."""
    wallet = open_wallet(member)
    limits = caps.limits_of(member)
    check_covered(wallet, positive(amount))
    caps.check(limits, wallet, amount)


def hold(*, member: Membership, amount: int, reference: uuid.UUID, model: str = "") -> Hold:
    """Set credits aside for one generation; raises what `hold_many` raises."""
    return hold_many(member=member, amounts={reference: amount}, model=model)[0]


@transaction.atomic
def hold_many(*, member: Membership, amounts: Mapping[uuid.UUID, int], model: str = "") -> list[Hold]:
    """Set credits aside for several generations, all or none, in a constant number of queries.

    Raises InsufficientCredits if the wallet has less, CapReached if the member may not spend as much now,
    and MembershipEnded. A reference that is already held stays held; ReferenceTaken if that hold differs.
    """
    wallet = lock_wallet(member)
    limits = caps.limits_of(member)
    known = Hold.objects.in_bulk(list(amounts), field_name="reference")
    requested = {reference: (wallet.pk, amounts[reference], model) for reference in known}
    if requested != {held.reference: (held.account_id, held.amount, held.model) for held in known.values()}:
        raise ReferenceTaken
    new = {reference: amount for reference, amount in amounts.items() if reference not in known}
    if new:
        holds, writes = _holding(new, wallet, limits, model)
        try:
            ask_together(writes)
        except IntegrityError:  # a reference was used at the same moment, for another wallet
            raise ReferenceTaken from None
        known |= {held.reference: held for held in holds}
    return [known[reference] for reference in amounts]


def hold_new(*, member: Membership, amounts: Mapping[uuid.UUID, int], model: str = "") -> None:
    """Do as `hold_many`, for new references, inside a transaction that any error rolls back."""
    wallet, _beside = lock_for_hold(member)
    ask_together(wallet.holding(amounts, model))


@dataclass(frozen=True)
class LockedWallet:
    """A wallet that is locked until the transaction ends, and what its member may spend."""

    account: Account
    limits: caps.Limits

    def holding(self, amounts: Mapping[uuid.UUID, int], model: str) -> list[Asked]:
        """Return the statements for `ask_together` that do as `hold_many`, for new references.

        Raises what `hold_many` raises. Any later error must roll the transaction back.
        """
        return _holding(amounts, self.account, self.limits, model)[1]


def lock_for_hold(member: Membership, *beside: Asked) -> tuple[LockedWallet, list[Any]]:
    """Lock the member's wallet, and read what a hold depends on; `beside` is asked in the same message.

    Returns the answers to `beside` too. MembershipEnded if it did.
    """
    wallets, limits, *answers = ask_together([ask_wallet(member), caps.ask_limits(member), *beside])
    wallet = wallets[0] if wallets else open_wallet(member)
    return LockedWallet(wallet, caps.limits_in(member, limits)), answers


@transaction.atomic
def settle(*, reference: uuid.UUID, amount: int | None = None) -> Transfer:
    """Turn the hold into a charge of its amount or less; HoldClosed if it is not open."""
    held, spent_account = _lock_open_hold(reference)
    charged = held.amount if amount is None else positive(amount)
    if charged > held.amount:
        raise AmountRefused
    transfer = Transfer(kind=TransferKind.CHARGE, amount=charged, reference=reference, model=held.model)
    transfer.source_id, transfer.target = held.account_id, spent_account
    transfer.team_id, transfer.member = held.member.team_id, held.member
    _close(held, HoldState.SETTLED, post(transfer, freed=held.amount))
    return_remainder_to_pool(held)
    return transfer


def settling(*, reference: uuid.UUID, amount: int) -> list[Write]:
    """Return what `settle` writes if all of the hold is charged, for `write_together`, in the same order.

    That does nothing if `settle` would do anything else: the hold is not open or of another amount, or the
    membership has ended. IntegrityError if the account for spent credits is not open yet.
    """
    moment = timezone.now()
    values = {"reference": reference, "amount": positive(amount), "less": -amount, "moment": moment}
    return [
        *_accounts_of_hold.locks(reference=reference),
        _charge.write(1, **values),
        _moved_by_charge.write(2, **values),
        _settled.write(1, **values),
    ]


@transaction.atomic
def release(*, reference: uuid.UUID) -> Hold:
    """Make the held credits available again; HoldClosed if the hold is not open."""
    held = _lock_open_hold(reference)[0]
    Account.objects.filter(pk=held.account_id).update(held=F("held") - held.amount)
    _close(held, HoldState.RELEASED)
    return_remainder_to_pool(held)
    return held


@transaction.atomic
def release_many(*, member: Membership, references: Collection[uuid.UUID]) -> int:
    """Release the member's open holds among these in a constant number of queries; return their sum."""
    lock(Q(team=member.team_id) | Q(membership=member))
    found = Hold.objects.filter(member=member, reference__in=references, state=HoldState.OPEN)
    held = list(found.select_related("member"))
    total = sum(hold.amount for hold in held)
    if held:
        Account.objects.filter(membership=member).update(held=F("held") - total)
        found.update(state=HoldState.RELEASED, closed_at=timezone.now())
        return_remainder_to_pool(held[0])
    return total


@transaction.atomic
def refund(*, reference: uuid.UUID, actor: User | None = None, note: str = "") -> Transfer:
    """Refund a charge; NoSuchCharge if there is none, AlreadyRefunded the second time.

    The refund of a member who left goes on to the pool.
    """
    held = _lock_hold(reference)[0]
    if held is None or held.transfer is None:
        raise NoSuchCharge
    charge = held.transfer
    transfer = Transfer(
        kind=TransferKind.REFUND, source=charge.target, target=charge.source, model=charge.model
    )
    transfer.team_id, transfer.member, transfer.actor, transfer.note = (
        charge.team_id,
        held.member,
        actor,
        note,
    )
    if Transfer.objects.filter(reference=reference, kind=TransferKind.REFUND).exists():
        raise AlreadyRefunded
    posted = post_once(transfer, charge.amount, reference)
    return_remainder_to_pool(held)
    return posted


def _lock_hold(reference: uuid.UUID) -> tuple[Hold | None, Account]:
    """Lock every account that closing the hold may touch; return the hold and the account for spent credits.

    The pool is among them, for the remainder of an ended membership. The holder of the lock before may have
    closed the hold or ended the membership, so both are read after locking.
    """
    accounts = _accounts_of_hold.all(reference=reference)
    spent_account = next((account for account in accounts if account.kind == AccountKind.SPENT), None)
    return _hold.first(reference=reference), spent_account or spent()


def _lock_open_hold(reference: uuid.UUID) -> tuple[Hold, Account]:
    """Do as `_lock_hold`, for an open hold; HoldClosed if it is not open."""
    held, spent_account = _lock_hold(reference)
    if held is None or held.state != HoldState.OPEN:
        raise HoldClosed
    return held, spent_account


def _holding(
    amounts: Mapping[uuid.UUID, int], wallet: Account, limits: caps.Limits, model: str
) -> tuple[list[Hold], list[Asked]]:
    """Return holds of these amounts from the locked wallet, and the statements that write them."""
    total = sum(map(positive, amounts.values()))
    check_covered(wallet, total)
    caps.check(limits, wallet, total)
    holds = [
        Hold(account=wallet, member=limits.member, amount=amount, reference=reference, model=model)
        for reference, amount in amounts.items()
    ]
    return holds, [_held.asked(pk=wallet.pk, amount=total), *_new_holds.asked(holds)]


def _close(held: Hold, state: HoldState, transfer: Transfer | None = None) -> None:
    """Close the hold; its wallet is locked, so nothing else can."""
    held.state, held.closed_at, held.transfer = state, timezone.now(), transfer
    _closed.run(pk=held.pk, state=state, closed_at=held.closed_at, transfer=transfer and transfer.pk)
